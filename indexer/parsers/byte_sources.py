"""Bytes to read at will: an open file, a piece of another source, or memory. No more than asked is read."""

from dataclasses import dataclass
from typing import Protocol

from indexer.parsers.opening import ReadAt

__all__ = ["FileSource", "MemorySource", "Piece", "Source"]


class Source(Protocol):
    """``size`` bytes, of which any run can be read."""

    @property
    def size(self) -> int: ...

    def read(self, offset: int, count: int) -> bytes:
        """At most ``count`` bytes at ``offset``: fewer only at the end."""
        ...


@dataclass(frozen=True, slots=True)
class MemorySource:
    """Bytes in memory."""

    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, offset: int, count: int) -> bytes:
        return self.data[offset : offset + count]


@dataclass(frozen=True, slots=True)
class FileSource:
    """An open regular file whose size was taken when it was opened."""

    read_at: ReadAt
    size: int

    def read(self, offset: int, count: int) -> bytes:
        """Raises TemporaryError ``changed`` when the file became shorter meanwhile."""
        return self.read_at(offset, max(0, min(count, self.size - offset)))


@dataclass(frozen=True, slots=True)
class Piece:
    """``size`` bytes of another source from ``start``."""

    source: Source
    start: int
    size: int

    def read(self, offset: int, count: int) -> bytes:
        return self.source.read(self.start + offset, max(0, min(count, self.size - offset)))
