"""A person's decisions about files: set, withdrawn, remembered.

They hang on content, not on paths, so that a file that moves, is read again or judged by newer rules keeps
them. Nothing is deleted: a decision that was withdrawn or replaced stays as history.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from indexer.catalog.schema import Entry, File, Override, now
from indexer.catalog.upsert import pieces

__all__ = [
    "active_overrides",
    "copy_overrides",
    "overridden_entries",
    "override_history",
    "set_overrides",
    "withdraw_overrides",
]


def set_overrides(session: Session, file_ids: Collection[int], values: Mapping[str, str]) -> int:
    """Decide names (``kind``, ``architecture`` …) for files; answers how many decisions are new.

    What was decided before under the same name is withdrawn at the same moment; deciding the same again
    changes nothing.
    """
    known = active_overrides(session, file_ids)
    fresh = [
        (file_id, name, value)
        for file_id in sorted(file_ids)
        for name, value in values.items()
        if known.get(file_id, {}).get(name) != value
    ]
    stamp = now()
    for name in values:
        _withdraw(session, {file_id for file_id, changed, _ in fresh if changed == name}, {name}, stamp)
    session.add_all(Override(file_id=f, name=name, value=value, at=stamp) for f, name, value in fresh)
    session.flush()
    return len(fresh)


def withdraw_overrides(
    session: Session, file_ids: Collection[int], names: Collection[str] | None = None
) -> int:
    """Take decisions back, all of them when ``names`` is None; answers how many stood."""
    return _withdraw(session, file_ids, names, now())


def _withdraw(
    session: Session, file_ids: Iterable[int], names: Collection[str] | None, stamp: datetime
) -> int:
    ids: list[int] = []
    for piece in pieces(file_ids):
        statement = select(Override.id).where(Override.file_id.in_(piece), Override.withdrawn_at.is_(None))
        ids += session.scalars(statement if names is None else statement.where(Override.name.in_(names)))
    for piece in pieces(ids):
        session.execute(update(Override).where(Override.id.in_(piece)).values(withdrawn_at=stamp))
    return len(ids)


def active_overrides(session: Session, file_ids: Iterable[int]) -> dict[int, dict[str, str]]:
    """What is decided now, by file id and name."""
    found: dict[int, dict[str, str]] = {}
    for piece in pieces(file_ids):
        rows = session.execute(
            select(Override.file_id, Override.name, Override.value)
            .where(Override.file_id.in_(piece), Override.withdrawn_at.is_(None))
            .order_by(Override.at, Override.id)
        )
        for file_id, name, value in rows:
            found.setdefault(file_id, {})[name] = value
    return found


def override_history(session: Session, entry_ids: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
    """Every decision about the files of entries, by entry id, oldest first, as plain JSON data.

    ``withdrawn_at`` is None while a decision stands; ``file`` is the file's id.
    """
    found: dict[int, list[dict[str, Any]]] = {}
    for piece in pieces(entry_ids):
        rows = session.execute(
            select(File.version_id, Override)
            .join(File, File.id == Override.file_id)
            .where(File.version_id.in_(piece))
            .order_by(Override.at, Override.id)
        )
        for entry_id, row in rows:
            found.setdefault(entry_id, []).append(_told(row))
    return found


def _told(row: Override) -> dict[str, Any]:
    return {
        "file": row.file_id,
        "name": row.name,
        "value": row.value,
        "at": row.at.isoformat(),
        "withdrawn_at": row.withdrawn_at.isoformat() if row.withdrawn_at else None,
    }


def overridden_entries(session: Session, after: int = 0, limit: int = 500) -> list[int]:
    """The next version ids above ``after`` that have a file somebody decided about."""
    decided = select(Override.file_id).where(Override.withdrawn_at.is_(None))
    return list(
        session.scalars(
            select(File.version_id)
            .join(Entry, Entry.version_id == File.version_id)
            .where(File.id.in_(decided), File.version_id > after, Entry.document.is_not(None))
            .distinct()
            .order_by(File.version_id)
            .limit(limit)
        )
    )


def copy_overrides(session: Session, source: int, target: int) -> None:
    """Give the standing decisions about one file to another that was taken for the same until now."""
    values = active_overrides(session, [source]).get(source, {})
    set_overrides(session, [target], values)
