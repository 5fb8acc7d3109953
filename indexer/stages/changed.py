"""Reading what entries became since a change, a page at a time: how every index follows the catalog."""

from collections.abc import Iterator, Sequence

from indexer.catalog import entries
from indexer.catalog.database import Catalog
from indexer.domain.records import Document

__all__ = ["PAGE", "changed_pages"]

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
