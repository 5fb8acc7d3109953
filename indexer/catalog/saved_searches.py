"""Searches under a name."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from indexer.catalog.personal_schema import SavedSearch
from indexer.catalog.upsert import upsert

__all__ = ["Saved", "forget_search", "keep_search", "kept_searches", "rename_search"]


@dataclass(frozen=True, slots=True)
class Saved:
    """A search: its query, order and the architecture that is used, as ``pinakes search`` takes them."""

    name: str
    query: str
    sort: str
    base: str | None
    made_at: datetime


def keep_search(session: Session, saved: Saved) -> None:
    """Store a search, in place of one of the same name."""
    row = {name: getattr(saved, name) for name in ("name", "query", "sort", "base", "made_at")}
    upsert(session, SavedSearch, [row], ["name"])


def kept_searches(session: Session) -> list[Saved]:
    """All of them by name."""
    rows = session.scalars(select(SavedSearch).order_by(SavedSearch.name))
    return [Saved(row.name, row.query, row.sort, row.base, row.made_at) for row in rows]


def forget_search(session: Session, name: str) -> bool:
    """Remove a search; answers whether there was one."""
    known = session.scalar(select(SavedSearch.id).where(SavedSearch.name == name))
    session.execute(delete(SavedSearch).where(SavedSearch.name == name))
    return known is not None


def rename_search(session: Session, name: str, to: str) -> None:
    """Give a search another name, which no other one has."""
    session.execute(update(SavedSearch).where(SavedSearch.name == name).values(name=to))
