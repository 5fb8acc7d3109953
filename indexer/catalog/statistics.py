"""Numbers over time: a row is added only when something changed."""

from collections.abc import Collection, Mapping
from typing import Any, Literal

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from indexer.catalog.schema import Statistic
from indexer.catalog.table_base import now
from indexer.catalog.upsert import pieces

__all__ = ["NUMBERS", "Subject", "latest_numbers", "record_numbers"]

NUMBERS = (
    "downloads",
    "rating",
    "rating_count",
    "thumbs_up",
    "thumbs_down",
    "favourites",
    "comments",
    "tips",
)
Subject = Literal["version", "model"]
_COLUMNS = [getattr(Statistic, name) for name in NUMBERS]


def record_numbers(
    session: Session,
    subject: Subject,
    rows: Mapping[tuple[int, str], Mapping[str, Any]],
    *,
    fresh: Collection[int] = (),
) -> None:
    """Store the numbers of (id, source) pairs; those equal to the last ones are not stored again. ``fresh``
    ids are known to have none yet."""
    told = {key: {name: numbers.get(name) for name in NUMBERS} for key, numbers in rows.items()}
    told = {key: numbers for key, numbers in told.items() if any(v is not None for v in numbers.values())}
    last = latest_numbers(session, subject, {id_ for id_, _ in told if id_ not in fresh})
    stamp = now()
    changed = [
        {f"{subject}_id": id_, "source": source, "at": stamp, **numbers}
        for (id_, source), numbers in told.items()
        if last.get((id_, source)) != numbers
    ]
    if changed:
        session.connection().execute(insert(Statistic), changed)


def latest_numbers(
    session: Session, subject: Subject, ids: set[int]
) -> dict[tuple[int, str], dict[str, Any]]:
    """The last numbers of each (id, source)."""
    column = Statistic.version_id if subject == "version" else Statistic.model_id
    found: dict[tuple[int, str], dict[str, Any]] = {}
    for piece in pieces(sorted(ids)):
        newest = select(func.max(Statistic.id)).where(column.in_(piece)).group_by(column, Statistic.source)
        rows = session.execute(select(column, Statistic.source, *_COLUMNS).where(Statistic.id.in_(newest)))
        found.update(
            ((id_, source), dict(zip(NUMBERS, numbers, strict=True))) for id_, source, *numbers in rows
        )
    return found
