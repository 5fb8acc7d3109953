"""AVIF and HEIF: the Exif and XMP items and the size (ISO/IEC 23008-12, 14496-12 section 8.11).

Boxes are read by their own sizes, only at the top and within ``meta``; pixels are never touched.
"""

from collections.abc import Iterator
from typing import BinaryIO

from indexer.errors import BadFileError
from indexer.parsers.exif import read_exif
from indexer.parsers.image_chunks import Collected
from indexer.parsers.xmp import read_xmp

__all__ = ["heif_container", "read_heif"]

_AVIF = (b"avif", b"avis")
_HEIC = (b"heic", b"heix", b"mif1", b"msf1", b"heim", b"heis", b"hevc")
_MAX_META = 4 << 20
_MAX_BOXES = 10_000
_MAX_EXTENTS = 1_000
_FULL = 4  # version and flags of a full box


def heif_container(head: bytes) -> str | None:
    """``avif`` or ``heif`` for a file that begins so."""
    if head[4:8] != b"ftyp":
        return None
    brands = [head[8:12], *(head[place : place + 4] for place in range(16, len(head) - 3, 4))]
    if any(brand in _AVIF for brand in brands):
        return "avif"
    return "heif" if head[8:12] in _HEIC else None


def read_heif(stream: BinaryIO, size: int, found: Collected) -> None:
    """Read the texts of a file of ``size`` bytes; raises ``BadFileError`` where it describes no picture."""
    meta = _find_meta(stream, size)
    boxes = dict(_boxes(meta[_FULL:]))
    properties = dict(_boxes(dict(_boxes(boxes.get(b"iprp", b""))).get(b"ipco", b"")))
    extent = properties.get(b"ispe", b"")
    if len(extent) >= _FULL + 8:
        found.width = int.from_bytes(extent[4:8], "big")
        found.height = int.from_bytes(extent[8:12], "big")
    wanted = dict(_text_items(boxes.get(b"iinf", b"")))
    for item, places in _locations(boxes.get(b"iloc", b"")):
        if item in wanted:
            _read_item(wanted[item], _content(stream, size, places, boxes.get(b"idat", b""), found), found)


def _find_meta(stream: BinaryIO, size: int) -> bytes:
    place = 0
    for _ in range(_MAX_BOXES):
        stream.seek(place)
        head = stream.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if len(head) < 8 or (length and length < 8):
            break
        if head[4:8] == b"meta" and length <= min(_MAX_META, size - place):
            stream.seek(place + 8)
            return stream.read((length or size - place) - 8)
        if not length or length > size - place:
            break
        place += length
    raise BadFileError("no_pixels", "The file describes no picture (no meta box). Copy or download it again.")


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 0
    for _ in range(_MAX_BOXES):
        length = int.from_bytes(data[place : place + 4], "big")
        if length < 8 or place + length > len(data):
            return
        yield data[place + 4 : place + 8], data[place + 8 : place + length]
        place += length


def _text_items(iinf: bytes) -> Iterator[tuple[int, bytes]]:
    """(item number, ``Exif`` or ``mime``) of the items that hold texts."""
    for kind, data in _boxes(iinf[_FULL + (2 if iinf[:1] == b"\0" else 4) :]):
        if kind == b"infe" and data[:1] in (b"\2", b"\3"):
            wide = 4 if data[:1] == b"\3" else 2
            type_ = data[_FULL + wide + 2 : _FULL + wide + 6]
            if type_ == b"Exif" or (type_ == b"mime" and b"application/rdf+xml" in data):
                yield int.from_bytes(data[_FULL : _FULL + wide], "big"), type_


def _locations(iloc: bytes) -> Iterator[tuple[int, list[tuple[int, int, int]]]]:
    """(item number, extents) where an extent is (construction method, offset, length)."""
    reader = _Numbers(iloc)
    version = reader.take(1)
    reader.take(3)
    sizes, more = reader.take(1), reader.take(1)
    widths = (sizes >> 4, sizes & 15, more >> 4, more & 15 if version in (1, 2) else 0)
    for _ in range(min(reader.take(4 if version == 2 else 2), _MAX_BOXES)):
        item = reader.take(4 if version == 2 else 2)
        method = reader.take(2) & 15 if version in (1, 2) else 0
        reader.take(2)
        base, extents = reader.take(widths[2]), []
        for _ in range(min(reader.take(2), _MAX_EXTENTS)):
            reader.take(widths[3])
            extents.append((method, base + reader.take(widths[0]), reader.take(widths[1])))
        if reader.over:
            return
        yield item, extents


class _Numbers:
    """Big-endian numbers one after another; zeros and ``over`` behind the end."""

    def __init__(self, data: bytes) -> None:
        self._data, self._place, self.over = data, 0, False

    def take(self, width: int) -> int:
        self.over |= self._place + width > len(self._data)
        part = self._data[self._place : self._place + width]
        self._place += width
        return int.from_bytes(part, "big")


def _content(
    stream: BinaryIO, size: int, places: list[tuple[int, int, int]], idat: bytes, found: Collected
) -> bytes:
    parts = []
    for method, offset, length in places:
        if offset + length > (len(idat) if method == 1 else size) or not found.take(length, "an item"):
            found.warn("item", "an item of the file lies outside it; left out")
            break
        if method == 1:
            parts.append(idat[offset : offset + length])
        else:
            stream.seek(offset)
            parts.append(stream.read(length))
    return b"".join(parts)


def _read_item(kind: bytes, content: bytes, found: Collected) -> None:
    if not content:
        return
    if kind == b"Exif":
        read_exif(content[4 + int.from_bytes(content[:4], "big") :], found)
    else:
        read_xmp(content, found)
