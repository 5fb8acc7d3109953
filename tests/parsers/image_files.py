"""Small image files made by hand: any container, any text, any fault."""

import struct
import zlib
from collections.abc import Mapping

PIXELS = zlib.compress(b"\0\0")


def chunk(kind: bytes, data: bytes, *, crc: int | None = None) -> bytes:
    check = zlib.crc32(kind + data) if crc is None else crc
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def text_chunk(keyword: str, text: str, kind: str = "tEXt") -> bytes:
    key, data = keyword.encode("latin-1"), text.encode()
    packed = zlib.compress(data)
    body = {
        "tEXt": key + b"\0" + data,
        "zTXt": key + b"\0\0" + packed,
        "iTXt": key + b"\0\0\0\0\0" + data,
        "iTXt+": key + b"\0\1\0en\0\0" + packed,
    }[kind]
    return chunk(kind[:4].encode(), body)


def png(*chunks: bytes, size: tuple[int, int] = (1, 1), after: bytes = b"", late: bytes = b"") -> bytes:
    """``late`` stands between the pixels and the end, ``after`` behind the end."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 0, 0, 0, 0))
    middle = b"".join(chunks) + chunk(b"IDAT", PIXELS) + late
    return b"\x89PNG\r\n\x1a\n" + head + middle + chunk(b"IEND", b"") + after


def texts_png(texts: Mapping[str, str]) -> bytes:
    return png(*(text_chunk(key, text) for key, text in texts.items()))


def exif(
    tags: Mapping[int, bytes], user_comment: bytes | None = None, order: str = "<", type_: int = 2
) -> bytes:
    """A TIFF block: ASCII tags in the first directory, UserComment in the EXIF directory."""
    count = len(tags) + (user_comment is not None)
    place = 8 + 2 + 12 * count + 4
    entries, values = b"", b""
    for tag, value in sorted(tags.items()):
        if len(value) <= 4:
            entries += struct.pack(order + "HHI", tag, type_, len(value)) + value.ljust(4, b"\0")
        else:
            entries += struct.pack(order + "HHII", tag, type_, len(value), place + len(values))
            values += value
    if user_comment is not None:
        below = place + len(values)
        entries += struct.pack(order + "HHII", 0x8769, 4, 1, below)
        values += struct.pack(order + "H", 1)
        values += struct.pack(order + "HHII", 0x9286, 7, len(user_comment), below + 18) + bytes(4)
        values += user_comment
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + struct.pack(order + "I", 8) + struct.pack(order + "H", count) + entries + bytes(4) + values


def segment(kind: int, data: bytes) -> bytes:
    return bytes((0xFF, kind)) + struct.pack(">H", len(data) + 2) + data


def jpeg(*segments: bytes, size: tuple[int, int] = (1, 1)) -> bytes:
    frame = segment(0xC0, struct.pack(">BHHB", 8, size[1], size[0], 1) + b"\1\x11\0")
    return b"\xff\xd8" + b"".join(segments) + frame + segment(0xDA, b"\1\1\0\0\x3f\0") + b"\0\xff\xd9"


def jpeg_exif(block: bytes) -> bytes:
    return jpeg(segment(0xE1, b"Exif\0\0" + block))


def riff(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1)


def webp(*chunks: bytes, size: tuple[int, int] = (1, 1), pixels: bool = True) -> bytes:
    canvas = riff(
        b"VP8X", bytes(4) + (size[0] - 1).to_bytes(3, "little") + (size[1] - 1).to_bytes(3, "little")
    )
    frame = riff(b"VP8 ", b"\0\0\0\x9d\x01\x2a\1\0\1\0") if pixels else b""
    body = b"WEBP" + canvas + frame + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def gif(*blocks: bytes, frame: bool = True) -> bytes:
    picture = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\2\2\x4c\1\0" if frame else b""
    return b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0) + b"".join(blocks) + picture + b"\x3b"


def gif_comment(text: bytes) -> bytes:
    parts = (text[place : place + 255] for place in range(0, len(text), 255))
    return b"\x21\xfe" + b"".join(bytes((len(part),)) + part for part in parts) + b"\0"


def box(kind: bytes, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return struct.pack(">I", len(data) + 8) + kind + data


def avif(block: bytes | None = None, packet: bytes | None = None, size: tuple[int, int] = (1, 1)) -> bytes:
    """An AVIF whose texts stand in ``idat``; it holds no picture that a decoder would take."""
    items = [(1, b"Exif", bytes(4) + block if block else b""), (2, b"mime", packet or b"")]
    entries, places, data = b"", b"", b""
    for number, kind, content in items:
        name = b"\0application/rdf+xml\0" if kind == b"mime" else b"\0"
        entries += box(b"infe", b"\2\0\0\0" + struct.pack(">HH", number, 0) + kind + name)
        places += struct.pack(">HHHHII", number, 1, 0, 1, len(data), len(content))
        data += content
    meta = box(
        b"meta",
        bytes(4),
        box(b"iinf", bytes(4) + struct.pack(">H", len(items)) + entries),
        box(b"iloc", b"\1\0\0\0\x44\0" + struct.pack(">H", len(items)) + places),
        box(b"iprp", box(b"ipco", box(b"ispe", bytes(4) + struct.pack(">II", *size)))),
        box(b"idat", data),
    )
    return box(b"ftyp", b"avif" + bytes(4) + b"avifmif1") + meta


def xmp(properties: str) -> bytes:
    return (
        '<?xpacket begin="" id="x"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="d" xmlns:exif="e"'
        f' xmlns:xmp="x"><rdf:Description rdf:about="">{properties}</rdf:Description></rdf:RDF></x:xmpmeta>'
        '<?xpacket end="w"?>'
    ).encode()
