"""Texts hidden in the lowest bits of pixels: "stealth pnginfo" of NovelAI and of an extension for A1111.

Column by column, top to bottom, the lowest bits of alpha, or of red, green and blue, spell a mark of 15
letters, a length in bits (32 bits, big-endian) and the text, as UTF-8 or as gzip. This is the one place that
decodes pixels to read metadata: only PNG and WebP, at most 16 Mpx, and of a PNG only where the mark is found
in its first column, which can be read without the rest.
"""

import os
import struct
import warnings
import zlib
from pathlib import Path

from indexer.parsers.first_column import first_column
from indexer.parsers.image_chunks import Collected

__all__ = ["MAX_HIDDEN_PIXELS", "read_hidden"]

MAX_HIDDEN_PIXELS = 16_000_000

_MARKS = {
    b"stealth_pnginfo": ("A", False),
    b"stealth_pngcomp": ("A", True),
    b"stealth_rgbinfo": ("RGB", False),
    b"stealth_rgbcomp": ("RGB", True),
}
_MARK_LENGTH = 15
_HEAD_LENGTH = _MARK_LENGTH + 4
_LOWEST = bytes(48 + (value & 1) for value in range(256))
_GZIP = 31
_STEP = 4096  # bits turned into bytes at once; whole bytes


def read_hidden(path: Path | bytes, container: str, found: Collected) -> None:
    """Add the hidden text as ``stealth``, if the picture has one."""
    pixels = (found.width or 0) * (found.height or 0)
    if not found.lossless or not 8 * _HEAD_LENGTH // 3 <= pixels <= MAX_HIDDEN_PIXELS:
        return
    name = Path(os.fsdecode(path))
    if container == "png" and not _may_be_marked(name):
        return
    planes, width = _planes(name)
    for bands in ("A", "RGB"):
        data = _interleaved(planes, bands)
        text = _hidden(data, width * len(bands), bands, found) if data else None
        if text and found.take(len(text), "the hidden text"):
            found.add("stealth", text.decode("utf-8", "replace"))
            return


def _may_be_marked(path: Path) -> bool:
    """True where the first column of a PNG begins with a mark, or, in short pictures, with a part of it."""
    column = first_column(path, 8 * _MARK_LENGTH)
    for mark, (bands, _) in _MARKS.items():
        values = b"".join(pixel[3:4] if bands == "A" else pixel[:3] for pixel in column)
        start = _packed(values.translate(_LOWEST))[:_MARK_LENGTH]
        if start and mark.startswith(start):
            return True
    return False


def _planes(path: Path) -> tuple[dict[str, bytes], int]:
    """Each band row by row, and the width; nothing where Pillow cannot decode the file."""
    from PIL import Image

    faults = (OSError, ValueError, SyntaxError, EOFError, MemoryError, struct.error)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=("PNG", "WEBP")) as image:
                if image.width * image.height > MAX_HIDDEN_PIXELS or image.mode not in ("RGB", "RGBA"):
                    return {}, 0
                return {band: image.getchannel(band).tobytes() for band in image.getbands()}, image.width
    except faults:
        return {}, 0


def _interleaved(planes: dict[str, bytes], bands: str) -> bytes:
    """The bands of each pixel one after another."""
    if any(band not in planes for band in bands):
        return b""
    data = bytearray(len(bands) * len(planes[bands[0]]))
    for place, band in enumerate(bands):
        data[place :: len(bands)] = planes[band]
    return bytes(data)


def _hidden(data: bytes, stride: int, bands: str, found: Collected) -> bytes | None:
    head = _bits(data, stride, len(bands), 8 * _HEAD_LENGTH)
    length = int.from_bytes(head[_MARK_LENGTH:], "big")
    known, packed = _MARKS.get(head[:_MARK_LENGTH], ("", False))
    if known != bands or length % 8 or length > len(data) - 8 * _HEAD_LENGTH:
        return None
    content = _bits(data, stride, len(bands), 8 * _HEAD_LENGTH + length)[_HEAD_LENGTH:]
    return _unpacked(content, found) if packed else content


def _bits(data: bytes, stride: int, step: int, count: int) -> bytes:
    """The first ``count`` lowest bits, column by column, as bytes. A column is ``step`` bytes of each row."""
    rows, digits = len(data) // stride, bytearray()
    for column in range(0, stride, step):
        if len(digits) >= count:
            break
        part = bytearray(rows * step)
        for place in range(step):
            part[place::step] = data[column + place :: stride]
        digits += part.translate(_LOWEST)
    return _packed(bytes(digits[:count]))


def _packed(digits: bytes) -> bytes:
    """Bytes from the digits 0 and 1; what is left over of the last byte is dropped."""
    whole = len(digits) & ~7
    parts = (digits[place : min(place + _STEP, whole)] for place in range(0, whole, _STEP))
    return b"".join(int(part, 2).to_bytes(len(part) // 8, "big") for part in parts)


def _unpacked(content: bytes, found: Collected) -> bytes:
    try:
        return zlib.decompressobj(_GZIP).decompress(content, found.left + 1)
    except zlib.error as error:
        found.warn("text_broken", f"the hidden text is not gzip data ({error}); left out")
        return b""
