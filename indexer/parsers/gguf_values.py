"""The key-values of a GGUF file as text: numbers and strings as they are, arrays as JSON, all within bounds.

Value types as told in ggml's ``docs/gguf.md``. Of an array the first 1,000 elements are kept, of a string the
first 1 MiB; a tokenizer's hundred thousands of strings are passed over unread.
"""

import codecs
import json
import math
import struct
from collections.abc import Mapping
from typing import Any, Final

from indexer.domain.header import HeaderWarning
from indexer.errors import BadFileError
from indexer.parsers.gguf_source import U32, U64, Source
from indexer.parsers.strict_json import shorten

__all__ = [
    "ALIGNMENT_KEY",
    "MAX_DEPTH",
    "MAX_ELEMENTS",
    "MAX_VALUE",
    "Told",
    "read_text",
    "read_values",
    "tell",
]

MAX_VALUE: Final = 1 << 20  # bytes kept of one string or of the strings of one array
MAX_ELEMENTS: Final = 1000  # elements kept of one array, those of arrays within it included
MAX_DEPTH: Final = 64
ALIGNMENT_KEY: Final = "general.alignment"

_MOST_TEXT = 32 << 20  # bytes kept of all values together
_MOST_KEYS = 16 << 20  # bytes of all keys together
_LONGEST_KEY = 65_535
_LARGEST_ALIGNMENT = 1 << 16
_UINT32, _FLOAT32, _BOOL, _STRING, _ARRAY = 4, 6, 7, 8, 9
_ARRAY_COST = 16  # an array within an array takes as long as so many strings
_ARRAY_HEAD = struct.Struct("<IQ")
_SCALARS: Final[Mapping[int, struct.Struct]] = {
    number: struct.Struct(f"<{letter}")
    for number, letter in zip((0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12), "BbHhIifBQqd", strict=True)
}

Told = dict[str, HeaderWarning]
"""Warnings by code, one each."""


def tell(told: Told, code: str, detail: str) -> None:
    """Note a warning, the first of each code."""
    told.setdefault(code, HeaderWarning(code, detail))


def read_text(raw: bytes, what: str, told: Told, *, whole: bool = True) -> str:
    """``raw`` as text; what is no UTF-8 becomes U+FFFD and is told. ``whole`` is false for a cut text."""
    try:
        text = raw.decode() if whole else codecs.utf_8_decode(raw, "strict", whole)[0]
    except UnicodeDecodeError:
        tell(told, "encoding", f"{what} {shorten(raw)} is not UTF-8; read with U+FFFD")
        text = codecs.utf_8_decode(raw, "replace", whole)[0]
    if "\0" in text:
        tell(told, "nul", f"NUL character in {what} {shorten(text)}")
    return text


def read_values(source: Source, count: int, told: Told) -> tuple[dict[str, str], int]:
    """``count`` key-values by key, and the alignment they state in bytes (32 where they state none).

    Raises BadFileError.
    """
    values: dict[str, str] = {}
    reader = _Reader(source, told)
    alignment = 32
    for _ in range(count):
        key = reader.key()
        if key in values:
            raise BadFileError("duplicate_key", f"key {shorten(key)} stands twice; save the file again")
        (kind,) = source.unpack(U32)
        values[key] = reader.value(key, kind)
        if key == ALIGNMENT_KEY:
            alignment = _alignment(kind, values[key])
    return values, alignment


def _alignment(kind: int, text: str) -> int:
    number = int(text) if kind == _UINT32 else 0
    if not 0 < number <= _LARGEST_ALIGNMENT or number & (number - 1):
        detail = (
            f"{ALIGNMENT_KEY} {shorten(text)} (type {kind}) is no 32-bit power of two; save the file again"
        )
        raise BadFileError("alignment", detail)
    return number


class _Reader:
    """Reads values; remembers what may still be kept of the value at hand and of all of them."""

    def __init__(self, source: Source, told: Told) -> None:
        self.source = source
        self.told = told
        self.key_bytes = _MOST_KEYS
        self.text_bytes = _MOST_TEXT
        self.room = 0
        self.elements = 0

    def key(self) -> str:
        (length,) = self.source.unpack(U64)
        self.key_bytes -= length
        if not 0 < length <= _LONGEST_KEY or self.key_bytes < 0:
            detail = f"a key of {length:,} bytes, 1 to {_LONGEST_KEY:,} are possible; download the file again"
            raise BadFileError("key", detail)
        return read_text(self.source.take(length), "key", self.told)

    def value(self, key: str, kind: int) -> str:
        self.room = min(MAX_VALUE, self.text_bytes)
        before, self.elements = self.room, MAX_ELEMENTS
        if kind == _STRING:
            text = self.string(key)
        elif kind == _ARRAY:
            text = json.dumps(self.array(key, 1), ensure_ascii=False)
        else:
            text = _written(self.scalars(key, kind, 1)[0])
        self.text_bytes -= before - self.room
        return text

    def string(self, key: str) -> str:
        (length,) = self.source.unpack(U64)
        self.source.claim(length)
        kept = min(length, self.room)
        if kept < length:
            detail = f"value of {shorten(key)} has {length:,} bytes; the first {kept:,} are kept"
            tell(self.told, "value_truncated", detail)
        raw = self.source.take(kept)
        self.source.skip(length - kept)
        self.room -= kept
        return read_text(raw, "value", self.told, whole=kept == length)

    def scalars(self, key: str, kind: int, count: int) -> list[Any]:
        """``count`` numbers or booleans; JSON's own, so that what is not finite is text."""
        form = _form(key, kind)
        values = struct.unpack(f"<{count}{form.format[1:]}", self.source.take(count * form.size))
        if kind == _BOOL:
            if max(values, default=0) > 1:
                tell(self.told, "bool", f"{shorten(key)} is neither true nor false; read as true")
            return [value != 0 for value in values]
        if kind == _FLOAT32:
            return [_shortest(value) for value in values]
        return [value if isinstance(value, int) or math.isfinite(value) else str(value) for value in values]

    def array(self, key: str, depth: int) -> list[Any]:
        """The elements kept of an array, the others passed over."""
        if depth > MAX_DEPTH:
            detail = f"arrays in {shorten(key)} nest deeper than {MAX_DEPTH}; treat the file as hostile"
            raise BadFileError("depth", detail)
        kind, count = self.source.unpack(_ARRAY_HEAD)
        kept = min(count, self.elements)
        self.elements -= kept
        if kept < count:
            detail = f"{shorten(key)} has {count:,} elements; the first {kept:,} are kept"
            tell(self.told, "array_truncated", detail)
        if kind == _STRING:
            self.source.claim(8 * count)
            strings = [self.string(key) for _ in range(kept)]
            self.source.skip_strings(count - kept)
            return strings
        if kind == _ARRAY:
            return self.arrays(key, count, kept, depth + 1)
        size = _form(key, kind).size
        self.source.claim(count * size)
        numbers = self.scalars(key, kind, kept)
        self.source.skip((count - kept) * size)
        return numbers

    def arrays(self, key: str, count: int, kept: int, depth: int) -> list[Any]:
        """The first ``kept`` of ``count`` arrays within an array."""
        self.source.claim(_ARRAY_HEAD.size * count)
        self.source.walk(_ARRAY_COST * count)
        inner = [self.array(key, depth) for _ in range(kept)]
        for _ in range(count - kept):
            self.array(key, depth)
        return inner


def _form(key: str, kind: int) -> struct.Struct:
    if kind not in _SCALARS:
        detail = f"{shorten(key)} has value type {kind}, which does not exist; damaged, or a newer format"
        raise BadFileError("kv_type", detail)
    return _SCALARS[kind]


def _shortest(value: float) -> float | str:
    """The number with the fewest digits that single precision stores as ``value``."""
    if not math.isfinite(value):
        return str(value)
    for digits in range(6, 9):
        short = float(f"{value:.{digits}g}")
        if abs(short) < 3.4e38 and struct.unpack("<f", struct.pack("<f", short))[0] == value:
            return short
    return float(f"{value:.9g}")


def _written(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)
