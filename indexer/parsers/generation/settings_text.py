"""The line of ``Key: value, Key: value`` that A1111 and its kin write, cut into pairs in linear time.

Values are plain up to the next comma, or quoted as JSON strings, or JSON objects and arrays, or in brackets.
A piece that no key begins belongs to the value before it.
"""

import json
import re
from typing import Any

from indexer.parsers.strict_json import MAX_DEPTH, is_too_deep

__all__ = ["split_settings"]

_KEY = re.compile(r"\s*([^\W\d_][^:,\"{}\[\]\n<>]{0,80}?|\d[\w ]{0,40}?):(?=\s|\"|\[|{|\d|$)[ \t]*")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKETS = re.compile(r"\([^()\n]{0,500}\)")
_MAX_TRIES = 64
_DECODER = json.JSONDecoder()


def split_settings(text: str) -> dict[str, Any]:
    """The pairs of a settings line; the first of equal keys stays. Never raises."""
    found: dict[str, Any] = {}
    tries = 0 if is_too_deep(text, MAX_DEPTH) else _MAX_TRIES
    place, last = 0, ""
    more: dict[str, list[str]] = {}
    while place < len(text):
        key = _KEY.match(text, place)
        start = key.end() if key else place
        value, end, tries = _value(text, start, tries) if key else (None, place, tries)
        comma = text.find(",", end)
        comma = len(text) if comma < 0 else comma
        rest = text[end:comma]
        if key:
            value = rest.strip() if value is None else value
            last = key.group(1).strip()
            found.setdefault(last, value)
        elif last:
            more.setdefault(last, []).append(rest)
        place = comma + 1
    return {key: _joined(value, more.get(key)) for key, value in found.items()}


def _joined(value: Any, more: list[str] | None) -> Any:
    return ",".join((value, *more)) if more and isinstance(value, str) else value


def _value(text: str, start: int, tries: int) -> tuple[Any, int, int]:
    """(value, where it ends, tries left) of a value with marks around it; (None, start, …) of a plain one."""
    mark = text[start : start + 1]
    if mark == '"' and (match := _STRING.match(text, start)):
        return _unquoted(match.group()), match.end(), tries
    if mark == "(" and (match := _BRACKETS.match(text, start)):
        return match.group(), match.end(), tries
    if mark in ("{", "[") and tries:
        try:
            value, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            return None, start, tries - 1
        return value, end, tries
    return None, start, tries


def _unquoted(text: str) -> str:
    try:
        value = json.loads(text, strict=False)
    except ValueError:
        return text[1:-1]
    return str(value)
