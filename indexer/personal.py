"""The user's own layer: mark models as favourites, rate, note, tag, tell seen from unseen.

All of it lives in the catalog, never in a model folder. Marks are small changes, so they do not wait for a
program that is writing for hours: the catalog takes them at once, and search sees them when the running
program publishes, or at once where none runs.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from indexer.catalog import entries, personal
from indexer.catalog.changes import take_turn
from indexer.catalog.database import Catalog, open_catalog
from indexer.catalog.lock import writer_lock
from indexer.catalog.table_base import now
from indexer.catalog.upsert import pieces
from indexer.domain.marks import NO_MARKS, Change, to_data
from indexer.domain.marks import stars as checked_stars
from indexer.domain.marks import worded as checked_words
from indexer.domain.records import Document
from indexer.domain.vocabulary import architecture_path
from indexer.errors import CatalogError, UsageError
from indexer.finding import find_entry
from indexer.indexes.text_open import open_text_index
from indexer.progress import Progress, Silent
from indexer.settings import Settings
from indexer.stages.publish import publish_text

__all__ = [
    "Marked",
    "entries_meant",
    "mark",
    "mark_entries",
    "publish_marks",
    "read_marked",
    "wanted_change",
]

_AT_ONCE = 5_000
"""Entries marked in one transaction."""


@dataclass(frozen=True, slots=True)
class Marked:
    """What became of a change: ids of the entries that it changed; ``published``: search sees it already."""

    changed: tuple[int, ...]
    published: bool


def wanted_change(**values: Any) -> Change:
    """The change that ``values``, fields of ``Change``, ask for. Raises ``UsageError`` (``mark``)."""
    try:
        checked = dict(values)
        checked["rating"] = checked_stars(values.get("rating"))
        checked["purpose"] = checked_words("purpose", values.get("purpose") or "")
        if values.get("note") is not None:
            checked["note"] = checked_words("note", values["note"])
        for name in ("tag", "untag"):
            words = (checked_words("tag", tag) for tag in values.get(name) or ())
            checked[name] = tuple(filter(None, words))
    except ValueError as error:
        raise UsageError("mark", f"This cannot be noted: {error}.") from None
    return Change(**checked)


def mark(settings: Settings, ids: Iterable[int], change: Change, progress: Progress | None = None) -> Marked:
    """Make one change to many entries. Raises ``UsageError`` (``unknown_model``) for ids that nobody has."""
    with _opened(settings) as catalog:
        fresh = mark_entries(catalog, ids, change)
        published = publish_marks(catalog, settings, progress or Silent()) if fresh else True
    return Marked(tuple(sorted(fresh)), published)


def mark_entries(catalog: Catalog, ids: Iterable[int], change: Change) -> set[int]:
    """Make one change to many entries in the catalog alone; answers those that it changed."""
    wanted = sorted(set(ids))
    with catalog.read() as session:
        unknown = set(wanted) - entries.shown_entries(session, wanted)
    if unknown:
        raise UsageError(
            "unknown_model", f"No model has the id {min(unknown)}. Ids are those of pinakes search."
        )
    fresh: set[int] = set()
    for piece in pieces(wanted, _AT_ONCE):
        with catalog.write() as session:
            take_turn(session, "change")
            touched = personal.change_marks(session, piece, change, now())
            entries.refresh_entries(session, touched, architecture_path)
            fresh |= touched
    return fresh


def publish_marks(catalog: Catalog, settings: Settings, progress: Progress) -> bool:
    """Bring the text index up to date, unless another program is writing, which does so at its end."""
    try:
        with writer_lock(catalog, settings):
            publish_text(catalog, settings, progress)
    except CatalogError as error:
        if error.code != "locked":
            raise
        return False
    return True


def entries_meant(settings: Settings, names: Sequence[str]) -> list[Document]:
    """The entries that paths, ids, hashes or names mean, each once. Raises as ``find_entry`` does."""
    with _opened(settings) as catalog:
        index = open_text_index(settings)
        found = [find_entry(catalog, index, name) for name in names]
    return list({document.id: document for document in found}.values())


def read_marked(settings: Settings, ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """The marks of entries by id, as ``domain.marks.to_data`` has them; of all that were asked for."""
    wanted = list(ids)
    with _opened(settings) as catalog, catalog.read() as session:
        marks = personal.read_marks(session, wanted)
    return {id_: to_data(marks.get(id_, NO_MARKS)) for id_ in wanted}


@contextmanager
def _opened(settings: Settings) -> Iterator[Catalog]:
    catalog = open_catalog(settings)
    try:
        yield catalog
    finally:
        catalog.close()
