"""EXIF (TIFF 6.0 directories, CIPA DC-008): texts of the first directory and of the EXIF directory.

Tools put generations into UserComment, ImageDescription, and, to keep several apart, into any text tag as
``keyword:text`` (ComfyUI counts down from Model). Offsets are checked against the data; loops end.
"""

import re
import struct

from indexer.parsers.exif_text import decode_user_comment, decode_wide
from indexer.parsers.image_chunks import Collected, decode_loosely
from indexer.parsers.xmp import read_xmp

__all__ = ["read_exif"]

_EXIF_DIRECTORY = 0x8769
_USER_COMMENT = 0x9286
_XMP = 0x02BC
_TAGS = {
    0x010D: "DocumentName",
    0x010E: "ImageDescription",
    0x010F: "Make",
    0x0110: "Model",
    0x0131: "Software",
    0x013B: "Artist",
    0x8298: "Copyright",
    _USER_COMMENT: "UserComment",
    0x927C: "MakerNote",
    0x9C9B: "XPTitle",
    0x9C9C: "XPComment",
    0x9C9E: "XPKeywords",
    0x9C9F: "XPSubject",
}
_WIDE = range(0x9C9B, 0x9CA0)
_BYTE, _ASCII, _LONG, _UNDEFINED, _UTF8 = 1, 2, 4, 7, 129
_TEXT_TYPES = frozenset((_BYTE, _ASCII, _UNDEFINED, _UTF8))
_KEYWORD = re.compile(r"([A-Za-z][\w-]{0,40}):\s*(?=[{\[\"])")
_MAX_ENTRIES = 1_000


def read_exif(data: bytes, found: Collected) -> None:
    """Add the texts of an EXIF block, with or without its mark; what is broken is told and left out."""
    data = data.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None or len(data) < 8:
        found.warn("exif", "the EXIF block has no TIFF header; not read")
        return
    pending, seen = [struct.unpack(order + "I", data[4:8])[0]], set()
    while pending:
        offset = pending.pop()
        if offset in seen:
            found.warn("exif", "directories of the EXIF block form a loop")
            continue
        seen.add(offset)
        pending += _read_directory(data, offset, order, found)


def _read_directory(data: bytes, offset: int, order: str, found: Collected) -> list[int]:
    """Read the texts of one directory; the answer is the place of the EXIF directory, if it names one."""
    if offset + 2 > len(data):
        found.warn("exif", "a directory lies outside the EXIF block")
        return []
    count = struct.unpack_from(order + "H", data, offset)[0]
    if count > _MAX_ENTRIES or offset + 2 + 12 * count > len(data):
        found.warn("exif", f"a directory claims {count} entries, more than fit")
        count = min(count, _MAX_ENTRIES, (len(data) - offset - 2) // 12)
    below = []
    for place in range(offset + 2, offset + 2 + 12 * count, 12):
        tag, type_, size = struct.unpack_from(order + "HHI", data, place)
        if tag == _EXIF_DIRECTORY and type_ == _LONG:
            below.append(struct.unpack_from(order + "I", data, place + 8)[0])
        elif type_ in _TEXT_TYPES and (tag in _TAGS or tag == _XMP or type_ in (_ASCII, _UTF8)):
            _read_value(data, place, tag, size, order, found)
    return below


def _read_value(data: bytes, place: int, tag: int, size: int, order: str, found: Collected) -> None:
    start = place + 8 if size <= 4 else struct.unpack_from(order + "I", data, place + 8)[0]
    name = _TAGS.get(tag, f"Exif{tag:04X}")
    if start + size > len(data):
        found.warn("exif", f"{name} claims {size} bytes, more than there are; left out")
        return
    if not found.take(size, name):
        return
    value = data[start : start + size]
    if tag == _XMP:
        read_xmp(value, found)
    elif tag == _USER_COMMENT:
        found.add(name, decode_user_comment(value))
    elif tag in _WIDE:
        found.add(name, decode_wide(value, "utf-16-le"))
    else:
        _add_named(name, decode_loosely(value.rstrip(b"\0")), found)


def _add_named(name: str, text: str, found: Collected) -> None:
    match = _KEYWORD.match(text)
    if match:
        found.add(match.group(1).lower(), text[match.end() :])
    else:
        found.add(name, text)
