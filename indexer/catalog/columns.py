"""Column types that take any text a stranger wrote, on both databases.

PostgreSQL refuses NUL in text and SQLite's driver refuses lone surrogates; either would abort a whole batch.
Both become U+FFFD here; the bytes themselves stay in the file they came from.
"""

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, Text
from sqlalchemy.types import TypeDecorator

__all__ = ["CleanJSON", "CleanText", "UTCDateTime", "clean"]


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
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    return text.encode("utf-8", "replace").decode() if not text.isascii() and _has_surrogate(text) else text


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= c <= "\udfff" for c in text)


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
        return None if value is None else json.dumps(clean(value), ensure_ascii=False, separators=(",", ":"))

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
