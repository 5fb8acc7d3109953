"""Roots and the places below them: what was seen where, and what is missing."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from indexer.catalog.schema import Location, Quarantine, Root, now
from indexer.catalog.upsert import pieces

__all__ = [
    "KnownPlace",
    "finish_walk",
    "known_places",
    "known_roots",
    "mark_missing",
    "mark_offline",
    "mark_present",
    "open_root",
    "place_path",
    "unseen_places",
]


@dataclass(frozen=True, slots=True)
class KnownPlace:
    """What the catalog remembers of a path: enough to tell whether anything changed."""

    id: int
    file_id: int | None
    size: int
    mtime_ns: int
    inode: str
    surroundings: str
    parser: int
    missing: bool
    retry: bool


def place_path(root: str, directory: bytes, name: bytes) -> bytes:
    """The absolute path of a place as bytes: names on disk need not be UTF-8."""
    return b"/".join(part for part in (os.fsencode(root), directory, name) if part)


def open_root(session: Session, path: str, layout: str) -> int:
    """The id of a root, made when new."""
    root = session.scalar(select(Root).where(Root.path == path))
    if root is None:
        root = Root(path=path, layout=layout)
        session.add(root)
    root.layout = layout
    session.flush()
    return root.id


def known_roots(session: Session) -> list[tuple[int, str]]:
    """Ids and paths of all roots, in the order they were added."""
    return [(id_, path) for id_, path in session.execute(select(Root.id, Root.path).order_by(Root.id))]


def known_places(session: Session, root_id: int, directory: bytes) -> dict[bytes, KnownPlace]:
    """The places of one folder, by name."""
    columns: tuple[Any, ...] = (
        Location.id,
        Location.file_id,
        Location.size,
        Location.mtime_ns,
        Location.inode,
        Location.surroundings,
        Location.parser,
        Location.missing_since.is_not(None),
        func.coalesce(Quarantine.retry, False),
    )
    rows = session.execute(
        select(Location.name, *columns)
        .outerjoin(Quarantine, Quarantine.location_id == Location.id)
        .where(Location.root_id == root_id, Location.directory == directory)
    )
    return {name: KnownPlace(*known) for name, *known in rows}


def unseen_places(session: Session, root_id: int, seen: set[int], unread: Iterable[bytes]) -> list[int]:
    """Ids of places that a complete walk did not meet, less those below folders that could not be read."""
    blocked = tuple(unread)
    rows = session.execute(
        select(Location.id, Location.directory).where(
            Location.root_id == root_id, Location.missing_since.is_(None)
        )
    )
    return [
        id_
        for id_, directory in rows
        if id_ not in seen and not any(directory == b or directory.startswith(b + b"/") for b in blocked)
    ]


def mark_missing(session: Session, ids: Iterable[int]) -> set[int]:
    """Mark places as missing; answers the files concerned. Nothing is deleted."""
    return _mark(session, ids, missing=True)


def mark_present(session: Session, ids: Iterable[int]) -> set[int]:
    """Take the mark back: the file is there again, unchanged. Answers the files concerned."""
    return _mark(session, ids, missing=False)


def _mark(session: Session, ids: Iterable[int], *, missing: bool) -> set[int]:
    files: set[int] = set()
    for piece in pieces(ids):
        session.execute(
            update(Location).where(Location.id.in_(piece)).values(missing_since=now() if missing else None)
        )
        if missing:
            session.execute(delete(Quarantine).where(Quarantine.location_id.in_(piece)))
        files.update(
            id_ for id_ in session.scalars(select(Location.file_id).where(Location.id.in_(piece))) if id_
        )
    return files


def mark_offline(session: Session, root_id: int) -> None:
    """The root is absent or empty: say so, and leave all it held as it is."""
    session.execute(
        update(Root).where(Root.id == root_id, Root.offline_since.is_(None)).values(offline_since=now())
    )


def finish_walk(session: Session, root_id: int, device: int) -> None:
    """The root was walked to its end."""
    session.execute(
        update(Root).where(Root.id == root_id).values(scanned_at=now(), offline_since=None, device=device)
    )
