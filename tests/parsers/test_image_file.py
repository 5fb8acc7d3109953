"""What an image file is found to be, with everything in place and with everything wrong."""

from pathlib import Path

import pytest
from PIL import Image

from indexer.parsers.image_file import parse_image
from tests.parsers import image_files as make

LINE = "a harbour\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 7, Size: 512x768, Model: base"


@pytest.mark.parametrize(
    ("data", "container"),
    [
        (make.texts_png({"parameters": LINE}), "png"),
        (make.jpeg_exif(make.exif({}, b"UNICODE\0" + LINE.encode("utf-16-be"))), "jpeg"),
        (make.webp(make.riff(b"EXIF", make.exif({}, b"ASCII\0\0\0" + LINE.encode()))), "webp"),
        (make.gif(make.gif_comment(LINE.encode())), "gif"),
        (make.avif(make.exif({}, b"ASCII\0\0\0" + LINE.encode())), "avif"),
    ],
)
def test_a_generation_in_every_container(tmp_path: Path, data: bytes, container: str) -> None:
    path = tmp_path / "image"
    path.write_bytes(data)
    read = parse_image(path)
    assert (read.container, read.reason, read.warnings) == (container, None, ())
    assert read.generation is not None
    assert (read.generation.prompt, read.generation.seed) == ("a harbour", "7")


def test_files_as_pillow_writes_them(tmp_path: Path) -> None:
    for suffix in ("png", "jpg", "webp", "gif", "avif"):
        path = tmp_path / f"image.{suffix}"
        exif = Image.Exif()
        exif[0x010E] = LINE
        extra = {"comment": LINE} if suffix == "gif" else {} if suffix == "png" else {"exif": exif}
        Image.new("RGB", (40, 30)).save(path, **extra)
        read = parse_image(path)
        assert (read.width, read.height, read.reason) == (40, 30, None)
        assert (read.generation is None) == (suffix == "png")


@pytest.mark.parametrize("size", [(50_000, 50_000), (0, 5), (2**31, 2**31)])
def test_too_many_pixels_are_refused_with_their_number(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(make.png(make.text_chunk("parameters", LINE), size=size))
    read = parse_image(path)
    assert read.reason is not None
    assert read.reason.code == "pixels"
    assert (read.width, read.height) == size
    assert read.generation is not None


def test_a_file_that_is_no_image(tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    path.write_bytes(b"<html>")
    read = parse_image(path)
    assert (read.container, read.generation) == ("unknown", None)
    assert read.reason is not None
    assert read.reason.code == "type"


def test_texts_found_before_a_fault_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "cut.png"
    path.write_bytes(make.texts_png({"parameters": LINE})[:-30])
    read = parse_image(path)
    assert read.reason is not None
    assert read.generation is not None
    assert (read.width, read.height) == (1, 1)
