"""Norms of popularity: what entries of this catalog get by root architecture and age, from an even sample.

Kept beside the watermarks of the indexes: like them they follow from the catalog and can be made again.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from indexer.catalog import changes
from indexer.catalog.entries import count_entries
from indexer.catalog.schema import Entry, Watermark
from indexer.catalog.upsert import pieces
from indexer.domain.cards import code, day_number
from indexer.domain.norms import Norms, norms_of
from indexer.domain.popularity import believed_attention
from indexer.domain.vocabulary import read_table

__all__ = ["norms_number", "read_norms", "refresh_norms"]

_NAME = "norms"
_CHANGED = 0.05
"""So large a share of the entries must change before norms are made anew: percentiles move by less."""

_DAYS = 30
"""Norms older than that are made anew, since entries have come of age."""


def refresh_norms(session: Session, today: date) -> bool:
    """Make the norms anew where the catalog has changed enough or they are old; answers whether it did."""
    last, kept = changes.read_watermark(session, _NAME)
    total = count_entries(session)
    days = (today - date(1970, 1, 1)).days
    due = not kept or days - int(kept["day"]) >= _DAYS or count_entries(session, last) > _CHANGED * total
    if not due or not total:
        return False
    norms = norms_of(_sampled(session, days))
    last = changes.last_number(session, "change")
    changes.write_watermark(session, _NAME, last, {"day": days, "cells": norms.to_json()})
    return True


def norms_number(session: Session) -> int:
    """Another number when the norms were made anew; 0 while there are none. One small read."""
    return session.scalar(select(Watermark.seq).where(Watermark.name == _NAME)) or 0


def read_norms(session: Session) -> Norms:
    """The norms, empty while there are none."""
    return Norms.from_json(changes.read_watermark(session, _NAME)[1].get("cells", {}))


def _sampled(session: Session, days: int) -> Iterator[tuple[int, int, float]]:
    """Root's code, age in days and attention of entries whose downloads are counted, evenly over the ids."""
    largest = session.scalar(select(func.max(Entry.version_id))) or 0
    wanted = int(read_table("popularity.toml")["cells"]["sampled"]["value"])
    for piece in pieces(range(1, largest + 1, max(1, largest // wanted)), 500):
        rows = select(Entry.document).where(Entry.version_id.in_(piece), Entry.document.is_not(None))
        for document in session.scalars(rows):
            if document and document.get("downloads") is not None:
                yield _measured(document, days)


def _measured(document: dict[str, Any], days: int) -> tuple[int, int, float]:
    path, day = document.get("architecture_path"), day_number(document.get("created"))
    return code(path[0] if path else None), max(0, days - day) if day else -1, believed_attention(document)
