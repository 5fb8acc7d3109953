"""JSON from strangers: a strict reader for model headers, a lenient one for sidecars and metadata strings.

The standard library's parser accepts NaN, lets the last of two equal keys win, stops at 4,300 digits with a
bare ``ValueError`` and recurses as deep as the text asks it to. Both readers here count brackets first
(RFC 8259 section 9 allows an implementation to set such limits) and decide each of those cases themselves.
"""

import json
import math
import re
import reprlib
from collections.abc import Callable
from itertools import accumulate
from typing import Any

from indexer.domain.header import HeaderWarning

__all__ = [
    "MAX_DEPTH",
    "MAX_DIGITS",
    "JsonFault",
    "decode_text",
    "has_surrogate",
    "is_too_deep",
    "load_lenient",
    "load_strict",
    "replace_surrogates",
    "shorten",
]

MAX_DEPTH = 64
MAX_DIGITS = 20  # the digits of 2**64 - 1; anything longer is no size, no offset and no id

_INT64 = range(-(2**63), 2**63)
_STEPS = [{91: 1, 123: 1, 93: -1, 125: -1}.get(byte, 0) for byte in range(256)]
_NEITHER_QUOTE_NOR_BRACKET = bytes(set(range(256)) - set(b'"[]{}'))
_SURROGATE = re.compile("[\ud800-\udfff]")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_ODD_INTEGER = re.compile(r"[0-9]{20}|-[0-9]{19}|-0")
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


class JsonFault(ValueError):
    """The text cannot be read. ``code``: ``json``, ``json_depth``, ``number_range`` or ``duplicate_key``."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def shorten(value: object, limit: int = 80) -> str:
    """A stranger's value for use in a message: ASCII only, quoted, at most about ``limit`` characters."""
    text = value[: limit + 1] if isinstance(value, str) else reprlib.repr(value)[: limit + 1]
    cut = "..." if len(text) > limit else ""
    return ascii(text[:limit]) + cut


def is_too_deep(text: str, limit: int = MAX_DEPTH) -> bool:
    """True where brackets outside strings nest deeper than ``limit``; found without recursion."""
    if text.count("[") + text.count("{") <= limit:
        return False
    # Without escaped quotes a string ends at the next quote, and all but quotes and brackets can go.
    data = text.encode(errors="replace").replace(b"\\\\", b"").replace(b'\\"', b"")
    marks = data.translate(None, _NEITHER_QUOTE_NOR_BRACKET).replace(b'""', b"")
    brackets = b"".join(marks.split(b'"')[::2])
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > limit


def has_surrogate(text: str) -> bool:
    """True where ``text`` holds half of a surrogate pair, which no UTF-8 store accepts."""
    return not text.isascii() and _SURROGATE.search(text) is not None


def replace_surrogates(text: str) -> str:
    """``text`` with each lone surrogate as U+FFFD."""
    return _SURROGATE.sub("\ufffd", text)


def decode_text(data: bytes) -> tuple[str, tuple[HeaderWarning, ...]]:
    """Text of a small file whatever its encoding; any but plain UTF-8 is told as an ``encoding`` warning."""
    name = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None) or _utf16_guess(data)
    try:
        text = data.decode(name or "utf-8")
    except UnicodeDecodeError:
        name, text = "latin-1", data.decode("latin-1")
    if name is None:
        return text, ()
    return text, (HeaderWarning("encoding", f"read as {name}; save the file as UTF-8 without a mark"),)


def _utf16_guess(data: bytes) -> str | None:
    """RFC 4627 section 3: JSON begins with two ASCII characters, so zeros among four bytes tell UTF-16."""
    zeros = bytes(byte == 0 for byte in data[:4])
    return {b"\0\1\0\1": "utf-16-le", b"\1\0\1\0": "utf-16-be"}.get(zeros)


def load_strict(text: str) -> Any:
    """Parse; every liberty that two readers could take differently is a ``JsonFault``.

    Raises JsonFault: ``json`` for wrong syntax and NaN, ``json_depth``, ``number_range`` for integers past
    64 bits and floats past 1e308, ``duplicate_key`` however the key is escaped.
    """
    integer = _strict_int if _ODD_INTEGER.search(text) else int
    return _load(text, _no_duplicates, integer, _strict_float, _strict_constant)


def load_lenient(text: str) -> tuple[Any, tuple[HeaderWarning, ...]]:
    """Parse what can be parsed, and tell the oddities.

    Of equal keys the last wins (``duplicate_key``); NaN and infinities become None, integers past 64 bits
    become their text (``number_range``); half a surrogate pair becomes U+FFFD (``surrogate``); NUL stays and
    is told (``nul``). Raises JsonFault ``json`` or ``json_depth``.
    """
    told: dict[str, HeaderWarning] = {}

    def warn(code: str, detail: str) -> None:
        told.setdefault(code, HeaderWarning(code, detail))

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) != len(items):
            warn("duplicate_key", f"key {shorten(_repeated(items))} stands twice; the last one was read")
        return found

    def integer(digits: str) -> int | str:
        if len(digits) <= MAX_DIGITS and int(digits) in _INT64:
            return int(digits)
        warn("number_range", f"integer {shorten(digits, 24)} does not fit 64 bits; kept as text")
        return digits[:64]

    def number(digits: str) -> float | None:
        value = float(digits)
        if math.isfinite(value):
            return value
        warn("number_range", f"number {shorten(digits, 24)} is too large; left out")
        return None

    def constant(name: str) -> None:
        warn("number_range", f"{name} is no JSON number; left out")

    value = _load(text, pairs, integer, number, constant)
    if "\\u0000" in text:
        warn("nul", "NUL character in a text")
    if _SURROGATE_ESCAPE.search(text) or has_surrogate(text):
        whole = _whole(value)
        if whole != value:
            warn("surrogate", "half of a surrogate pair in a text; read as U+FFFD")
        value = whole
    return value, tuple(told.values())


def _whole(value: Any) -> Any:
    """``value`` with every text free of lone surrogates."""
    if isinstance(value, str):
        return replace_surrogates(value)
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {replace_surrogates(key): _whole(item) for key, item in value.items()}
    return value


def _load(
    text: str,
    pairs: Callable[[list[tuple[str, Any]]], Any],
    integer: Callable[[str], Any],
    number: Callable[[str], Any],
    constant: Callable[[str], Any],
) -> Any:
    if is_too_deep(text):
        raise JsonFault("json_depth", f"brackets nest deeper than {MAX_DEPTH}")
    hooks: dict[str, Any] = {"parse_int": integer, "parse_float": number, "parse_constant": constant}
    try:
        return json.loads(text, object_pairs_hook=pairs, **hooks)
    except json.JSONDecodeError as error:
        raise JsonFault("json", f"not JSON: {error.msg} at character {error.pos}") from error


def _repeated(items: list[tuple[str, Any]]) -> str:
    seen: set[str] = set()
    return next(key for key, _ in items if key in seen or seen.add(key))  # type: ignore[func-returns-value]


def _no_duplicates(items: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(items)
    if len(found) != len(items):
        raise JsonFault("duplicate_key", f"key {shorten(_repeated(items))} stands twice in one object")
    return found


def _strict_int(digits: str) -> int | float:
    if len(digits) > MAX_DIGITS + 1 or not -(2**63) <= int(digits) < 2**64:
        raise JsonFault("number_range", f"integer {shorten(digits, 24)} does not fit 64 bits")
    # "-0" is a float to the reference reader (serde_json), so it is no size to us either.
    return -0.0 if digits == "-0" else int(digits)


def _strict_float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise JsonFault("number_range", f"number {shorten(digits, 24)} is past the range of a double")
    return value


def _strict_constant(name: str) -> None:
    raise JsonFault("json", f"{name} is not JSON")
