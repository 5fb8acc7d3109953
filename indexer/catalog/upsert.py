"""Insert-or-update of many rows at once, on both databases; and large IN lists in bounded pieces."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from indexer.catalog.schema import Base

__all__ = ["pieces", "upsert", "values_by_key"]

T = TypeVar("T")


def pieces(items: Iterable[T], size: int = 1_000) -> Iterator[list[T]]:
    """Cut an iterable into lists of at most ``size``."""
    iterator = iter(items)
    while piece := list(islice(iterator, size)):
        yield piece


def upsert(
    session: Session,
    table: type[Base],
    rows: Sequence[Mapping[str, Any]],
    keys: Sequence[str],
    *,
    update: bool | Sequence[str] = True,
    where: Any = None,
) -> None:
    """Insert rows; where ``keys`` are there already, overwrite the other columns given (or leave them).

    All rows must have the same columns; a key may stand in ``rows`` once. ``update`` may name the columns to
    overwrite; ``where`` is the condition of a partial unique index.
    """
    if not rows:
        return
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(table.__table__)  # type: ignore[arg-type]
    others = [name for name in rows[0] if name not in keys and (update is True or name in (update or ()))]
    if others:
        changes = {name: statement.excluded[name] for name in others}
        statement = statement.on_conflict_do_update(
            index_elements=list(keys), index_where=where, set_=changes
        )
    else:
        statement = statement.on_conflict_do_nothing(index_elements=list(keys), index_where=where)
    # One statement for all rows: compiling a VALUES list of hundreds of rows costs more than running it.
    session.connection().execute(statement, list(rows))


def values_by_key(session: Session, key: Any, value: Any, keys: Iterable[Any]) -> dict[Any, Any]:
    """``value`` of the rows whose ``key`` (two columns of one table) is among ``keys``, by key."""
    found: dict[Any, Any] = {}
    for piece in pieces(keys):
        found.update((k, v) for k, v in session.execute(select(key, value).where(key.in_(piece))))
    return found
