"""Which of our files is which file of a hub: told by equal hashes, never by names."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, select, update
from sqlalchemy.orm import Session, aliased

from indexer.catalog.changes import count_up
from indexer.catalog.hub_schema import HashRow, HubFileRow
from indexer.catalog.personal import follow_files
from indexer.catalog.schema import File, Location, Preview
from indexer.catalog.upsert import pieces

__all__ = ["Linked", "link_by_hash"]

_SURE = ("sha256", "blake3", "autov3", "autov2")
"""Long enough to name content; surest first. Eight digits (AutoV1, CRC32) collide among millions of files."""


@dataclass(frozen=True, slots=True)
class Linked:
    """How many files moved to a hub's version, and the versions they came from or went to."""

    files: int
    versions: set[int]


def link_by_hash(session: Session, *, versions: Iterable[int] = (), files: Iterable[int] = ()) -> Linked:
    """Move our files to the versions whose hub claims the same hash.

    Looks at the hub files of ``versions`` and at our ``files``. Where several versions claim the same hash
    (models are re-uploaded) the surest kind of hash decides, then the oldest version.
    """
    ours, theirs = aliased(HashRow), aliased(HashRow)
    same = and_(ours.kind == theirs.kind, ours.value == theirs.value)
    pairs: list[tuple[int, int, str]] = []
    for column, ids in ((HubFileRow.version_id, versions), (ours.file_id, files)):
        for piece in pieces(ids):
            rows = session.execute(
                select(ours.file_id, HubFileRow.version_id, ours.kind)
                .join(theirs, same)
                .join(HubFileRow, HubFileRow.id == theirs.hub_file_id)
                .where(column.in_(piece), ours.file_id.is_not(None), ours.kind.in_(_SURE))
            )
            pairs.extend((file_id or 0, version_id, kind) for file_id, version_id, kind in rows)
    best: dict[int, int] = {}
    for file_id, version_id, _ in sorted(pairs, key=lambda pair: (_SURE.index(pair[2]), pair[1])):
        best.setdefault(file_id, version_id)
    return _move(session, best)


def _move(session: Session, wanted: dict[int, int]) -> Linked:
    moved: list[dict[str, Any]] = []
    ways: list[tuple[int, int]] = []
    for piece in pieces(wanted):
        for id_, old, linked in session.execute(
            select(File.id, File.version_id, File.linked).where(File.id.in_(piece))
        ):
            if old != wanted[id_] and not linked:
                ways.append((old, wanted[id_]))
            if not linked:
                moved.append({"id": id_, "version_id": wanted[id_], "linked": True})
    if not moved:
        return Linked(0, set())
    session.execute(update(File), moved)
    for row in moved:
        places = select(Location.id).where(Location.file_id == row["id"])
        session.execute(
            update(Preview).where(Preview.place_id.in_(places)).values(version_id=row["version_id"])
        )
    follow_files(session, ways)
    count_up(session, "vectors")  # the vector indexes name previews by their version
    return Linked(len(moved), {id_ for way in ways for id_ in way})
