"""JPEG: EXIF and XMP (APP1), IPTC captions (APP13), comments and the size, up to the first scan.

ITU-T T.81 annex B; XMP part 3 for the two APP1 marks; IPTC-IIM 4 within Photoshop's image resources.
"""

import struct
from typing import BinaryIO

from indexer.errors import BadFileError
from indexer.parsers.exif import read_exif
from indexer.parsers.image_chunks import MAX_CHUNKS, Collected, decode_loosely, truncated
from indexer.parsers.xmp import read_xmp

__all__ = ["SIGNATURE", "read_jpeg"]

SIGNATURE = b"\xff\xd8\xff"

_SIZES = frozenset((*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)))
_BARE = frozenset((0x01, *range(0xD0, 0xDA)))
_SCAN, _END, _APP1, _APP13, _COMMENT = 0xDA, 0xD9, 0xE1, 0xED, 0xFE
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_MORE_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_MORE_XMP_HEAD = len(_MORE_XMP) + 32 + 4 + 4  # digest, full length, offset
_PHOTOSHOP = b"Photoshop 3.0\0"
_IPTC = 0x0404
_CAPTION = b"\x1c\x02\x78"


def read_jpeg(stream: BinaryIO, size: int, found: Collected) -> None:
    """Read the texts of a JPEG of ``size`` bytes; raises ``BadFileError`` where it ends before its pixels."""
    stream.seek(2)
    extended: list[bytes] = []
    for count in range(MAX_CHUNKS):
        if count and stream.tell() >= size:
            found.warn("truncated", "the file ends before its pixels")
            break
        kind = _next_marker(stream)
        if kind == _END and count:
            found.warn("truncated", "the file ends before its pixels")
        if kind in (_SCAN, _END) and count:
            break
        if kind in _BARE:
            continue
        length = int.from_bytes(stream.read(2), "big") - 2
        if length < 0 or length > size - stream.tell():
            raise truncated(f"segment {kind:02X}") if length > 0 else _broken(kind)
        _read_segment(kind, stream.read(length), found, extended)
    if extended:
        read_xmp(b"".join(extended), found)


def _next_marker(stream: BinaryIO) -> int:
    byte = stream.read(1)
    while byte == b"\xff":
        byte = stream.read(1)
        if byte and byte != b"\xff":
            return byte[0]
    raise truncated("the headers") if not byte else _broken(byte[0])


def _broken(kind: int) -> BadFileError:
    return BadFileError("header", f"The JPEG's headers break off at {kind:02X}. Copy or download it again.")


def _read_segment(kind: int, data: bytes, found: Collected, extended: list[bytes]) -> None:
    if kind in _SIZES and len(data) >= 5:
        found.height, found.width = struct.unpack(">HH", data[1:5])
    elif kind == _APP1 and data.startswith(b"Exif\0"):
        read_exif(data, found)
    elif kind == _APP1 and data.startswith(_XMP):
        read_xmp(data.removeprefix(_XMP), found)
    elif kind == _APP1 and data.startswith(_MORE_XMP) and found.take(len(data), "extended XMP"):
        extended.append(data[_MORE_XMP_HEAD:])
    elif kind == _APP13 and data.startswith(_PHOTOSHOP):
        _read_photoshop(data.removeprefix(_PHOTOSHOP), found)
    elif kind == _COMMENT and found.take(len(data), "comment"):
        found.add("comment", decode_loosely(data))


def _read_photoshop(data: bytes, found: Collected) -> None:
    """Walk image resources: ``8BIM``, id, padded name, size, padded content."""
    place = 0
    while data[place : place + 4] == b"8BIM" and place + 8 <= len(data):
        number = int.from_bytes(data[place + 4 : place + 6], "big")
        place += 6 + ((data[place + 6] + 2) & ~1)
        length = int.from_bytes(data[place : place + 4], "big")
        if number == _IPTC:
            _read_caption(data[place + 4 : place + 4 + length], found)
        place += 4 + ((length + 1) & ~1)


def _read_caption(data: bytes, found: Collected) -> None:
    place = data.find(_CAPTION)
    if place < 0:
        return
    length = int.from_bytes(data[place + 3 : place + 5], "big")
    text = data[place + 5 : place + 5 + length]
    if len(text) == length and found.take(length, "IPTC caption"):
        found.add("iptc:caption", decode_loosely(text))
