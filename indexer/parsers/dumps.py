"""Dumps of a hub's answers: JSON lines, an array, or page envelopes, plain or packed; read as a stream.

What it is, is told by content: gzip, xz and zstd by their first bytes, the JSON shape by its first words.
Memory holds one item, however long the dump.
"""

import gzip
import io
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeAlias

import ijson
import zstandard

from indexer.errors import BadFileError
from indexer.parsers.strict_json import JsonFault, load_lenient, shorten

__all__ = ["MAX_ITEM", "BadLine", "read_dump"]

MAX_ITEM = 64 << 20
"""Bytes of one line; a model with thousands of pictures has less than one."""

_Stream: TypeAlias = "io.BufferedReader[Any] | gzip.GzipFile | lzma.LZMAFile"
_PEEK = 1 << 16
_ENVELOPE = re.compile(rb'\s*\{\s*"(?:items|metadata)"\s*:')
_FAULTS = (
    OSError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    zstandard.ZstdError,
    ijson.JSONError,
    UnicodeDecodeError,
)


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line (or item) of a dump that is no JSON; ``number`` counts from 1."""

    number: int
    detail: str


def read_dump(path: Path, told: Callable[[int], None] = lambda _: None) -> Iterator[Any]:
    """The items of a dump in order, as plain data; what is no JSON comes as ``BadLine``.

    ``told`` is called with the bytes of the file read since its last call. Raises ``BadFileError`` (``dump``)
    when the file ends early or is damaged: all items before the damage have been given by then; ``OSError``
    when it cannot be opened.
    """
    with path.open("rb") as raw:
        counted = _Counted(raw, told)
        try:
            yield from _items(_unpacked(counted))
        except _FAULTS as error:
            raise BadFileError(
                "dump",
                f"{path.name!r} cannot be read to its end ({shorten(str(error))}). Items before that place "
                "are kept; fetch the file again and import it once more.",
            ) from error


class _Counted(io.RawIOBase):
    """A file that tells how much of it was read."""

    def __init__(self, raw: IO[bytes], told: Callable[[int], None]) -> None:
        self._raw = raw
        self._told = told

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._raw.read(len(buffer))
        buffer[: len(data)] = data
        self._told(len(data))
        return len(data)


class _Zstd(io.RawIOBase):
    """Frames of zstd as a stream; unlike the library's own reader it notices an early end."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._plain = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._plain:
            packed = self._frame.unused_data or self._raw.read(_PEEK)
            if self._frame.eof and packed:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            elif not packed:
                if not self._frame.eof:
                    raise EOFError("the last frame is cut short")
                return 0
            self._plain = memoryview(self._frame.decompress(packed))
        count = min(len(buffer), len(self._plain))
        buffer[:count] = self._plain[:count]
        self._plain = self._plain[count:]
        return count


def _unpacked(raw: io.RawIOBase) -> _Stream:
    plain: io.BufferedReader[Any] = io.BufferedReader(raw, _PEEK)
    head = plain.peek(8)
    if head.startswith(b"\x1f\x8b"):
        return gzip.open(plain)
    if head.startswith(b"\xfd7zXZ\x00"):
        return lzma.open(plain)
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return io.BufferedReader(_Zstd(plain), _PEEK)
    return plain


def _items(stream: _Stream) -> Iterator[Any]:
    head = stream.peek(_PEEK)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if start == b"[":
        yield from ijson.items(stream, "item", use_float=True)
    elif _ENVELOPE.match(head) and not _whole_first_line(head):
        yield from ijson.items(stream, "items.item", use_float=True)
    elif start == b"{" and not _whole_first_line(head) and b"\n" in head:
        yield from ijson.items(stream, "", use_float=True, multiple_values=True)
    else:
        yield from _lines(stream)


def _whole_first_line(head: bytes) -> bool:
    """Whether the first line is a value of its own, as in JSON lines; a line longer than ``head`` is."""
    line, end, _ = head.partition(b"\n")
    return not end or line.rstrip().endswith(b"}")


def _lines(stream: _Stream) -> Iterator[Any]:
    number = 0
    while line := stream.readline(MAX_ITEM + 1):
        number += 1
        if len(line) > MAX_ITEM:
            while line and not line.endswith(b"\n"):
                line = stream.readline(MAX_ITEM)
            yield BadLine(number, f"longer than {MAX_ITEM:,} bytes")
        elif line.strip():
            yield from _line(number, line)


def _line(number: int, line: bytes) -> Iterator[Any]:
    try:
        value, _ = load_lenient(line.decode("utf-8-sig"))
    except (JsonFault, UnicodeDecodeError) as fault:
        yield BadLine(number, shorten(str(fault), 200))
        return
    page = value.get("items") if isinstance(value, dict) and "id" not in value else None
    if isinstance(page, list):
        yield from page
    else:
        yield value
