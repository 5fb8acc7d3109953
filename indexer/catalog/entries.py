"""Entries: the documents that search sees, recomputed when what stands behind them changes.

Each change gets the next number; an index reads on from the last number it knows.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import orjson
from sqlalchemy import Select, Text, delete, func, select, type_coerce
from sqlalchemy.orm import Session

from indexer.catalog.changes import count_up, take_turn
from indexer.catalog.columns import JSONText, clean_json
from indexer.catalog.facts import Paths, version_facts
from indexer.catalog.folding import folds
from indexer.catalog.lineage import store_parents
from indexer.catalog.personal_keys import apply_pending
from indexer.catalog.schema import Entry, File, Tag, VersionTag
from indexer.catalog.upsert import pieces, upsert
from indexer.domain.filters import keyword
from indexer.domain.lineage import Parent, parents_of
from indexer.domain.records import Document, from_json, to_json
from indexer.domain.resolve import resolve

__all__ = [
    "changed_entries",
    "count_entries",
    "document_text",
    "documents",
    "refresh_entries",
    "shown_entries",
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
    """Recompute the documents of versions; answers how many changed. ``paths`` knows the tree.

    Near-duplicates of theirs that come to stand under another model with them are recomputed too.
    """
    changed = 0
    take_turn(session, "change")
    for piece in pieces(sorted(version_ids), 500):
        apply_pending(session, piece)
        fold = folds(session, piece)
        changed += _refresh(session, piece, paths, fold)
        for others in pieces(_standing_elsewhere(session, fold, piece), 500):
            changed += _refresh(session, others, paths, fold)
    return changed


def _standing_elsewhere(session: Session, fold: Mapping[int, int], known: Iterable[int]) -> list[int]:
    """Near-duplicates whose entry does not say so yet."""
    others = sorted(fold.keys() - set(known))
    found = documents(session, others)
    return [id_ for id_, one in found.items() if (one.fold or one.model_id) != fold[id_]]


def _refresh(session: Session, version_ids: Sequence[int], paths: Paths, fold: Mapping[int, int]) -> int:
    old = {id_: text for id_, text in session.execute(_texts().where(Entry.version_id.in_(version_ids)))}  # noqa: C416
    fresh: dict[int, Document | None] = {}
    texts: dict[int, JSONText | None] = {}
    made_from: dict[int, tuple[Parent, ...]] = {}
    for facts in version_facts(session, version_ids, paths, fold):
        document = resolve(facts)
        said = (*facts.claims, *(row for file in facts.files for row in file.claims))
        made_from[facts.id] = parents_of(said)
        text = None if document is None else document_text(document)
        if facts.id not in old or old[facts.id] != text:
            fresh[facts.id], texts[facts.id] = document, text
    store_parents(session, made_from)
    if not fresh:
        return 0
    last = count_up(session, "change", len(fresh))
    rows = [
        {"version_id": id_, "document": text, "seq": last - len(texts) + 1 + i}
        for i, (id_, text) in enumerate(sorted(texts.items()))
    ]
    upsert(session, Entry, rows, ["version_id"])
    _store_tags(session, {id_: document.tags if document else () for id_, document in fresh.items()})
    return len(fresh)


def _texts() -> Select[int, str | None]:
    """Documents as they are stored: most are compared only, or read by a parser faster than the column's."""
    return select(Entry.version_id, type_coerce(Entry.document, Text))


def document_text(document: Document) -> JSONText:
    """The document as JSON text that both databases store."""
    try:
        text = orjson.dumps(document).decode()
    except TypeError:  # a lone surrogate, or a number of more than 64 bits
        return JSONText(clean_json(to_json(document)))
    return JSONText(clean_json(to_json(document)) if "\\u0000" in text else text)


def _document(text: str) -> Document:
    return from_json(orjson.loads(text))


_met_again = lru_cache(maxsize=1_000)(_document)
"""Answers show the same entries again and again, and nothing changes a document once it is made."""


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


def shown_entries(session: Session, version_ids: Iterable[int]) -> set[int]:
    """Those of these ids that are entries."""
    return {
        id_
        for piece in pieces(version_ids)
        for id_ in session.scalars(
            select(Entry.version_id).where(Entry.version_id.in_(piece), Entry.document.is_not(None))
        )
    }


def documents(session: Session, version_ids: Iterable[int]) -> dict[int, Document]:
    """Documents by version id; versions that are no longer shown are left out."""
    found = {}
    for piece in pieces(version_ids):
        for id_, text in session.execute(_texts().where(Entry.version_id.in_(piece))):
            if text is not None:
                found[id_] = _met_again(text)
    return found


def changed_entries(
    session: Session, after: int, limit: int = 1_000
) -> list[tuple[int, int, Document | None]]:
    """The next changes as (number, version id, document or None when it went away), oldest first."""
    wanted = _texts().add_columns(Entry.seq).where(Entry.seq > after).order_by(Entry.seq).limit(limit)
    return [
        (seq, id_, None if text is None else _document(text)) for id_, text, seq in session.execute(wanted)
    ]


def count_entries(session: Session, after: int = 0) -> int:
    """How many entries changed after the given number."""
    return session.scalar(select(func.count()).select_from(Entry).where(Entry.seq > after)) or 0
