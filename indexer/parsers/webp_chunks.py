"""WebP: the EXIF and XMP chunks and the canvas size (RFC 9649 sections 2.3 to 2.7)."""

import struct
from typing import BinaryIO

from indexer.errors import BadFileError
from indexer.parsers.exif import read_exif
from indexer.parsers.image_chunks import MAX_CHUNKS, Collected, truncated
from indexer.parsers.xmp import read_xmp

__all__ = ["is_webp", "read_webp"]

_ALPHA_FLAG = 0x10
_PIXELS = frozenset((b"VP8 ", b"VP8L", b"ANMF"))


def is_webp(head: bytes) -> bool:
    """True for a RIFF file that holds WebP."""
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def read_webp(stream: BinaryIO, size: int, found: Collected) -> None:
    """Read the texts of a WebP of ``size`` bytes; raises ``BadFileError`` where no picture can be in it."""
    stream.seek(4)
    claimed = int.from_bytes(stream.read(4), "little") + 8
    if claimed > size + 1:
        raise truncated(f"the RIFF block, which claims {claimed} of {size} bytes")
    stream.seek(12)
    pixels = False
    for _ in range(MAX_CHUNKS):
        head = stream.read(8)
        if len(head) < 8:
            break
        kind, length = struct.unpack("<4sI", head)
        if length > size - stream.tell():
            raise truncated(f"chunk {kind.decode('latin-1')!a}")
        after = stream.tell() + length + (length & 1)
        pixels |= kind in _PIXELS
        _read_chunk(kind, length, stream, found)
        stream.seek(after)
    if not pixels:
        raise BadFileError("no_pixels", "The WebP holds no picture. Copy or download it again.")


def _read_chunk(kind: bytes, length: int, stream: BinaryIO, found: Collected) -> None:
    if kind in (b"EXIF", b"XMP "):
        if length > found.left:
            found.take(length, f"chunk {kind.decode()}")
        elif kind == b"EXIF":
            read_exif(stream.read(length), found)
        else:
            read_xmp(stream.read(length), found)
    elif (found.width is None or kind == b"VP8L") and kind in (b"VP8X", b"VP8L", b"VP8 "):
        _read_size(kind, stream.read(min(length, 10)), found)


def _read_size(kind: bytes, head: bytes, found: Collected) -> None:
    if len(head) < (5 if kind == b"VP8L" else 10):
        return
    if kind == b"VP8X":
        found.lossless = bool(head[0] & _ALPHA_FLAG)  # alpha is, even beside lossy pixels
        found.width = int.from_bytes(head[4:7], "little") + 1
        found.height = int.from_bytes(head[7:10], "little") + 1
    elif kind == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        found.width, found.height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        found.lossless = True
    else:
        found.width, found.height = (side & 0x3FFF for side in struct.unpack("<HH", head[6:10]))
