"""Roots and the places below them: what was seen where, and what is missing."""

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from indexer.catalog.schema import Location, Quarantine, Root, now
from indexer.catalog.upsert import pieces

__all__ = [
    "GonePlace",
    "KnownPlace",
    "RootState",
    "Scope",
    "finish_walk",
    "known_places",
    "known_roots",
    "mark_missing",
    "mark_offline",
    "mark_present",
    "named_roots",
    "open_root",
    "place_path",
    "root_state",
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


@dataclass(frozen=True, slots=True)
class RootState:
    """What the catalog remembers of a root. ``device`` is its ``st_dev`` at the last walk that changed
    something; ``category`` what a tool says that it holds, under the tool's name."""

    layout: str
    category: str
    device: int | None
    offline: bool


@dataclass(frozen=True, slots=True)
class GonePlace:
    """A place that a walk did not meet. ``device`` is the ``st_dev`` of what lay there, as text."""

    id: int
    directory: bytes
    name: bytes
    device: str


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of a root that was walked: single folders, and folders with all below (relative)."""

    single: Collection[bytes]
    deep: Collection[bytes]


def place_path(root: str, directory: bytes, name: bytes) -> bytes:
    """The absolute path of a place as bytes: names on disk need not be UTF-8."""
    return b"/".join(part for part in (os.fsencode(root), directory, name) if part)


def open_root(session: Session, path: str, layout: str, category: str = "") -> int:
    """The id of a root, made when new. What a tool said of a folder (``category``) is remembered until the
    folder turns out to be a library of its own."""
    root = session.scalar(select(Root).where(Root.path == path))
    named = f"{layout}:{category}" if category else layout
    if root is None:
        root = Root(path=path, layout=named)
        session.add(root)
    if category or layout != "plain" or ":" not in root.layout:
        root.layout = named
    session.flush()
    return root.id


def root_state(session: Session, root_id: int) -> RootState:
    """What is remembered of a root."""
    root = session.get_one(Root, root_id)
    layout, _, category = root.layout.partition(":")
    return RootState(layout, category, root.device, root.offline_since is not None)


def known_roots(session: Session) -> list[tuple[int, str]]:
    """Ids and paths of all roots, in the order they were added."""
    return [(id_, path) for id_, path in session.execute(select(Root.id, Root.path).order_by(Root.id))]


def named_roots(session: Session) -> list[str]:
    """Paths of the roots whose category a tool told."""
    return list(session.scalars(select(Root.path).where(Root.layout.like("%:%"))))


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


def unseen_places(
    session: Session,
    root_id: int,
    seen: Collection[int],
    unread: Iterable[bytes],
    scope: Scope | None = None,
) -> list[GonePlace]:
    """Places that a walk did not meet, less those below folders that could not be read.

    ``scope`` is the part that was walked; ``None``: all.
    """
    blocked = tuple(unread)
    if b"" in blocked:
        return []
    condition = and_(Location.root_id == root_id, Location.missing_since.is_(None))
    found = []
    for part in [None] if scope is None else _parts(scope):
        rows = session.execute(
            select(Location.id, Location.directory, Location.name, Location.inode).where(
                condition if part is None else and_(condition, part)
            )
        )
        found += [
            GonePlace(id_, directory, name, inode.partition(":")[0])
            for id_, directory, name, inode in rows
            if id_ not in seen and not any(directory == b or directory.startswith(b + b"/") for b in blocked)
        ]
    return list({place.id: place for place in found}.values())


def _parts(scope: Scope) -> Iterable[Any]:
    for piece in pieces(scope.single):
        yield Location.directory.in_(piece)
    for piece in pieces(scope.deep, 100):
        # "0" follows "/": all that starts with the folder and a slash, by the index on the directory.
        yield or_(
            *(
                or_(
                    Location.directory == directory,
                    and_(Location.directory > directory + b"/", Location.directory < directory + b"0"),
                )
                if directory
                else Location.id.is_not(None)
                for directory in piece
            )
        )


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
