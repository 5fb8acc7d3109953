"""Reading what entries became since a change, a page at a time: how every index follows the catalog."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from indexer.catalog import changes, entries
from indexer.catalog.database import Catalog
from indexer.domain.records import Document
from indexer.progress import Progress

__all__ = ["PAGE", "Follower", "changed_pages", "follow_changes"]

PAGE = 1_000
"""Changes of a page."""


def changed_pages(catalog: Catalog, after: int) -> Iterator[Sequence[tuple[int, int, Document | None]]]:
    """Pages of changes after a number, as ``changed_entries`` has them; none is empty. Nothing is held open
    between two pages."""
    while True:
        with catalog.read() as session:
            page = entries.changed_entries(session, after, PAGE)
        if not page:
            return
        yield page
        after = page[-1][0]


class Follower(Protocol):
    """What is written for entries and follows the catalog. Each method may raise ``CatalogError``."""

    def state(self) -> tuple[str, int]:
        """Generation and number of the last change that is in; ("", 0) where there is nothing to go on
        from."""

    def start(self, generation: str) -> None:
        """Begin anew, empty."""

    def put(self, changes: Iterable[tuple[int, Document | None]], seq: int) -> None:
        """Store what entries became, all up to change ``seq``."""


def follow_changes(
    catalog: Catalog, name: str, writer: Follower, title: str, progress: Progress, *, afresh: bool
) -> int:
    """Bring ``writer`` up to date, which the catalog knows by ``name``; answers how many entries changed. It
    begins anew where it is not the one that was last written from this catalog."""
    generation, seq = writer.state()
    with catalog.read() as session:
        _, detail = changes.read_watermark(session, name)
        last = changes.last_number(session, "change")
    if afresh or not generation or detail.get("generation") != generation or seq > last:
        generation, seq = uuid.uuid4().hex, 0
        writer.start(generation)
        with catalog.write() as session:
            changes.write_watermark(session, name, 0, {"generation": generation})
    with catalog.read() as session:
        total = entries.count_entries(session, seq)
    if total:
        with progress.stage(title, "entries", total) as stage:
            for page in changed_pages(catalog, seq):
                writer.put([(id_, document) for _, id_, document in page], page[-1][0])
                stage.advance(len(page))
    return total
