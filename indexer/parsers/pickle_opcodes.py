"""Arguments of pickle opcodes, read within bounds: (data, position) to (value, next position).

Format: CPython's ``Lib/pickletools.py`` describes every opcode; where it and ``Modules/_pickle.c`` differ,
the C code is followed, because it is what loads files. No argument is believed before the bytes are there.
"""

import re
from typing import Final

from indexer.errors import BadFileError
from indexer.parsers.pickle_findings import unreadable
from indexer.parsers.pickle_values import Opaque, Value

__all__ = [
    "MAX_MEMO",
    "ShortError",
    "counted",
    "fixed",
    "line",
    "memo_index",
    "number",
    "quoted",
    "text",
    "whole",
]

MAX_MEMO: Final = 1_000_000
_MAX_DIGITS = 4300  # the interpreter's own limit
_LONGEST_TEXT = 4096
_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|\n|.)", re.DOTALL)
_LETTERS = {
    b"n": b"\n",
    b"t": b"\t",
    b"r": b"\r",
    b"b": b"\b",
    b"f": b"\f",
    b"a": b"\a",
    b"v": b"\v",
    b"\n": b"",
}


class ShortError(BadFileError):
    """The bytes end before the instruction does; ``end`` is where it would end, counted as ``data`` is."""

    def __init__(self, reason: str, end: int) -> None:
        error = unreadable(reason)
        super().__init__(error.code, error.detail)
        self.end = end


def fixed(data: bytes, position: int, size: int) -> tuple[int, int]:
    """An unsigned little-endian number of ``size`` bytes."""
    end = position + size
    if end > len(data):
        raise ShortError("truncated", end)
    return int.from_bytes(data[position:end], "little"), end


def counted(data: bytes, position: int, size: int) -> tuple[int, int]:
    """Where the bytes begin and end whose count stands in ``size`` bytes at ``position``."""
    count, begin = fixed(data, position, size)
    end = begin + count
    if end > len(data):
        raise ShortError("length", end)
    return begin, end


def text(data: bytes, begin: int, end: int) -> Value:
    """UTF-8 text; past 4,096 bytes only a symbol, since no name is that long."""
    if end - begin > _LONGEST_TEXT:
        return Opaque("long text")
    try:
        return data[begin:end].decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise unreadable("text") from error


def line(data: bytes, position: int) -> tuple[bytes, int]:
    """Bytes up to the next line feed, which is skipped."""
    end = data.find(b"\n", position)
    if end < 0:
        raise ShortError("truncated", len(data) + 1)
    return data[position:end], end + 1


def whole(digits: bytes) -> int:
    """A whole number as INT and LONG spell it."""
    if len(digits) > _MAX_DIGITS:
        raise unreadable("number", f"{len(digits):,} digits")
    try:
        return int(digits, 0) if digits[:2].lower() in (b"0x", b"0o", b"0b") else int(digits)
    except ValueError as error:
        raise unreadable("number") from error


def number(digits: bytes) -> float:
    """A float as FLOAT spells it."""
    if len(digits) > _MAX_DIGITS:
        raise unreadable("number", f"{len(digits):,} digits")
    try:
        return float(digits)
    except ValueError as error:
        raise unreadable("number") from error


def memo_index(index: int) -> int:
    """A memo index to store under: the C reader grows an array up to it, so huge ones are an attack."""
    if not 0 <= index <= MAX_MEMO:
        raise unreadable("length", f"memo index {index:,}")
    return index


def quoted(raw: bytes) -> Value:
    """The text that STRING spells as a Python literal."""
    if len(raw) < 2 or raw[0] != raw[-1] or raw[0] not in b"'\"":
        raise unreadable("text", "a STRING without its quotes")
    body = raw[1:-1]
    if len(body) > _LONGEST_TEXT:
        return Opaque("long text")
    body = _ESCAPE.sub(_unescape, body) if b"\\" in body else body
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body


def _unescape(match: re.Match[bytes]) -> bytes:
    code = match[1]
    if code[:1] == b"x" and len(code) == 3:
        return bytes([int(code[1:], 16)])
    if code.isdigit() and code[0] < ord("8"):
        return bytes([int(code, 8) & 0xFF])
    return _LETTERS.get(code, code if code in (b"\\", b"'", b'"') else b"\\" + code)
