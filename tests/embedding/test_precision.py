"""Which arithmetic runs the image tower: real quantisation of the tiny CLIP."""

import json
from pathlib import Path

import numpy as np
import pytest

from indexer.embedding import precision
from indexer.embedding.semantic import OpenClipEncoder
from tests.embedding.drawing import STYLES, draw
from tests.embedding.tiny_clip import TINY, register, write_weights


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    return write_weights(register(folder), folder / "weights.safetensors")


def views() -> list[np.ndarray]:
    return [draw("disc", style, side=32) for style in STYLES]


def test_the_choice_keeps_the_vectors_and_is_remembered(weights: Path, tmp_path: Path) -> None:
    memory = tmp_path / "arithmetic.json"
    encoder = OpenClipEncoder(TINY, weights, device="cpu")
    before = encoder.encode_views(views())
    chosen = encoder.tune(views(), memory)
    assert list(json.loads(memory.read_text("utf-8")).values()) == [chosen]
    assert ((before * encoder.encode_views(views())).sum(1) >= precision.LEAST).all()
    assert OpenClipEncoder(TINY, weights, device="cpu").tune(views(), memory) == chosen


@pytest.mark.parametrize("kind", ["int8", "bfloat16"])
def test_each_arithmetic_is_near_full_precision_here(weights: Path, tmp_path: Path, kind: str) -> None:
    encoder = OpenClipEncoder(TINY, weights, device="cpu")
    before = encoder.encode_views(views())
    encoder.tune(views(), tmp_path / "memory.json")
    found = json.loads((tmp_path / "memory.json").read_text("utf-8"))
    (tmp_path / "memory.json").write_text(json.dumps(dict.fromkeys(found, kind)), "utf-8")
    assert encoder.tune(views(), tmp_path / "memory.json") == encoder.arithmetic, "once chosen it stays"
    other = OpenClipEncoder(TINY, weights, device="cpu")
    assert other.tune(views(), tmp_path / "memory.json") == kind
    after = other.encode_views(views())
    assert ((before * after).sum(1) >= precision.LEAST).all()
    assert np.abs(before - after).max() > 0


@pytest.mark.parametrize("content", ["", "[1]", "no json", '{"a": 3}'])
def test_a_damaged_memory_only_costs_the_timing_again(weights: Path, tmp_path: Path, content: str) -> None:
    memory = tmp_path / "arithmetic.json"
    memory.write_text(content, "utf-8")
    assert OpenClipEncoder(TINY, weights, device="cpu").tune(views(), memory) in (
        "float32",
        "int8",
        "bfloat16",
    )


def test_a_memory_that_cannot_be_written_is_no_fault(weights: Path, tmp_path: Path) -> None:
    OpenClipEncoder(TINY, weights, device="cpu").tune(views(), tmp_path / "no" / "such" / "folder.json")
