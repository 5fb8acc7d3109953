"""A walk through the head of a GGUF file in bounded blocks, which no number in the file can lead astray."""

import struct
from typing import Any, Final

from indexer.errors import BadFileError
from indexer.parsers.opening import ReadAt

__all__ = ["MAX_HEAD", "U32", "U64", "Source"]

MAX_HEAD: Final = 100_000_000  # bytes before the data; the largest tokenizers take 20 million

U32: Final = struct.Struct("<I")
U64: Final = struct.Struct("<Q")

_BLOCK = 256 << 10
_LARGEST_GAP = 16 << 20
_MOST_STRINGS = 5_000_000


class Source:
    """The bytes of a file from its start, read once and forwards.

    Every step is checked against ``size``, the length of the file in bytes, before anything is allocated. A
    step that ends at most 16 MiB behind the end means a file cut short (``truncated``); a longer one, or one
    past ``MAX_HEAD``, is a length that was never true (``length``).
    """

    def __init__(self, read: ReadAt, size: int) -> None:
        self.size = size
        self._read = read
        self._base = 0
        self._data = b""
        self._at = 0
        self._strings = 0

    @property
    def position(self) -> int:
        """Offset of the next byte."""
        return self._base + self._at

    def claim(self, count: int) -> None:
        """Raise BadFileError unless ``count`` more bytes are there."""
        end = self.position + count
        missing = end - self.size
        if missing > _LARGEST_GAP or end > MAX_HEAD:
            detail = f"{count:,} bytes claimed at {self.position:,} of {self.size:,}; download the file again"
            raise BadFileError("length", detail)
        if missing > 0:
            detail = f"the head goes on behind the file's end at {self.size:,} bytes; download it again"
            raise BadFileError("truncated", detail)

    def peek(self, count: int) -> bytes:
        """The next ``count`` bytes, or as many as there are, which stay next."""
        count = min(count, self.size - self.position)
        at = self._require(count)
        return self._data[at : at + count]

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        at = self._require(count)
        self._at = at + count
        return self._data[at : at + count]

    def unpack(self, form: struct.Struct) -> tuple[Any, ...]:
        """The next values in ``form``."""
        at = self._require(form.size)
        self._at = at + form.size
        return form.unpack_from(self._data, at)

    def skip(self, count: int) -> None:
        """Pass over ``count`` bytes, unread where they go beyond the block at hand."""
        self.claim(count)
        self._at += count

    def skip_strings(self, count: int) -> None:
        """Pass over ``count`` strings, each a 64-bit length and its bytes."""
        self.claim(8 * count)
        self.walk(count)
        data, at, unpack = self._data, self._at, U64.unpack_from
        last = len(data) - 8
        for _ in range(count):
            if at > last:
                self._go_to(at)
                self._require(8)
                data, at = self._data, self._at
                last = len(data) - 8
            at += 8 + unpack(data, at)[0]
        self._go_to(at)

    def walk(self, count: int) -> None:
        """Count ``count`` more items walked one by one. Raises BadFileError ``length`` past 5 million."""
        self._strings += count
        if self._strings > _MOST_STRINGS:
            detail = (
                f"arrays of more than {_MOST_STRINGS:,} items; no model has them, treat the file as hostile"
            )
            raise BadFileError("length", detail)

    def _go_to(self, at: int) -> None:
        """Move to ``at``, an index into the block that may lie behind its end."""
        self.skip(at - self._at)

    def _require(self, count: int) -> int:
        """Index into the block where the next ``count`` bytes stand, read if need be."""
        if self._at + count <= len(self._data):
            return self._at
        self.claim(count)
        start = self.position
        self._data = self._read(start, min(max(count, _BLOCK), self.size - start))
        self._base, self._at = start, 0
        return 0
