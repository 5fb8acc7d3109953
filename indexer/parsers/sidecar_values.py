"""Readers for the ``type`` column of ``sidecars.toml``: a JSON value to a claim's value.

A reader returns None where nothing is said, and raises ``ValueFaultError`` where something is said wrongly;
the other fields of the sidecar are not affected.
"""

import math
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

from indexer.domain.vocabulary import read_table
from indexer.parsers.fields import MAX_TEXT, MAX_WORDS, hex_digest, iso_date, split_words, unique_words
from indexer.parsers.strict_json import JsonFault, load_lenient, shorten

__all__ = ["READERS", "ValueFaultError", "table"]

_SHORT_TEXT: Final = 10_000
_MAX_LEVEL: Final = 63
_SAYS_NOTHING: Final = frozenset(("", "unknown", "none", "null"))


class ValueFaultError(ValueError):
    """``code`` is ``value_type`` or ``value_range``; ``so_far`` is what could be used of it, or None."""

    def __init__(self, code: str, detail: str, so_far: Any = None) -> None:
        super().__init__(detail)
        self.code = code
        self.so_far = so_far


@cache
def table() -> Mapping[str, Any]:
    """``sidecars.toml``, read once."""
    return MappingProxyType(read_table("sidecars.toml"))


def _wrong(value: Any, wanted: str) -> ValueFaultError:
    return ValueFaultError("value_type", f"{shorten(value)} is not {wanted}")


def _long_text(value: Any) -> str | None:
    if not isinstance(value, str):
        raise _wrong(value, "text")
    return value[:MAX_TEXT] if value.strip() else None


def _text(value: Any) -> str | None:
    text = (_long_text(value) or "").strip()
    if len(text) > _SHORT_TEXT:
        raise ValueFaultError(
            "value_range", f"longer than {_SHORT_TEXT:,} characters; cut", text[:_SHORT_TEXT]
        )
    return text or None


def _label(value: Any) -> str | None:
    text = _text(value)
    return None if text is None or text.lower() in _SAYS_NOTHING else text


def _words(value: Any) -> list[str] | None:
    """A comma-separated text, a list of texts, or a list of ``{"name": text}`` as older answers had it."""
    if isinstance(value, str):
        return split_words(value)[:MAX_WORDS] or None
    if not isinstance(value, list):
        raise _wrong(value, "a list of words")
    named = [item.get("name") if isinstance(item, dict) else item for item in value]
    found = unique_words(item for item in named if isinstance(item, str))[:MAX_WORDS] or None
    if odd := [item for item in named if not isinstance(item, str)]:
        raise ValueFaultError("value_type", f"{shorten(odd[0])} among the words is not text", found)
    return found


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _wrong(value, "a number")
    return float(value)


def _rating(value: Any) -> float | None:
    stars = _number(value)
    if not 0 <= stars <= 5:
        raise ValueFaultError("value_range", f"{shorten(value)} is no mean of 0 to 5 stars")
    return stars or None  # 0 is how the hub spells "not rated"


def _weight(value: Any) -> float | None:
    weight = _number(value)
    if not -10 <= weight <= 10:
        raise ValueFaultError("value_range", f"{shorten(value)} is no adapter weight")
    return weight or None  # 0 switches the preference off


def _count(value: Any) -> int:
    if type(value) is not int:
        raise _wrong(value, "a whole number")
    if value < 0:
        raise ValueFaultError("value_range", f"{shorten(value)} is negative")
    return value


def _id(value: Any) -> int | None:
    return _count(value) or None


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(value, "true or false")
    return value


def _nsfw(value: Any) -> int | None:
    """A bit mask; or the flag or the word that older answers had. False says nothing of the pictures."""
    if value is False:
        return None
    if type(value) is int:
        if not 0 <= value <= _MAX_LEVEL:
            raise ValueFaultError("value_range", f"{value} is no mask of levels")
        return value
    if not isinstance(value, str | bool):
        raise _wrong(value, "a level")
    word = str(value).strip().lower()
    if word.isascii() and word.isdigit() and len(word) < 3:
        raise ValueFaultError(
            "value_type", f"{shorten(value)} is text where a number belongs", _nsfw(int(word))
        )
    level: int | None = table()["nsfw"].get(word)
    if level is None or word == "why":
        raise _wrong(value, "a level")
    return level


def _kind(value: Any) -> str | None:
    return _kinds().get((_text(value) or "").lower().replace(" ", "").replace("_", ""))


@cache
def _kinds() -> Mapping[str, str]:
    rows = table()["kinds"].items()
    return {key.replace(" ", "").replace("_", ""): kind for key, kind in rows if key != "why"}


def _checked(read: Callable[[str], str]) -> Callable[[Any], str | None]:
    def reader(value: Any) -> str | None:
        text = _text(value)
        if text is None:
            return None
        try:
            return read(text)
        except ValueError as error:
            raise ValueFaultError("value_range", f"{shorten(text)}: {error}") from error

    return reader


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or len(text) > 2000:
        raise ValueError("not the address of a web page")
    return text


_sha256 = _checked(lambda text: hex_digest(text, 64))


def _file_hash(value: Any) -> str | None:
    """SHA-256 of the version's file; None where several could be meant and none is called primary."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise _wrong(value, "a list of files")
    hashes = [item["hashes"].get("SHA256") for item in value if isinstance(item.get("hashes"), dict)]
    primary = [
        item["hashes"].get("SHA256")
        for item in value
        if item.get("primary") is True and isinstance(item.get("hashes"), dict)
    ]
    known = {digest for digest in map(_sha256, filter(None, primary or hashes)) if digest}
    return known.pop() if len(known) == 1 else None


def _usage_tips(value: Any) -> float | None:
    """LoRA Manager keeps a JSON object in a text; its ``strength`` is the recommended weight."""
    text = _text(value)
    if text is None:
        return None
    try:
        tips = load_lenient(text)[0]
    except JsonFault as fault:
        raise ValueFaultError("value_type", f"{shorten(text)}: {fault.detail}") from fault
    if not isinstance(tips, dict):
        raise _wrong(text, "an object of tips")
    return None if tips.get("strength") is None else _weight(tips["strength"])


READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "text": _text,
    "long_text": _long_text,
    "label": _label,
    "words": _words,
    "rating": _rating,
    "weight": _weight,
    "count": _count,
    "id": _id,
    "flag": _flag,
    "nsfw": _nsfw,
    "kind": _kind,
    "date": _checked(iso_date),
    "url": _checked(_url),
    "sha256": _sha256,
    "file_hash": _file_hash,
    "usage_tips": _usage_tips,
}
