"""Marks in the catalog: favourites, opinions, own tags, what was seen. Read and written a batch at a time."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from indexer.catalog.personal_schema import MarkRow, OpinionRow, OwnTag
from indexer.catalog.schema import Base, File, Version
from indexer.catalog.upsert import pieces, upsert
from indexer.domain.marks import Change, Marks, Opinion, changed, merged

__all__ = [
    "change_marks",
    "follow_files",
    "marked_versions",
    "merge_marks",
    "read_marks",
    "write_marks",
]


def read_marks(session: Session, version_ids: Iterable[int]) -> dict[int, Marks]:
    """The marks of versions by id; those that nobody marked are left out."""
    rows: dict[int, tuple[bool | None, bool | None, Any]] = {}
    for piece in pieces(version_ids):
        columns = (MarkRow.version_id, MarkRow.favourite, MarkRow.seen, MarkRow.at)
        for id_, favourite, seen, at in session.execute(
            select(*columns).where(MarkRow.version_id.in_(piece))
        ):
            rows[id_] = favourite, seen, at
    opinions: dict[int, dict[str, Opinion]] = {}
    tags: dict[int, list[str]] = {}
    for piece in pieces(rows):
        for row in session.scalars(
            select(OpinionRow).where(OpinionRow.version_id.in_(piece)).order_by(OpinionRow.purpose)
        ):
            opinions.setdefault(row.version_id, {})[row.purpose] = Opinion(row.rating, row.note)
        for id_, tag in session.execute(
            select(OwnTag.version_id, OwnTag.tag).where(OwnTag.version_id.in_(piece)).order_by(OwnTag.place)
        ):
            tags.setdefault(id_, []).append(tag)
    return {
        id_: Marks(favourite, seen, opinions.get(id_, {}), tuple(tags.get(id_, ())), at)
        for id_, (favourite, seen, at) in rows.items()
    }


def write_marks(session: Session, marks: Mapping[int, Marks]) -> None:
    """Store marks by version id in place of those that were there."""
    for table in (OpinionRow, OwnTag):
        for piece in pieces(marks):
            session.execute(delete(table).where(table.version_id.in_(piece)))
    rows = [
        {"version_id": id_, "favourite": one.favourite, "seen": one.seen, "at": one.at}
        for id_, one in marks.items()
    ]
    upsert(session, MarkRow, rows, ["version_id"])
    _insert(
        session,
        OpinionRow,
        [
            {"version_id": id_, "purpose": purpose, "rating": opinion.rating, "note": opinion.note}
            for id_, one in marks.items()
            for purpose, opinion in one.opinions.items()
        ],
    )
    _insert(
        session,
        OwnTag,
        [
            {"version_id": id_, "tag": tag, "place": place}
            for id_, one in marks.items()
            for place, tag in enumerate(one.tags)
        ],
    )


def _insert(session: Session, table: type[Base], rows: list[dict[str, Any]]) -> None:
    if rows:
        session.connection().execute(insert(table), rows)


def change_marks(session: Session, version_ids: Collection[int], change: Change, at: Any) -> set[int]:
    """Make one change to many versions; answers those that it changed."""
    before = read_marks(session, version_ids)
    after = {id_: changed(before.get(id_, Marks()), change, at) for id_ in version_ids}
    fresh = {id_: marks for id_, marks in after.items() if marks != before.get(id_, Marks())}
    write_marks(session, fresh)
    return set(fresh)


def merge_marks(session: Session, marks: Mapping[int, Marks]) -> set[int]:
    """Add marks from elsewhere to those that are there; answers the versions that changed."""
    before = read_marks(session, marks)
    after = {id_: merged(before.get(id_, Marks()), one) for id_, one in marks.items()}
    fresh = {id_: one for id_, one in after.items() if one != before.get(id_, Marks())}
    write_marks(session, fresh)
    return set(fresh)


def marked_versions(session: Session, after: int = 0, limit: int = 500) -> list[int]:
    """The next versions above ``after`` on which anything was noted, by id."""
    wanted = select(MarkRow.version_id).where(MarkRow.version_id > after)
    return list(session.scalars(wanted.order_by(MarkRow.version_id).limit(limit)))


def follow_files(session: Session, moves: Iterable[tuple[int, int]]) -> None:
    """Files went from one version to another (old, new): what was noted of them goes along.

    A version that was made for a lone file gives its marks away with it; any other one keeps them too. Where
    the new one has marks already both are merged.
    """
    ways = [(old, new) for old, new in dict.fromkeys(moves) if old != new]
    marks = read_marks(session, {old for old, _ in ways})
    ways = [way for way in ways if way[0] in marks]
    if not ways:
        return
    for old, new in ways:
        merge_marks(session, {new: marks[old]})
    _forget(session, _left_behind(session, {old for old, _ in ways}))


def _left_behind(session: Session, version_ids: Collection[int]) -> list[int]:
    """Those of these versions that nobody published and that hold no file any more."""
    holds = select(File.id).where(File.version_id == Version.id)
    return [
        id_
        for piece in pieces(version_ids)
        for id_ in session.scalars(
            select(Version.id).where(Version.id.in_(piece), Version.key.startswith("file:"), ~holds.exists())
        )
    ]


def _forget(session: Session, version_ids: Collection[int]) -> None:
    for table in (OpinionRow, OwnTag, MarkRow):
        for piece in pieces(version_ids):
            session.execute(delete(table).where(table.version_id.in_(piece)))
