"""The user's own layer over an open library: what is noted is kept at once, and search sees it at once.

with Pinakes() as pinakes:
    pinakes.marks.change([12], wanted_change(favourite=True, rating=4.5, purpose="portrait"))
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from indexer.catalog.database import Catalog
from indexer.catalog.entries import documents
from indexer.catalog.lineage import sister_versions
from indexer.catalog.personal import read_marks
from indexer.domain.filters import keyword
from indexer.domain.marks import NO_MARKS, Change, to_data
from indexer.personal import Marked, mark_entries, publish_marks, wanted_change
from indexer.progress import Silent
from indexer.settings import Settings

__all__ = ["MarkKeeper", "Publishing", "with_tags"]


class Publishing:
    """Brings the text index up to date after small changes. One thread publishes at a time; those who come
    meanwhile are served together by the next round, so that many changes at once cost two rounds."""

    def __init__(self, catalog: Catalog, settings: Settings) -> None:
        self._catalog = catalog
        self._settings = settings
        self._turn = threading.Lock()
        self._counting = threading.Lock()
        self._asked = 0
        self._done = 0
        self._told = True

    def publish(self) -> bool:
        """Returns when search sees all that was stored before the call; False: another program is writing
        the catalog, and search will see it when that has finished. Raises ``CatalogError``."""
        with self._counting:
            self._asked += 1
            mine = self._asked
        with self._turn:
            if self._done < mine:
                with self._counting:
                    upto = self._asked
                self._told = publish_marks(self._catalog, self._settings, Silent())
                self._done = upto
            return self._told


class MarkKeeper:
    """Favourites, ratings, notes, tags and what was seen, of one open library. Many threads may share it."""

    def __init__(self, catalog: Catalog, settings: Settings) -> None:
        self._catalog = catalog
        self._publishing = Publishing(catalog, settings)

    def change(self, ids: Iterable[int], *changes: Change) -> Marked:
        """Make changes to entries, one after the other. Raises ``UsageError`` (``unknown_model``)."""
        wanted = sorted(set(ids))
        fresh: set[int] = set()
        for change in changes:
            fresh |= mark_entries(self._catalog, wanted, change)
        return Marked(tuple(sorted(fresh)), self._publishing.publish() if fresh else True)

    def see(self, entry_id: int) -> None:
        """Note that somebody looked at a model: all its versions that are known by now, so that only new
        ones are unseen. Nothing is written where that was known already, or where the entry is gone."""
        with self._catalog.read() as session:
            shown = documents(session, {entry_id, *sister_versions(session, entry_id)})
        unseen = [id_ for id_, document in shown.items() if "unseen" in document.flags]
        if unseen:
            self.change(unseen, wanted_change(seen=True))

    def of(self, entry_id: int) -> dict[str, Any]:
        """The marks on one entry as ``domain.marks.to_data`` has them."""
        with self._catalog.read() as session:
            return to_data(read_marks(session, [entry_id]).get(entry_id, NO_MARKS))


def with_tags(marks: Mapping[str, Any], tags: Sequence[str]) -> Change:
    """The change after which an entry with these marks has just these tags of one's own."""
    kept = set(map(keyword, tags))
    return wanted_change(tag=tags, untag=[tag for tag in marks["tags"] if keyword(tag) not in kept])
