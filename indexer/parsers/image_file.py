"""An image file: what it is, how large, and how it says it was made."""

from dataclasses import dataclass
from pathlib import Path

from indexer.domain.generation import GenerationRecord
from indexer.domain.header import HeaderWarning
from indexer.errors import BadFileError
from indexer.parsers.alpha_text import read_hidden
from indexer.parsers.generation import read_generation
from indexer.parsers.image_chunks import Collected
from indexer.parsers.image_text import MAX_PIXELS, read_texts

__all__ = ["ImageRead", "parse_image"]


@dataclass(frozen=True, slots=True)
class ImageRead:
    """``container``: png, jpeg, webp, gif, avif, heif or unknown; ``width``, ``height`` in pixels.

    ``reason`` is set where no picture should be decoded from the file: ``empty``, ``type``, ``truncated``,
    ``header``, ``no_pixels`` or ``pixels``; what could be read stands beside it.
    """

    container: str
    width: int | None
    height: int | None
    warnings: tuple[HeaderWarning, ...]
    generation: GenerationRecord | None
    reason: HeaderWarning | None = None


def parse_image(path: Path | bytes) -> ImageRead:
    """Read an image's header and texts. Raises ``OSError`` only, where the disk fails."""
    found, container, reason = Collected(), "unknown", None
    try:
        container = read_texts(path, found)
        reason = _too_large(found)
    except BadFileError as error:
        reason = HeaderWarning(error.code, error.detail)
    size = (found.width, found.height) if found.width and found.height else None
    generation = read_generation(found.chunks, size)
    if generation is None and reason is None:
        before = len(found.chunks)
        read_hidden(path, container, found)
        generation = read_generation(found.chunks[before:], size)
    return ImageRead(container, found.width, found.height, found.told(), generation, reason)


def _too_large(found: Collected) -> HeaderWarning | None:
    width, height = found.width, found.height
    if width is None or height is None:  # cut off before it says, which is told as a warning
        return None
    if not width or not height:
        return HeaderWarning("pixels", "The image has no width or no height. Copy or download it again.")
    if width * height > MAX_PIXELS:
        limit = MAX_PIXELS // 1_000_000
        return HeaderWarning(
            "pixels", f"The image claims {width} x {height} pixels; the limit is {limit} million."
        )
    return None
