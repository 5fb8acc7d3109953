"""Vectors of previews: stored as float16, never two identities in one space."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from indexer.catalog.changes import count_up
from indexer.catalog.schema import Preview, Vector, VectorSpace
from indexer.catalog.upsert import pieces, upsert

__all__ = [
    "changed_since",
    "iterate_vectors",
    "members_in_spaces",
    "open_space",
    "previews_in_space",
    "previews_of_versions",
    "space_id",
    "store_vectors",
    "vectors_of",
    "versions_of_previews",
]


def open_space(session: Session, key: str, space: str, dimension: int, identity: Mapping[str, Any]) -> int:
    """The id of a vector space, made when new. ``key`` names its whole identity."""
    row = {"key": key, "space": space, "dimension": dimension, "identity": dict(identity)}
    upsert(session, VectorSpace, [row], ["key"], update=False)
    found = space_id(session, key)
    assert found is not None  # just made
    return found


def space_id(session: Session, key: str) -> int | None:
    """The id of a vector space by its key."""
    return session.scalar(select(VectorSpace.id).where(VectorSpace.key == key))


def store_vectors(
    session: Session, space: int, preview_ids: Sequence[int], vectors: NDArray[np.float32]
) -> None:
    """Store vectors (n, d), one a preview, replacing earlier ones; they get the next change number.

    Raises ``ValueError`` when a value is not finite: such a vector would poison every search.
    """
    if not np.isfinite(vectors).all():
        raise ValueError("a vector holds NaN or infinite values")
    if not len(preview_ids):
        return
    seq = count_up(session, "vectors")
    rows = [
        {"preview_id": id_, "space_id": space, "data": row.astype("<f2").tobytes(), "seq": seq}
        for id_, row in zip(preview_ids, vectors, strict=True)
    ]
    upsert(session, Vector, rows, ["preview_id", "space_id"])


def iterate_vectors(
    session: Session, space: int, batch: int = 5_000
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """All vectors of shown previews in a space, in batches of (ids (n,), vectors (n, d)), by id."""
    last = 0
    while True:
        rows = session.execute(
            select(Vector.preview_id, Vector.data)
            .join(Preview, Preview.id == Vector.preview_id)
            .where(Vector.space_id == space, Vector.preview_id > last, Preview.status == "ok")
            .order_by(Vector.preview_id)
            .limit(batch)
        ).all()
        if not rows:
            return
        last = rows[-1][0]
        yield _unpack([(id_, data) for id_, data in rows])


def vectors_of(
    session: Session, space: int, preview_ids: Sequence[int]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The vectors of some previews: ids (n,) and vectors (n, d); previews without one are left out."""
    rows: list[tuple[int, bytes]] = []
    for piece in pieces(preview_ids):
        found = session.execute(
            select(Vector.preview_id, Vector.data)
            .where(Vector.space_id == space, Vector.preview_id.in_(piece))
            .order_by(Vector.preview_id)
        )
        rows.extend((id_, data) for id_, data in found)
    return _unpack(rows)


def _unpack(rows: Sequence[tuple[int, bytes]]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    ids = np.array([id_ for id_, _ in rows], dtype=np.int64)
    if not rows:
        return ids, np.empty((0, 0), dtype=np.float32)
    data = np.frombuffer(b"".join(data for _, data in rows), dtype="<f2")
    return ids, data.reshape(len(rows), -1).astype(np.float32)


def previews_in_space(session: Session, space: int, preview_ids: Sequence[int]) -> set[int]:
    """Which of the previews have a vector in the space."""
    found: set[int] = set()
    for piece in pieces(preview_ids):
        found.update(
            session.scalars(
                select(Vector.preview_id).where(Vector.space_id == space, Vector.preview_id.in_(piece))
            )
        )
    return found


def members_in_spaces(session: Session, spaces: Sequence[int]) -> NDArray[np.int64]:
    """(n, 2): id and version of each shown preview that has a vector in every one of the spaces, by id."""
    statement = select(Preview.id, Preview.version_id).where(Preview.status == "ok").order_by(Preview.id)
    for space in spaces:
        statement = statement.where(Preview.id.in_(select(Vector.preview_id).where(Vector.space_id == space)))
    found = [tuple(row) for row in session.execute(statement)]
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def changed_since(session: Session, spaces: Sequence[int], seq: int) -> NDArray[np.int64]:
    """Ids, ascending, of previews of which a vector in one of the spaces was stored after change ``seq``."""
    statement = select(Vector.preview_id).where(Vector.space_id.in_(spaces), Vector.seq > seq)
    return np.unique(np.array(session.scalars(statement).all(), dtype=np.int64))


def versions_of_previews(session: Session, preview_ids: Sequence[int]) -> dict[int, int]:
    """Preview id to version id."""
    found: dict[int, int] = {}
    for piece in pieces(preview_ids):
        rows = session.execute(select(Preview.id, Preview.version_id).where(Preview.id.in_(piece)))
        found.update((id_, version_id) for id_, version_id in rows)
    return found


def previews_of_versions(session: Session, version_ids: Sequence[int]) -> dict[int, int]:
    """Shown preview id to version id, for the given versions."""
    found: dict[int, int] = {}
    for piece in pieces(version_ids):
        rows = session.execute(
            select(Preview.id, Preview.version_id).where(
                Preview.version_id.in_(piece), Preview.status == "ok"
            )
        )
        found.update((id_, version_id) for id_, version_id in rows)
    return found
