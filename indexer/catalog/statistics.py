"""Numbers over time: a row is added only when something changed."""

from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from indexer.catalog.schema import Statistic
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


def record_numbers(
    session: Session, subject: Subject, rows: Mapping[tuple[int, str], Mapping[str, Any]]
) -> None:
    """Store the numbers of (id, source) pairs; those equal to the last ones are not stored again."""
    told = {key: {name: numbers.get(name) for name in NUMBERS} for key, numbers in rows.items()}
    told = {key: numbers for key, numbers in told.items() if any(v is not None for v in numbers.values())}
    last = latest_numbers(session, subject, {id_ for id_, _ in told})
    session.add_all(
        Statistic(**{f"{subject}_id": id_}, source=source, **numbers)
        for (id_, source), numbers in told.items()
        if last.get((id_, source)) != numbers
    )
    session.flush()


def latest_numbers(
    session: Session, subject: Subject, ids: set[int]
) -> dict[tuple[int, str], dict[str, Any]]:
    """The last numbers of each (id, source)."""
    column = Statistic.version_id if subject == "version" else Statistic.model_id
    found: dict[tuple[int, str], dict[str, Any]] = {}
    for piece in pieces(sorted(ids)):
        newest = select(func.max(Statistic.id)).where(column.in_(piece)).group_by(column, Statistic.source)
        for row in session.scalars(select(Statistic).where(Statistic.id.in_(newest))):
            id_ = row.version_id if subject == "version" else row.model_id
            found[(id_ or 0, row.source)] = {name: getattr(row, name) for name in NUMBERS}
    return found
