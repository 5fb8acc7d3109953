"""The evaluation of generation records counts what is there, and what was missed."""

import json
from pathlib import Path

import pytest

from scripts.evaluations.parameters import evaluate, main
from tests.parsers import image_files as make
from tests.parsers.generation.graphs import basic, node

LINE = "a harbour\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 7, Size: 64x64, Model: base"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "line.png").write_bytes(make.texts_png({"parameters": LINE}))
    lora = node("LoraLoader", lora_name="ink.safetensors", strength_model=1, model=["4", 0], clip=["4", 1])
    graph = basic(**{"10": lora})
    graph["3"]["inputs"]["model"] = ["10", 0]
    (tmp_path / "graph.png").write_bytes(make.texts_png({"prompt": json.dumps(graph)}))
    (tmp_path / "silent.png").write_bytes(make.png())
    (tmp_path / "broken.png").write_bytes(make.png()[:20])
    return tmp_path


def test_what_is_said_is_counted_apart_from_the_readers(folder: Path) -> None:
    told = {outcome.name: outcome for outcome in evaluate(folder)}
    assert set(told) == {"line.png", "graph.png", "silent.png"}
    assert told["graph.png"].said.models == {"base", "ink"}
    assert told["line.png"].said.fields == {"seed", "steps", "sampler", "cfg"}
    assert not told["silent.png"].said.any
    assert not any(outcome.missed for outcome in told.values())


def test_the_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(folder), "--list"])
    report = capsys.readouterr().out
    assert "with metadata            2" in report
    assert "read whole               2" in report
