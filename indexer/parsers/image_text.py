"""The texts in an image file, whatever its container; pixels are not decoded and not needed."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from indexer.errors import BadFileError
from indexer.parsers import gif_blocks, heif_boxes, jpeg_segments, png_chunks, webp_chunks
from indexer.parsers.image_chunks import Collected

__all__ = ["IMAGE_SUFFIXES", "MAX_PIXELS", "container_of", "read_texts"]

MAX_PIXELS = 64_000_000

_Reader = Callable[[BinaryIO, int, Collected], None]
_READERS: dict[str, _Reader] = {
    "png": png_chunks.read_png,
    "jpeg": jpeg_segments.read_jpeg,
    "webp": webp_chunks.read_webp,
    "gif": gif_blocks.read_gif,
    "avif": heif_boxes.read_heif,
    "heif": heif_boxes.read_heif,
}
_SUFFIXES = {
    "png": (".png", ".apng"),
    "jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "webp": (".webp",),
    "gif": (".gif",),
    "avif": (".avif", ".avifs"),
    "heif": (".heif", ".heic", ".hif"),
}
IMAGE_SUFFIXES = frozenset(suffix for suffixes in _SUFFIXES.values() for suffix in suffixes)
"""Endings of image files that can be read here, in lower case with the dot."""

_HEAD = 64


def container_of(head: bytes) -> str | None:
    """``png``, ``jpeg``, ``webp``, ``gif``, ``avif`` or ``heif`` by the first 64 bytes, never by a name."""
    if head.startswith(png_chunks.SIGNATURE):
        return "png"
    if head.startswith(jpeg_segments.SIGNATURE) or head == b"\xff\xd8":
        return "jpeg"
    if webp_chunks.is_webp(head):
        return "webp"
    if head.startswith(gif_blocks.SIGNATURES):
        return "gif"
    return heif_boxes.heif_container(head)


def read_texts(path: Path | bytes, found: Collected) -> str:
    """Fill ``found`` with the texts of an image file; the answer is its container.

    Raises ``BadFileError``: ``empty``, ``type`` (no image that can be read here), ``truncated``, ``header``
    or ``no_pixels``; what was found before stays in ``found``. Raises ``OSError`` where the disk fails.
    """
    with Path(os.fsdecode(path)).open("rb") as stream:
        head = stream.read(_HEAD)
        container = container_of(head)
        if not head:
            raise BadFileError("empty", "The image file is empty. Copy or download it again.")
        if container is None:
            raise BadFileError(
                "type", "This is no PNG, JPEG, WebP, GIF, AVIF or HEIF image, whatever its name says."
            )
        _READERS[container](stream, os.fstat(stream.fileno()).st_size, found)
    suffix = Path(os.fsdecode(path)).suffix.lower()
    if suffix in IMAGE_SUFFIXES and suffix not in _SUFFIXES[container]:
        found.warn("suffix", f"the file is named {suffix!a} and is {container}")
    return container
