"""Entries: the documents that search sees, recomputed when what stands behind them changes.

Each change gets the next number; an index reads on from the last number it knows.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from indexer.catalog.changes import count_up
from indexer.catalog.columns import clean
from indexer.catalog.facts import Paths, version_facts
from indexer.catalog.schema import Entry, File, Tag, VersionTag
from indexer.catalog.upsert import pieces, upsert
from indexer.domain.filters import keyword
from indexer.domain.records import Document, from_json, to_json
from indexer.domain.resolve import resolve

__all__ = [
    "changed_entries",
    "count_entries",
    "documents",
    "refresh_entries",
    "versions_of_files",
]


def versions_of_files(session: Session, file_ids: Iterable[int]) -> set[int]:
    """The versions that files belong to."""
    return {
        id_
        for piece in pieces(file_ids)
        for id_ in session.scalars(select(File.version_id).where(File.id.in_(piece)))
    }


def refresh_entries(session: Session, version_ids: Iterable[int], paths: Paths) -> int:
    """Recompute the documents of versions; answers how many changed. ``paths`` knows the tree."""
    changed = 0
    for piece in pieces(sorted(version_ids), 500):
        changed += _refresh(session, piece, paths)
    return changed


def _refresh(session: Session, version_ids: Sequence[int], paths: Paths) -> int:
    old = {
        row.version_id: row.document
        for row in session.scalars(select(Entry).where(Entry.version_id.in_(version_ids)))
    }
    fresh: dict[int, dict[str, Any] | None] = {}
    for facts in version_facts(session, version_ids, paths):
        document = resolve(facts)
        fresh[facts.id] = None if document is None else clean(to_json(document))
    changed = {id_: doc for id_, doc in fresh.items() if id_ not in old or old[id_] != doc}
    if not changed:
        return 0
    last = count_up(session, "change", len(changed))
    rows = [
        {"version_id": id_, "document": document, "seq": last - len(changed) + 1 + i}
        for i, (id_, document) in enumerate(sorted(changed.items()))
    ]
    upsert(session, Entry, rows, ["version_id"])
    _store_tags(session, {id_: doc["tags"] if doc else [] for id_, doc in changed.items()})
    return len(changed)


def _store_tags(session: Session, tags: Mapping[int, Iterable[str]]) -> None:
    named = {id_: {keyword(tag) for tag in words} for id_, words in tags.items()}
    names = sorted({name for words in named.values() for name in words})
    upsert(session, Tag, [{"name": name} for name in names], ["name"], update=False)
    ids: dict[str, int] = {}
    for piece in pieces(names):
        ids.update((n, i) for n, i in session.execute(select(Tag.name, Tag.id).where(Tag.name.in_(piece))))
    for versions in pieces(tags):
        session.execute(delete(VersionTag).where(VersionTag.version_id.in_(versions)))
    rows = [
        {"version_id": id_, "tag_id": ids[name]} for id_, words in named.items() for name in sorted(words)
    ]
    upsert(session, VersionTag, rows, ["version_id", "tag_id"], update=False)


def documents(session: Session, version_ids: Iterable[int]) -> dict[int, Document]:
    """Documents by version id; versions that are no longer shown are left out."""
    found = {}
    for piece in pieces(version_ids):
        for row in session.scalars(select(Entry).where(Entry.version_id.in_(piece))):
            if row.document is not None:
                found[row.version_id] = from_json(row.document)
    return found


def changed_entries(
    session: Session, after: int, limit: int = 1_000
) -> list[tuple[int, int, Document | None]]:
    """The next changes as (number, version id, document or None when it went away), oldest first."""
    rows = session.scalars(select(Entry).where(Entry.seq > after).order_by(Entry.seq).limit(limit))
    return [(r.seq, r.version_id, None if r.document is None else from_json(r.document)) for r in rows]


def count_entries(session: Session, after: int = 0) -> int:
    """How many entries changed after the given number."""
    return session.scalar(select(func.count()).select_from(Entry).where(Entry.seq > after)) or 0
