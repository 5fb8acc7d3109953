"""Do pictures have what they should: a thumbnail that is there, and vectors that are whole?"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from indexer.catalog.changes import count_up
from indexer.catalog.schema import Preview, Vector, VectorSpace
from indexer.catalog.upsert import pieces

__all__ = [
    "count_thumbnails",
    "damaged_vectors",
    "drop_damaged_vectors",
    "make_again",
    "thumbnails",
    "unused_spaces",
]

_PAGE = 5_000

Named = tuple[NDArray[np.int64], list[str], list[str | None]]
"""Ids of pictures, names of their thumbnails, and of their fetched files."""


def count_thumbnails(session: Session) -> int:
    """How many pictures say that they have one."""
    return session.scalar(select(func.count()).select_from(Preview).where(*_shown())) or 0


def _shown() -> tuple[Any, ...]:
    return Preview.status == "ok", Preview.thumbnail.is_not(None)


def thumbnails(session: Session) -> Iterator[Named]:
    """Pictures with a thumbnail, by id, a bounded number at a time."""
    last = 0
    while True:
        rows = session.execute(
            select(Preview.id, Preview.thumbnail, Preview.original)
            .where(*_shown(), Preview.id > last)
            .order_by(Preview.id)
            .limit(_PAGE)
        ).all()
        if not rows:
            return
        last = rows[-1][0]
        yield (
            np.array([row[0] for row in rows], np.int64),
            [row[1] or "" for row in rows],
            [row[2] for row in rows],
        )


def make_again(session: Session, ids: Sequence[int], unfetched: Collection[int]) -> None:
    """Let the next run make these pictures' thumbnails again; those ``unfetched`` are to be fetched first."""
    for piece in pieces(ids):
        session.execute(update(Preview).where(Preview.id.in_(piece)).values(status="new", thumbnail=None))
    for piece in pieces(unfetched):
        session.execute(update(Preview).where(Preview.id.in_(piece)).values(original=None))
    if ids:
        count_up(session, "vectors")


def damaged_vectors(session: Session) -> int:
    """How many vectors are not as long as their space says."""
    counted = select(func.count()).select_from(Vector).join(VectorSpace, VectorSpace.id == Vector.space_id)
    return session.scalar(counted.where(_odd())) or 0


def _odd() -> Any:
    return func.length(Vector.data) != 2 * VectorSpace.dimension


def drop_damaged_vectors(session: Session) -> None:
    """Forget them, so that they are made again."""
    for space, dimension in session.execute(select(VectorSpace.id, VectorSpace.dimension)).all():
        session.execute(
            delete(Vector).where(Vector.space_id == space, func.length(Vector.data) != 2 * dimension)
        )
    count_up(session, "vectors")


def unused_spaces(session: Session, keys: Collection[str]) -> dict[str, int]:
    """Kinds of vectors that no encoder in use makes (all but ``keys``), and how many there are of each."""
    rows = session.execute(
        select(VectorSpace.key, func.count(Vector.preview_id))
        .join(Vector, Vector.space_id == VectorSpace.id)
        .where(VectorSpace.key.not_in(keys))
        .group_by(VectorSpace.key)
    )
    return {key: count for key, count in rows}  # noqa: C416 - rows are no pairs to the type checker
