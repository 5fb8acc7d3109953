"""PNG: tEXt, zTXt, iTXt and eXIf, before and after the pixels (W3C PNG, third edition, section 11).

Also ImageMagick's ``Raw profile type`` texts, which hold EXIF and XMP as hexadecimal.
"""

import re
import struct
import zlib
from typing import BinaryIO

from indexer.parsers.exif import read_exif
from indexer.parsers.image_chunks import MAX_CHUNKS, Collected, decode_loosely, truncated
from indexer.parsers.xmp import read_xmp

__all__ = ["SIGNATURE", "read_png"]

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_TEXTS = frozenset((b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"iCCP"))
_XMP = "XML:com.adobe.xmp"
_RAW_PROFILE = re.compile(r"\s*\w+\s+\d+\s+([0-9a-fA-F\s]+)")
_MAX_PROFILE_NAME = 80


def read_png(stream: BinaryIO, size: int, found: Collected) -> None:
    """Read the texts of a PNG of ``size`` bytes; raises ``BadFileError`` where no picture can be in it."""
    stream.seek(len(SIGNATURE))
    _read_header(stream, found)
    pixels = False
    for _ in range(MAX_CHUNKS):
        head = stream.read(8)
        length, kind = struct.unpack(">I4s", head) if len(head) == 8 else (0, b"")
        if not kind or length > size - stream.tell() - 4:
            _ended_early(kind, pixels, found)
            return
        if kind == b"IEND":
            if size - stream.tell() > length + 4:
                found.warn(
                    "trailing_data", "the file goes on behind the end of the image; that part was not read"
                )
            return
        pixels |= kind == b"IDAT"
        if kind in _TEXTS and found.take(0 if length <= found.left else length, _what(kind)):
            _read_text(kind, stream.read(length), stream.read(4), found)
        else:
            stream.seek(length + 4, 1)
    found.warn("text_budget", f"more than {MAX_CHUNKS} chunks; the rest was not read")


def _read_header(stream: BinaryIO, found: Collected) -> None:
    head = stream.read(25)
    if len(head) < 25 or head[4:8] != b"IHDR":
        raise truncated("the PNG header")
    found.width, found.height = struct.unpack(">II", head[8:16])
    found.lossless = head[17] in (2, 6)


def _ended_early(kind: bytes, pixels: bool, found: Collected) -> None:
    what = _what(kind) if kind else "the list of chunks"
    if not pixels:
        raise truncated(what)
    found.warn("truncated", f"the file ends inside {what}")


def _what(kind: bytes) -> str:
    return f"chunk {kind.decode('latin-1')!a}"


def _read_text(kind: bytes, data: bytes, check: bytes, found: Collected) -> None:
    if zlib.crc32(data, zlib.crc32(kind)).to_bytes(4, "big") != check:
        found.warn("crc", f"{_what(kind)} does not fit its checksum")
    if kind == b"eXIf":
        read_exif(data, found)
        return
    keyword, separator, rest = data.partition(b"\0")
    if not separator:
        found.warn("text_broken", f"{_what(kind)} has no keyword; left out")
        return
    content = _content(kind, rest, found)
    if content is not None and kind != b"iCCP":
        _keep(keyword[:_MAX_PROFILE_NAME].decode("latin-1"), content, found)


def _content(kind: bytes, rest: bytes, found: Collected) -> bytes | None:
    if kind == b"iTXt":
        packed, (_, _, text) = rest[:1] == b"\1", ([*rest[2:].split(b"\x00", 2), b"", b""])[:3]
    else:
        packed, text = kind != b"tEXt", rest[1:] if kind != b"tEXt" else rest
    if packed:
        return found.inflate(text, _what(kind))
    return text if found.take(len(text), _what(kind)) else None


def _keep(keyword: str, content: bytes, found: Collected) -> None:
    if keyword == _XMP:
        read_xmp(content, found)
    elif keyword.startswith("Raw profile type "):
        _read_profile(keyword.removeprefix("Raw profile type "), content, found)
    else:
        found.add(keyword, decode_loosely(content))


def _read_profile(name: str, content: bytes, found: Collected) -> None:
    if name not in ("exif", "APP1", "xmp"):
        return
    match = _RAW_PROFILE.fullmatch(content.decode("latin-1"))
    digits = "".join(match.group(1).split()) if match else ""
    data = bytes.fromhex(digits[: len(digits) & ~1])
    if data.startswith(b"http://ns.adobe.com/xap/1.0/\0") or name == "xmp":
        read_xmp(data.removeprefix(b"http://ns.adobe.com/xap/1.0/\0"), found)
    else:
        read_exif(data, found)
