"""Where weights come from, and the one clear error where they cannot be had."""

import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from indexer.embedding.semantic import OpenClipEncoder
from indexer.embedding.torchvision_shim import import_open_clip
from indexer.embedding.weights import WeightsUnavailableError, find_weights
from tests.embedding.tiny_clip import TINY, register, write_weights


@pytest.fixture(scope="module")
def open_clip() -> Any:
    return import_open_clip()


def code_of(encoder: OpenClipEncoder) -> str:
    with pytest.raises(WeightsUnavailableError) as caught:
        encoder.load()
    assert "style search works without" in caught.value.detail
    assert "\n" not in caught.value.detail
    return caught.value.code


def test_an_unknown_tag_or_model_is_refused() -> None:
    assert code_of(OpenClipEncoder("ViT-B-32", "no-such-tag")) == "weights_unavailable"
    assert code_of(OpenClipEncoder("no-such-model", "openai")) == "weights_unavailable"
    assert code_of(OpenClipEncoder("ViT-B-32", "/nowhere/weights.safetensors")) == "weights_unavailable"


@pytest.mark.parametrize("name", ["weights.pt", "weights.bin", "weights.ckpt", "weights.npz"])
def test_formats_that_are_pickles_are_never_opened(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"\x80\x04cposix\nsystem\n(S'touch /tmp/pinakes-canary'\ntR.")
    assert code_of(OpenClipEncoder("ViT-B-32", path)) == "weights_format"


def damaged(header: dict[str, Any]) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 16,
        damaged({"visual.proj": {"dtype": "F32", "shape": [32, 16], "data_offsets": [0, 2048]}}),
        damaged({"unrelated": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}}),
        b"\x80\x04cposix\nsystem\n.",
    ],
)
def test_damaged_or_foreign_files_are_refused(tmp_path: Path, content: bytes) -> None:
    register(tmp_path / "config")
    path = tmp_path / "weights.safetensors"
    path.write_bytes(content)
    assert code_of(OpenClipEncoder(TINY, path, device="cpu")) == "weights_unavailable"


def test_weights_of_another_architecture_are_refused(tmp_path: Path) -> None:
    path = write_weights(register(tmp_path), tmp_path / "tiny.safetensors")
    assert code_of(OpenClipEncoder("RN50", path, device="cpu")) == "weights_unavailable"


def test_a_tag_that_is_not_here_is_told_without_asking_the_network(
    open_clip: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(WeightsUnavailableError, match="not in the local cache"):
        find_weights(open_clip, "ViT-B-32", "openai", download=False)


def test_a_cached_tag_is_found_with_its_preprocessing(
    open_clip: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The cache as huggingface_hub lays it out: refs name a commit, snapshots hold its files."""
    repository = tmp_path / "models--timm--vit_base_patch32_clip_224.openai"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("a" * 40, encoding="utf-8")
    (repository / "snapshots" / ("a" * 40)).mkdir(parents=True)
    file = repository / "snapshots" / ("a" * 40) / "open_clip_model.safetensors"
    file.write_bytes(b"weights")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    code = (
        "from indexer.embedding.torchvision_shim import import_open_clip\n"
        "from indexer.embedding.weights import find_weights\n"
        "found = find_weights(import_open_clip(), 'ViT-B-32', 'openai', download=False)\n"
        "print(found.path, found.name, found.settings['force_quick_gelu'], len(found.settings['image_mean']))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [str(file), "openai", "True", "3"]


def test_a_failed_import_is_one_clear_error() -> None:
    code = (
        "import sys; sys.modules['open_clip'] = None\n"
        "from indexer.embedding.semantic import *\n"
        "try: OpenClipEncoder('ViT-B-32', 'openai').load()\n"
        "except WeightsUnavailableError as error: print(error.code)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "engine_missing"
