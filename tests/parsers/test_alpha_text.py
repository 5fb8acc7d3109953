"""Texts hidden in pixels, as NovelAI and sd-webui-stealth-pnginfo write them."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from indexer.parsers.first_column import first_column
from indexer.parsers.image_chunks import Collected
from indexer.parsers.image_file import parse_image

INFOTEXT = (
    "a harbour, 港\nNegative prompt: fog\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 64x48"
)


def hide(picture: np.ndarray, mark: bytes, text: bytes) -> np.ndarray:
    """Write a text into the lowest bits, column by column: the slow and obviously right way."""
    bits = "".join(f"{byte:08b}" for byte in mark + (8 * len(text)).to_bytes(4, "big") + text)
    bands = (0, 1, 2) if b"rgb" in mark else (3,)
    places = (
        (y, x, band) for x in range(picture.shape[1]) for y in range(picture.shape[0]) for band in bands
    )
    hidden = picture.copy()
    for bit, place in zip(bits, places, strict=False):
        hidden[place] = hidden[place] & 0xFE | int(bit)
    return hidden


def noise(width: int, height: int, bands: int) -> np.ndarray:
    shape = (height, width, bands)
    return np.random.default_rng(7).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("bands", [3, 4])
@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_hidden_texts_are_found(tmp_path: Path, suffix: str, bands: int, packed: bool) -> None:
    kind = b"png" if bands == 4 else b"rgb"
    text = gzip.compress(INFOTEXT.encode()) if packed else INFOTEXT.encode()
    picture = hide(noise(64, 48, bands), b"stealth_" + kind + (b"comp" if packed else b"info"), text)
    path = tmp_path / f"image.{suffix}"
    Image.fromarray(picture).save(path, lossless=True, exact=True)
    record = parse_image(path).generation
    assert record is not None
    assert (record.prompt, record.seed, record.sampler) == ("a harbour, 港", "1", "Euler a")


def test_novelai_hides_all_its_texts_as_one_object(tmp_path: Path) -> None:
    comment = json.dumps(
        {"prompt": "a harbour", "uc": "fog", "steps": 28, "seed": 5, "sampler": "k_euler", "scale": 5}
    )
    texts = {"Software": "NovelAI", "Source": "NovelAI Diffusion V4 37442FCA", "Comment": comment}
    hidden = hide(noise(64, 48, 4), b"stealth_pngcomp", gzip.compress(json.dumps(texts).encode()))
    Image.fromarray(hidden).save(tmp_path / "a.png")
    record = parse_image(tmp_path / "a.png").generation
    assert record is not None
    assert (record.generator, record.prompt, record.negative_prompt) == ("novelai", "a harbour", "fog")
    assert [(model.name, model.hash) for model in record.models] == [("NovelAI Diffusion V4", "37442FCA")]


@pytest.mark.parametrize("text", [b"", b"\x1f\x8bnot gzip"])
def test_a_broken_hidden_text_is_no_record(tmp_path: Path, text: bytes) -> None:
    Image.fromarray(hide(noise(64, 48, 4), b"stealth_pngcomp", text)).save(tmp_path / "a.png")
    assert parse_image(tmp_path / "a.png").generation is None


def test_a_length_past_the_picture_is_no_text(tmp_path: Path) -> None:
    Image.fromarray(hide(noise(8, 64, 4), b"stealth_pnginfo", bytes(9_000))).save(tmp_path / "a.png")
    assert parse_image(tmp_path / "a.png").generation is None


@pytest.mark.parametrize("bands", [3, 4])
def test_the_first_column_is_that_of_a_full_decoder(tmp_path: Path, bands: int) -> None:
    smooth = np.add.outer(np.arange(90), np.arange(50)).astype(np.uint8)
    for number, picture in enumerate((noise(50, 90, bands), np.stack([smooth] * bands, axis=2))):
        path = tmp_path / f"{number}.png"
        Image.fromarray(picture).save(path)
        assert first_column(path, 40) == [bytes(pixel) for pixel in picture[:40, 0]]


def test_other_pictures_have_no_first_column(tmp_path: Path) -> None:
    Image.new("L", (4, 4)).save(tmp_path / "grey.png")
    assert first_column(tmp_path / "grey.png", 4) == []
    (tmp_path / "cut.png").write_bytes((tmp_path / "grey.png").read_bytes()[:20])
    assert first_column(tmp_path / "cut.png", 4) == []
    assert Collected().lossless is False
