"""Counting changes, and remembering how far each index has read them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from indexer.catalog.schema import Counter, Watermark
from indexer.catalog.upsert import upsert

__all__ = ["count_up", "last_number", "read_watermark", "take_turn", "write_watermark"]


def count_up(session: Session, name: str, count: int = 1) -> int:
    """Reserve ``count`` numbers of a counter (``change``, ``vectors``); answers the last.

    The row's lock makes writers take turns.
    """
    upsert(session, Counter, [{"name": name, "value": 0}], ["name"], update=False)
    session.execute(update(Counter).where(Counter.name == name).values(value=Counter.value + count))
    return session.scalars(select(Counter.value).where(Counter.name == name)).one()


def take_turn(session: Session, name: str) -> None:
    """Wait until no other transaction counts up, and make others wait: what is read from here on cannot be
    changed before this transaction's end. SQLite lets one transaction write at a time anyway."""
    session.execute(select(Counter.value).where(Counter.name == name).with_for_update())


def last_number(session: Session, name: str) -> int:
    """The last number given out; 0 before the first."""
    return session.scalar(select(Counter.value).where(Counter.name == name)) or 0


def read_watermark(session: Session, name: str) -> tuple[int, dict[str, Any]]:
    """How far an index has read, and what it noted about itself."""
    row = session.get(Watermark, name)
    return (0, {}) if row is None else (row.seq, row.detail or {})


def write_watermark(session: Session, name: str, seq: int, detail: Mapping[str, Any]) -> None:
    """Note how far an index has read."""
    upsert(session, Watermark, [{"name": name, "seq": seq, "detail": dict(detail)}], ["name"])
