"""Entries that a newer Pinakes makes otherwise: a migration asks for them to be made anew, a run does it.

The row ``documents`` of ``watermark`` stands while that is wanted; it tells how far the work has come.
"""

from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from indexer.catalog.changes import write_watermark
from indexer.catalog.schema import Entry, Watermark

__all__ = ["count_to_renew", "entries_to_renew", "note_renewed"]

_WATERMARK = "documents"


def count_to_renew(session: Session) -> int:
    """How many entries wait; 0 where no migration asked for it."""
    after = session.scalar(select(Watermark.seq).where(Watermark.name == _WATERMARK))
    if after is None:
        return 0
    return session.scalar(select(func.count()).select_from(Entry).where(Entry.version_id > after)) or 0


def entries_to_renew(session: Session, limit: int) -> list[int]:
    """The next entries by id."""
    after = session.scalar(select(Watermark.seq).where(Watermark.name == _WATERMARK))
    wanted = select(Entry.version_id).where(Entry.version_id > (after or 0))
    return list(session.scalars(wanted.order_by(Entry.version_id).limit(limit)))


def note_renewed(session: Session, renewed: Sequence[int]) -> None:
    """These were made anew, the last ones by id; none: all are done."""
    if renewed:
        write_watermark(session, _WATERMARK, max(renewed), {})
    else:
        session.execute(delete(Watermark).where(Watermark.name == _WATERMARK))
