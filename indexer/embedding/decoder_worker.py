"""The process that touches hostile image bytes: ``python -m indexer.embedding.decoder_worker LIMITS_JSON``.

It reads one request after another from stdin and ends at end of stream. Its address space is capped, it can
write no file, and its parent kills it when an image takes too long. Only Pillow is imported at the start, and
numpy when descriptors are first wanted: a fresh worker must start in a fraction of a second.
"""

import contextlib
import io
import json
import os
import stat
import struct
import sys
import warnings
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from PIL import (
    AvifImagePlugin,
    GifImagePlugin,
    Image,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from indexer.embedding.decoder_protocol import (
    PATH,
    DecodeLimits,
    ProtocolError,
    Wanted,
    limits_from_json,
    read_frame,
    wanted_from_json,
    write_frame,
)
from indexer.embedding.views import cut_view

__all__ = ["Refusal", "decode", "main"]

Answer = tuple[dict[str, object], bytes, bytes, bytes, bytes]

PLUGINS = (PngImagePlugin, JpegImagePlugin, WebPImagePlugin, GifImagePlugin, AvifImagePlugin)
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "AVIF")
MAGICS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"GIF87a", b"GIF89a")
PNG_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
BROKEN = (  # what Pillow raises on a broken file, by name
    OSError,
    SyntaxError,
    struct.error,
    EOFError,
    ValueError,
    TypeError,
    IndexError,
    KeyError,
    AttributeError,
    OverflowError,
    ZeroDivisionError,
    NotImplementedError,
    RuntimeError,
    zlib.error,
)
BACKGROUND = (255, 255, 255)
THUMBNAIL_QUALITY = 80
CHUNK_LIMIT = 1 << 31
WANTED_BYTES = 1 << 16
NICENESS = 5  # the forward pass in the parent goes first; workers fill the gaps that it leaves


class Refusal(Exception):
    """Why an image is not decoded; ``code`` is one of ``decoding.CODES``."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def decode(source: BinaryIO, limits: DecodeLimits, wanted: Wanted) -> Answer:
    """``(facts, rgb, thumbnail, view, descriptors)`` of one image; see ``Wanted``.

    ``facts``: ``width``, ``height`` (of the file, before EXIF orientation), ``container``, ``colour``
    (``#rrggbb``, or empty), ``columns`` and ``rows`` of ``rgb``, which is uint8 RGB row by row. ``thumbnail``
    is WebP, made anew from pixels, so that no metadata or trailing bytes survive. Raises ``Refusal``.
    """
    try:
        image = _open(source, limits)
        width, height = image.size
        if width * height > limits.pixels:
            raise Refusal("pixels", f"{width} x {height} pixels; at most {limits.pixels} are decoded")
        container = "jpeg" if image.format == "MPO" else str(image.format).lower()
        rgb = (_plain_rgb(image, wanted.view.side) if wanted.view and wanted.only_view else None) or (
            _small_rgb(image, limits.side)
        )
        colour = _dominant(rgb) if wanted.colour else ""
        facts = {"width": width, "height": height, "container": container, "colour": colour}
        return facts | {"columns": rgb.width, "rows": rgb.height}, *_products(rgb, wanted)
    except Image.DecompressionBombError as error:
        raise Refusal("pixels", f"{error}; at most {limits.pixels} are decoded") from None
    except BROKEN as error:
        raise Refusal("image_broken", f"{type(error).__name__}: {error}") from None


def _products(rgb: Image.Image, wanted: Wanted) -> tuple[bytes, bytes, bytes, bytes]:
    return (
        rgb.tobytes() if wanted.pixels else b"",
        _thumbnail(rgb) if wanted.thumbnail else b"",
        cut_view(rgb, wanted.view) if wanted.view else b"",
        _described(rgb, list(wanted.descriptors)) if wanted.descriptors else b"",
    )


def _described(rgb: Image.Image, names: list[str]) -> bytes:
    from indexer.embedding.descriptors import describe

    return describe(rgb, names)


def _open(source: BinaryIO, limits: DecodeLimits) -> Image.Image:
    head = source.read(64)
    if not head:
        raise Refusal("too_short", "an empty file")
    source.seek(0)
    if head.startswith(MAGICS[0]):
        source = _critical_png(source, limits)
    try:
        return Image.open(source, formats=FORMATS)
    except UnidentifiedImageError:
        code = "image_broken" if _claims_allowed_type(head) else "type"
        raise Refusal(code, f"not a readable {', '.join(FORMATS)} image") from None


def _claims_allowed_type(head: bytes) -> bool:
    webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    avif = head[4:8] == b"ftyp" and b"avif" in head[8:32]
    return head.startswith(MAGICS) or webp or avif


def _critical_png(source: BinaryIO, limits: DecodeLimits) -> BinaryIO:
    """The same picture without text, profile and animation chunks: Pillow refuses a whole image for one
    oversized or damaged ancillary chunk, and workflow text is parsed elsewhere."""
    kept = io.BytesIO()
    kept.write(source.read(8))
    while len(head := source.read(8)) == 8:
        length, name = int.from_bytes(head[:4], "big"), head[4:]
        if length >= CHUNK_LIMIT:
            raise Refusal("image_broken", f"a PNG chunk claims {length} bytes")
        if name in PNG_KEPT:
            kept.write(head)
            kept.write(source.read(length + 4))
        else:
            source.seek(length + 4, os.SEEK_CUR)
        if name == b"IHDR":
            _refuse_large_png(kept.getvalue(), limits)
        if name == b"IEND":
            break
    kept.seek(0)
    return kept


def _refuse_large_png(head: bytes, limits: DecodeLimits) -> None:
    if len(head) >= 24:
        width, height = struct.unpack(">II", head[16:24])
        if width * height > limits.pixels:
            raise Refusal("pixels", f"{width} x {height} pixels; at most {limits.pixels} are decoded")


def _plain_rgb(image: Image.Image, side: int) -> Image.Image | None:
    """An upright RGB image as the decoder gives it, its shorter side at least ``side`` where the file's is;
    None for others."""
    turned = image.getexif().get(0x0112, 1) in range(2, 9)
    if turned or image.mode != "RGB" or "transparency" in image.info:
        return None
    if image.format == "JPEG":
        image.draft("RGB", (side, side))
    return image


def _small_rgb(image: Image.Image, side: int) -> Image.Image:
    if image.format == "JPEG":
        image.draft(None, (side, side))
    image.load()
    orientation = image.getexif().get(0x0112, 1)
    if image.mode.startswith("I") or image.mode == "F":
        image = _eight_bits(image)
    elif image.mode in ("P", "PA", "1") or "transparency" in image.info:
        image = image.convert("RGBA")
    image.thumbnail((side, side), Image.Resampling.BICUBIC, reducing_gap=3.0)
    if image.mode in ("RGBA", "LA", "La", "RGBa"):
        image = _flatten(image.convert("RGBA"))
    image = image.convert("RGB")
    return _upright(image, orientation)


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits, its highest value taken for white where it exceeds 16 bits."""
    image = image.convert("F")
    _, highest = image.getextrema()
    top = 65535.0 if not isinstance(highest, float) or highest <= 65535.0 else highest
    return image.point(lambda value: value * (255.0 / top) + 0.0).convert("L")


def _flatten(image: Image.Image) -> Image.Image:
    ground = Image.new("RGBA", image.size, (*BACKGROUND, 255))
    return Image.alpha_composite(ground, image)


def _upright(image: Image.Image, orientation: object) -> Image.Image:
    if orientation not in range(2, 9):
        return image
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.info["exif"] = exif.tobytes()
    return ImageOps.exif_transpose(image)


def _dominant(rgb: Image.Image) -> str:
    """The most frequent of eight colours that median cut finds in a 48-pixel reduction."""
    small = rgb.resize((48, 48), Image.Resampling.BOX).quantize(8, Image.Quantize.MEDIANCUT)
    counts = small.getcolors() or [(1, 0)]
    index = max(counts, key=lambda item: item[0])[1]
    palette = small.getpalette() or [0, 0, 0]
    start = 3 * index if isinstance(index, int) else 0
    return "#" + bytes(palette[start : start + 3]).hex()


def _thumbnail(rgb: Image.Image) -> bytes:
    buffer = io.BytesIO()
    bare = Image.frombytes("RGB", rgb.size, rgb.tobytes())
    bare.save(buffer, "WEBP", quality=THUMBNAIL_QUALITY, method=2)
    return buffer.getvalue()


@contextlib.contextmanager
def _opened(request: bytes, limits: DecodeLimits) -> Iterator[BinaryIO]:
    if request[:1] != PATH:
        yield io.BytesIO(request[1:])
        return
    flags = (
        os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
    )
    try:
        handle = os.open(os.fsdecode(request[1:]), flags)
    except FileNotFoundError:
        raise Refusal("missing", "no such file") from None
    except OSError as error:
        raise Refusal("unreadable", error.strerror or type(error).__name__) from None
    try:
        _regular(os.fstat(handle), limits)
        with open(handle, "rb", closefd=False) as stream:
            yield stream
    finally:
        os.close(handle)


def _regular(status: os.stat_result, limits: DecodeLimits) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise Refusal("not_regular_file", "a folder, pipe, socket or device")
    if status.st_size > limits.file_bytes:
        raise Refusal("image_size", f"{status.st_size} bytes; at most {limits.file_bytes} are read")


def _answer(request: bytes, limits: DecodeLimits, wanted: Wanted) -> Answer:
    try:
        with _opened(request, limits) as source:
            return decode(source, limits, wanted)
    except Refusal as refusal:
        told = {"code": refusal.code, "detail": str(refusal)[:500]}
    except MemoryError:
        told = {"code": "memory", "detail": f"needs more than {limits.memory_bytes} bytes to decode"}
    return {**told}, b"", b"", b"", b""


def _confine(limits: DecodeLimits) -> None:
    """Cap memory, forbid writing files and core dumps, where the platform can (not on Windows)."""
    Image.MAX_IMAGE_PIXELS = limits.pixels
    Image.preinit()
    warnings.simplefilter("ignore")
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    try:
        import resource
    except ImportError:
        return
    for name, value in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(name)
        resource.setrlimit(name, (value if hard == resource.RLIM_INFINITY else min(value, hard),) * 2)


def main() -> None:
    """Answer requests until stdin ends."""
    limits = limits_from_json(sys.argv[1])
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # nothing but frames may reach the pipe
    _confine(limits)
    with contextlib.suppress(ProtocolError, BrokenPipeError):
        while True:
            wanted = wanted_from_json(read_frame(requests, WANTED_BYTES))
            facts, *products = _answer(read_frame(requests, limits.file_bytes + 1), limits, wanted)
            for frame in (json.dumps(facts).encode(), *products):
                write_frame(answers, frame)
            answers.flush()


if __name__ == "__main__":
    main()
