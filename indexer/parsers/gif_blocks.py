"""GIF: comments and XMP between the frames (GIF89a sections 20 to 26; XMP part 3)."""

import struct
from typing import BinaryIO

from indexer.errors import BadFileError
from indexer.parsers.image_chunks import MAX_CHUNKS, Collected, decode_loosely
from indexer.parsers.xmp import read_xmp

__all__ = ["SIGNATURES", "read_gif"]

SIGNATURES = (b"GIF87a", b"GIF89a")

_EXTENSION, _IMAGE, _TRAILER = b"\x21", b"\x2c", b"\x3b"
_COMMENT, _APPLICATION = b"\xfe", b"\xff"
_XMP = b"XMP DataXMP"
_XMP_TAIL = 257  # the "magic trailer" that lets readers who do not know XMP skip it as sub-blocks


def read_gif(stream: BinaryIO, size: int, found: Collected) -> None:
    """Read the texts of a GIF of ``size`` bytes; raises ``BadFileError`` where it holds no frame."""
    stream.seek(6)
    head = stream.read(7)
    if len(head) < 7:
        raise BadFileError("truncated", "The GIF ends inside its header. Copy or download it again.")
    found.width, found.height = struct.unpack("<HH", head[:4])
    _skip_palette(head[4], stream)
    left, frames = MAX_CHUNKS, 0
    while left > 0:
        mark = stream.read(1)
        if mark == _IMAGE:
            frames += 1
            _skip_palette(stream.read(9)[-1:][0] if stream.tell() + 9 <= size else 0, stream)
            stream.seek(1, 1)
            left -= _skip(stream, left)
        elif mark == _EXTENSION:
            left -= _read_extension(stream, left, found)
        else:
            break
        left -= 1
    if not frames:
        raise BadFileError("no_pixels", "The GIF holds no frame. Copy or download it again.")
    if left <= 0:
        found.warn("text_budget", f"more than {MAX_CHUNKS} blocks; the rest was not read")


def _skip_palette(flags: int, stream: BinaryIO) -> None:
    if flags & 0x80:
        stream.seek(3 << ((flags & 7) + 1), 1)


def _skip(stream: BinaryIO, limit: int) -> int:
    """Pass over sub-blocks; the answer is their number."""
    for count in range(limit):
        length = stream.read(1)
        if length in (b"", b"\0"):
            return count
        stream.seek(length[0], 1)
    return limit


def _read_extension(stream: BinaryIO, limit: int, found: Collected) -> int:
    label = stream.read(1)
    if label == _COMMENT:
        content, count = _joined(stream, limit, found, keep_lengths=False)
        found.add("comment", decode_loosely(content))
        return count
    if label == _APPLICATION:
        length = stream.read(1)
        if length and stream.read(length[0]) == _XMP:
            content, count = _joined(stream, limit, found, keep_lengths=True)
            read_xmp(content[: -_XMP_TAIL + 1], found)
            return count
        if not length or not length[0]:
            return 1
    return _skip(stream, limit)


def _joined(stream: BinaryIO, limit: int, found: Collected, *, keep_lengths: bool) -> tuple[bytes, int]:
    """The content of sub-blocks. XMP is not cut into sub-blocks: its bytes are read as lengths."""
    parts: list[bytes] = []
    for count in range(limit):
        length = stream.read(1)
        if length in (b"", b"\0") or not found.take(length[0] + 1, "a text of the GIF"):
            return b"".join(parts), count
        parts.append((length if keep_lengths else b"") + stream.read(length[0]))
    return b"".join(parts), limit
