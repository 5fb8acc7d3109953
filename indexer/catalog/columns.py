"""Column types that take any text a stranger wrote, on both databases.

PostgreSQL refuses NUL in text and SQLite's driver refuses lone surrogates; either would abort a whole batch.
Both become U+FFFD here; the bytes themselves stay in the file they came from.
"""

import json
import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, Text
from sqlalchemy.types import TypeDecorator

__all__ = ["CleanJSON", "CleanText", "JSONText", "UTCDateTime", "clean", "clean_json"]

_REFUSED = re.compile("[\x00\ud800-\udfff]")


def clean(value: Any) -> Any:
    """A copy of plain JSON data that both databases store: NUL and surrogates replaced, NaN made null."""
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, dict):
        return {_clean_text(str(key)): clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value


def _clean_text(text: str) -> str:
    if text.isascii() and "\x00" not in text:
        return text
    return _REFUSED.sub("\ufffd", text)


def clean_json(value: Any, *, sort_keys: bool = False) -> str:
    """Plain data as JSON text that both databases store; equal to dumping ``clean(value)``, mostly faster."""
    try:
        text = _dumped(value, sort_keys)
    except ValueError:  # NaN or infinity
        return _dumped(clean(value), sort_keys)
    if "\\u0000" in text or not (text.isascii() or _encodable(text)):
        return _dumped(clean(value), sort_keys)
    return text


def _dumped(value: Any, sort_keys: bool) -> str:
    return json.dumps(
        value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, sort_keys=sort_keys, default=str
    )


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class JSONText(str):
    """What ``clean_json`` answers, to be stored as it is in a ``CleanJSON`` column."""

    __slots__ = ()


class CleanText(TypeDecorator[str]):
    """TEXT that accepts every Python string."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else _clean_text(value)


class CleanJSON(TypeDecorator[Any]):
    """JSON kept as text, so that both databases give back the same value, keys in order."""

    impl = Text
    cache_ok = True
    coerce_to_is_types = (type(None),)

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return str(value) if isinstance(value, JSONText) else None if value is None else clean_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


class UTCDateTime(TypeDecorator[datetime]):
    """A moment in UTC, with its zone on both databases (SQLite keeps none)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
