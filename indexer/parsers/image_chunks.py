"""Texts found in an image file, and the limits under which they are read.

Nothing here looks at pixels. Limits: 16 MiB of text a file after inflating, 1,000 texts, 200,000 chunks.
"""

import zlib
from dataclasses import dataclass, field

from indexer.domain.header import HeaderWarning
from indexer.errors import BadFileError
from indexer.parsers.strict_json import replace_surrogates

__all__ = [
    "MAX_CHUNKS",
    "MAX_TEXTS",
    "MAX_TEXT_BYTES",
    "Collected",
    "TextChunk",
    "decode_loosely",
    "truncated",
]

MAX_TEXT_BYTES = 16 << 20
MAX_TEXTS = 1_000
MAX_CHUNKS = 200_000


@dataclass(frozen=True, slots=True)
class TextChunk:
    """One text: ``keyword`` is the PNG keyword, the EXIF tag's or XMP property's name, or ``comment``."""

    keyword: str
    text: str


@dataclass(slots=True)
class Collected:
    """What a container reader finds, under one budget for the whole file. Sizes are in pixels."""

    width: int | None = None
    height: int | None = None
    lossless: bool = False  # the lowest bits of pixels are as they were written
    chunks: list[TextChunk] = field(default_factory=list)
    warnings: dict[str, str] = field(default_factory=dict)
    left: int = MAX_TEXT_BYTES

    def warn(self, code: str, detail: str) -> None:
        """Tell of an oddity; the first of a kind is kept."""
        self.warnings.setdefault(code, detail)

    def told(self) -> tuple[HeaderWarning, ...]:
        """All warnings, in the order met."""
        return tuple(HeaderWarning(code, detail) for code, detail in self.warnings.items())

    def take(self, size: int, what: str) -> bool:
        """True where ``size`` more bytes of text fit the budget, which they then use up."""
        if size > self.left or len(self.chunks) >= MAX_TEXTS:
            self.warn(
                "text_budget",
                f"{what} passes the limit of {MAX_TEXT_BYTES} bytes or {MAX_TEXTS} texts; left out",
            )
            return False
        self.left -= size
        return True

    def add(self, keyword: str, text: str) -> None:
        """Keep a text; NUL and halves of surrogate pairs, which no store accepts, are replaced."""
        text = text.rstrip("\0")
        if "\0" in text:
            self.warn("nul", f"NUL in the text of {keyword[:40]!a}; left out")
            text = text.replace("\0", "")
        if text.strip():
            self.chunks.append(
                TextChunk(replace_surrogates(keyword.replace("\0", "")), replace_surrogates(text))
            )

    def inflate(self, data: bytes, what: str) -> bytes | None:
        """zlib data inflated within the budget; None and a warning where it is broken or passes it."""
        engine = zlib.decompressobj()
        try:
            content = engine.decompress(data, self.left + 1)
        except zlib.error as error:
            self.warn("text_broken", f"{what} is not zlib data ({error}); left out")
            return None
        return content if self.take(len(content), what) else None


def decode_loosely(data: bytes) -> str:
    """UTF-8 where it is UTF-8, else Latin-1: tools write UTF-8 where their formats ask for Latin-1."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def truncated(what: str) -> BadFileError:
    """The error of a file that ends too early."""
    return BadFileError("truncated", f"The image ends inside {what}. Copy or download it again.")
