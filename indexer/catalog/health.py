"""Is the catalog whole? Its tables, references and books are looked over, and mended where that can be done
from the catalog itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, delete, exists, func, select, text, update
from sqlalchemy.orm import Session

from indexer.catalog.changes import last_number, write_watermark
from indexer.catalog.database import Catalog, translated
from indexer.catalog.hub_schema import Schedule
from indexer.catalog.migrating import revisions
from indexer.catalog.schema import (
    Base,
    Counter,
    Entry,
    Location,
    Quarantine,
    Root,
    Vector,
    Version,
    Watermark,
)
from indexer.catalog.table_base import now
from indexer.catalog.upsert import upsert
from indexer.errors import CatalogError

__all__ = [
    "BrokenReference",
    "behind_counters",
    "broken_references",
    "clear_leases",
    "count_quarantined",
    "count_shown",
    "forgotten_places",
    "integrity_faults",
    "make_indexes_anew",
    "mend_counters",
    "mend_references",
    "read_forgotten_again",
    "roots_told",
    "stale_leases",
    "table_revisions",
    "versions_without_entry",
]

_SHOWN = 5
_DAMAGED = "catalog_corrupt"


def table_revisions(catalog: Catalog) -> tuple[str | None, str | None, bool]:
    """The revision of the tables, the newest one, and whether the first is known. Raises ``CatalogError``."""
    with translated(catalog.engine):
        return revisions(catalog.engine)


def integrity_faults(catalog: Catalog) -> list[str]:
    """What is wrong with the database's own pages, as it says itself. On PostgreSQL every table is touched:
    the server answers for its pages (https://www.sqlite.org/pragma.html#pragma_quick_check)."""
    if not catalog.is_sqlite:
        with catalog.read() as session:
            for table in Base.metadata.sorted_tables:
                session.execute(select(table).limit(1)).first()
        return []
    try:
        with catalog.read() as session:
            told = session.execute(text(f"PRAGMA quick_check({_SHOWN})")).scalars().all()
    except CatalogError as error:
        if error.code != _DAMAGED:
            raise
        return [error.detail]
    return [line for line in map(str, told) if line != "ok"]


def make_indexes_anew(catalog: Catalog) -> None:
    """Let SQLite make its own indexes from the tables: mends those, not damaged rows. Raises
    ``CatalogError``."""
    if catalog.is_sqlite:
        with translated(catalog.engine), catalog.engine.connect() as connection:
            connection.exec_driver_sql("REINDEX")
            connection.commit()


@dataclass(frozen=True, slots=True)
class BrokenReference:
    """``rows`` rows of ``table`` whose ``column`` names a row of ``target`` that is not there."""

    table: str
    column: str
    target: str
    rows: int


def broken_references(session: Session, seen: Callable[[], None] = lambda: None) -> list[BrokenReference]:
    """All references that lead nowhere; ``seen`` is called after each sort that was looked at."""
    found = []
    for table, column, target, dangling, _ in _references():
        count = session.scalar(select(func.count()).select_from(table).where(dangling)) or 0
        if count:
            found.append(BrokenReference(table.name, column.name, target, count))
        seen()
    return found


def _references() -> Iterator[tuple[Table, Any, str, Any, str | None]]:
    """Table, column, table referred to, condition of a dangling row, and what happens when the row goes."""
    for table in Base.metadata.sorted_tables:
        for key in sorted(table.foreign_keys, key=lambda key: key.parent.name):
            target = key.column.table.alias()
            there = exists().where(target.c[key.column.name] == key.parent).correlate(table)
            dangling = key.parent.is_not(None) & ~there
            yield table, key.parent, key.column.table.name, dangling, key.ondelete


def mend_references(session: Session) -> int:
    """Do to dangling rows what the tables say of a deleted row: empty the reference, or delete the row too.

    Answers how many rows; entries are made anew at the next publishing.
    """
    done = 0
    for table, column, _, dangling, action in _references():
        statement = (
            update(table).where(dangling).values({column.name: None})
            if action == "SET NULL"
            else delete(table).where(dangling)
        )
        done += int(getattr(session.execute(statement), "rowcount", 0))
    if done:
        write_watermark(session, "documents", 0, {})
    return done


def versions_without_entry(session: Session) -> list[int]:
    """Versions of which search was never told."""
    statement = select(Version.id).where(~exists().where(Entry.version_id == Version.id))
    return list(session.scalars(statement.order_by(Version.id)))


def count_shown(session: Session) -> int:
    """How many entries there are to be found."""
    return session.scalar(select(func.count()).select_from(Entry).where(Entry.document.is_not(None))) or 0


def behind_counters(session: Session) -> dict[str, int]:
    """Counters that stand below numbers that were given out: name -> the highest of those. Changes counted
    from them would never be noticed."""
    highest = {
        "change": session.scalar(select(func.max(Entry.seq))) or 0,
        "vectors": session.scalar(select(func.max(Vector.seq))) or 0,
    }
    for mark, counter in (("text", "change"), ("vectors", "vectors")):
        read = session.scalar(select(Watermark.seq).where(Watermark.name == mark)) or 0
        highest[counter] = max(highest[counter], read)
    return {name: value for name, value in highest.items() if value > last_number(session, name)}


def mend_counters(session: Session) -> None:
    """Set counters that are behind to the highest number that was given out."""
    rows = [{"name": name, "value": value} for name, value in behind_counters(session).items()]
    upsert(session, Counter, rows, ["name"])


def forgotten_places(session: Session) -> int:
    """How many files lie somewhere, are not quarantined, and yet nothing is known of their content."""
    return session.scalar(_forgotten(select(func.count()).select_from(Location))) or 0


def read_forgotten_again(session: Session) -> None:
    """Let the next run over the folders read them as if they were new."""
    ids = _forgotten(select(Location.id))
    session.execute(update(Location).where(Location.id.in_(ids)).values(parser=0))


def _forgotten(statement: Any) -> Any:
    return statement.where(
        Location.file_id.is_(None),
        Location.missing_since.is_(None),
        Location.parser != 0,
        ~exists().where(Quarantine.location_id == Location.id),
    )


def stale_leases(session: Session) -> list[str]:
    """Names of schedules whose runner died while it held them."""
    dead = select(Schedule.name).where(Schedule.lease.is_not(None), Schedule.lease_until < now())
    return list(session.scalars(dead.order_by(Schedule.name)))


def clear_leases(session: Session) -> None:
    """Free what dead runners held."""
    dead = Schedule.lease.is_not(None) & (Schedule.lease_until < now())
    session.execute(update(Schedule).where(dead).values(lease=None, lease_until=None))


def roots_told(session: Session) -> list[str]:
    """Paths of all folders that are indexed."""
    return list(session.scalars(select(Root.path).order_by(Root.path)))


def count_quarantined(session: Session) -> dict[str, int]:
    """Files that could not be read, by reason, the most frequent first."""
    rows = session.execute(
        select(Quarantine.code, func.count()).group_by(Quarantine.code).order_by(func.count().desc())
    )
    return {code: count for code, count in rows}  # noqa: C416 - rows are no pairs to the type checker
