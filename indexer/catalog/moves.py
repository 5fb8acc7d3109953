"""Moves and renames: places whose size, time and inode number say that they hold what another held."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select, tuple_, update
from sqlalchemy.orm import Session

from indexer.catalog.roots import place_path
from indexer.catalog.schema import Location, Preview, Root
from indexer.catalog.upsert import pieces
from indexer.domain.found import FoundFile

__all__ = ["Twin", "keep_hashes", "move_places", "twins"]

_MANY = 2_000
"""So many places of one size and time at most are looked at when no inode is the very same."""


@dataclass(frozen=True, slots=True)
class Twin:
    """A place with the identity of a file that was found. ``root`` and ``path`` are absolute, ``inode`` is
    the number alone."""

    id: int
    root: str
    path: bytes
    name: bytes
    inode: str
    file_id: int
    surroundings: str
    parser: int
    sha256: str | None


def twins(session: Session, found: Iterable[FoundFile]) -> dict[bytes, list[Twin]]:
    """Places of the same size, time and inode as each file found, by its path; in a few statements.

    The same device is asked for first; device numbers change at a remount, so then any device will do.
    """
    wanted: dict[tuple[int, int, str], list[bytes]] = {}
    for item in found:
        wanted.setdefault((item.size, item.mtime_ns, item.inode), []).append(item.path)
    same: dict[bytes, list[Twin]] = {}
    for piece in pieces(wanted, 300):
        keys = tuple_(Location.size, Location.mtime_ns).in_({key[:2] for key in piece})
        inodes = Location.inode.in_({key[2] for key in piece})
        exact = _read(session, keys, inodes)
        loose = _read(session, keys) if any(key not in exact for key in piece) else {}
        anywhere = {_without_device(key): rows for key, rows in loose.items()}
        for key in piece:
            rows = exact.get(key) or anywhere.get(_without_device(key), [])
            same.update((path, rows) for path in wanted[key] if rows)
    return same


def _without_device(key: tuple[int, int, str]) -> tuple[int, int, str]:
    return key[0], key[1], key[2].partition(":")[2]


def _read(session: Session, *conditions: Any) -> dict[tuple[int, int, str], list[Twin]]:
    rows = session.execute(
        select(Root.path, Location)
        .join(Root, Root.id == Location.root_id)
        .where(Location.file_id.is_not(None), *conditions)
        .order_by(Location.missing_since.is_(None), Location.id)
        .limit(_MANY)
    )
    found: dict[tuple[int, int, str], list[Twin]] = {}
    for root, place in rows:
        twin = Twin(
            place.id,
            root,
            place_path(root, place.directory, place.name),
            place.name,
            place.inode.partition(":")[2],
            place.file_id or 0,
            place.surroundings,
            place.parser,
            place.sha256,
        )
        found.setdefault((place.size, place.mtime_ns, place.inode), []).append(twin)
    return found


def move_places(session: Session, root_id: int, moves: Sequence[tuple[Twin, FoundFile]]) -> set[int]:
    """Places go where their files went, with claims, hash and previews; answers the files concerned."""
    if not moves:
        return set()
    rows = [
        {
            "id": twin.id,
            "root_id": root_id,
            "directory": found.directory,
            "name": found.name,
            "inode": found.inode,
            "missing_since": None,
        }
        for twin, found in moves
    ]
    session.execute(update(Location), rows)
    _move_previews(session, {twin.id: found for twin, found in moves})
    return {twin.file_id for twin, _ in moves}


def _move_previews(session: Session, places: Mapping[int, FoundFile]) -> None:
    """Pictures that moved along keep their thumbnails and vectors: told by position, size and time."""
    rows = []
    for piece in pieces(places):
        known = select(Preview.id, Preview.place_id, Preview.position, Preview.size, Preview.mtime_ns).where(
            Preview.place_id.in_(piece), Preview.original.is_(None), Preview.status != "missing"
        )
        for id_, place_id, position, size, mtime_ns in session.execute(known):
            pictures = places[place_id or 0].previews
            here = pictures[position] if position < len(pictures) else None
            if here is not None and (here.size, here.mtime_ns) == (size, mtime_ns):
                rows.append({"id": id_, "location": here.path})
    if rows:
        session.execute(update(Preview), rows)


def keep_hashes(session: Session, root_id: int, known: Sequence[tuple[Twin, FoundFile]]) -> None:
    """Give files that were read anew the full hash that was measured over the same bytes."""
    rows = [
        {"d": found.directory, "n": found.name, "f": twin.file_id, "sha": twin.sha256}
        for twin, found in known
        if twin.sha256 is not None
    ]
    if not rows:
        return
    statement = (
        update(Location.__table__)  # type: ignore[arg-type]
        .where(
            Location.root_id == root_id,
            Location.directory == bindparam("d"),
            Location.name == bindparam("n"),
            Location.file_id == bindparam("f"),
        )
        .values(sha256=bindparam("sha"))
    )
    session.connection().execute(statement, rows)
