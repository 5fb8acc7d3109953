"""The first pixels of a PNG's rows, without decoding the rows.

In the first column every filter of PNG (third edition, section 9) only looks up: the pixel to the left and
the one above it are zero there, so Paeth predicts the pixel above and Average half of it.
"""

import struct
import zlib
from pathlib import Path
from typing import BinaryIO

__all__ = ["first_column"]

_CHANNELS = {2: 3, 6: 4}
_MAX_CHUNKS = 10_000
_MAX_BYTES = 64 << 20
_UP, _AVERAGE, _PAETH = 2, 3, 4


def first_column(path: Path, rows: int) -> list[bytes]:
    """The first pixel of each of the first ``rows`` rows of an 8-bit RGB or RGBA PNG without interlacing.

    Fewer rows, or none, where the file is of another sort or breaks off.
    """
    with path.open("rb") as stream:
        head = stream.read(33)
        if len(head) < 33 or head[12:16] != b"IHDR":
            return []
        width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", head[16:29])
        channels = _CHANNELS.get(colour)
        if channels is None or depth != 8 or interlaced:
            return []
        stride = 1 + width * channels
        wanted = min(rows, height, _MAX_BYTES // stride)
        return _unfiltered(_inflated(stream, wanted * stride), stride, channels)


def _inflated(stream: BinaryIO, wanted: int) -> bytes:
    """The first ``wanted`` bytes of the pixel data."""
    engine, data = zlib.decompressobj(), bytearray()
    for _ in range(_MAX_CHUNKS):
        head = stream.read(8)
        if len(head) < 8 or head[4:] == b"IEND" or len(data) >= wanted:
            break
        length = int.from_bytes(head[:4], "big")
        after = stream.tell() + length + 4
        if head[4:] == b"IDAT":
            try:
                data += engine.decompress(stream.read(min(length, _MAX_BYTES)), wanted - len(data))
            except zlib.error:
                break
        stream.seek(after)
    return bytes(data)


def _unfiltered(data: bytes, stride: int, channels: int) -> list[bytes]:
    above, column = bytes(channels), []
    for start in range(0, len(data) - stride + 1, stride):
        kind, pixel = data[start], data[start + 1 : start + 1 + channels]
        if kind in (_UP, _PAETH):
            pixel = bytes((value + up) & 255 for value, up in zip(pixel, above, strict=True))
        elif kind == _AVERAGE:
            pixel = bytes((value + up // 2) & 255 for value, up in zip(pixel, above, strict=True))
        column.append(pixel)
        above = pixel
    return column
