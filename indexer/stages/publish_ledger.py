"""Publish what a text server is not asked for. Until it is in, the server is asked, which takes longer."""

import uuid

from indexer.catalog import changes, entries
from indexer.catalog.database import Catalog
from indexer.indexes.text_ledger import LedgerWriter
from indexer.progress import Progress
from indexer.settings import Settings
from indexer.stages.changed import changed_pages

__all__ = ["publish_ledger"]

_NAME = "text_ledger"


def publish_ledger(
    catalog: Catalog, settings: Settings, stamp: str, progress: Progress, *, afresh: bool = False
) -> int:
    """Write what changed entries became, for the index that is now in the state ``stamp``; answers how many.
    Raises ``CatalogError`` when they cannot be written."""
    writer = LedgerWriter(settings.text_ledger_file)
    generation, seq = writer.state()
    with catalog.read() as session:
        _, detail = changes.read_watermark(session, _NAME)
        last = changes.last_number(session, "change")
    if afresh or not generation or detail.get("generation") != generation or seq > last:
        generation, seq = uuid.uuid4().hex, 0
        writer.start(generation)
        with catalog.write() as session:
            changes.write_watermark(session, _NAME, 0, {"generation": generation})
    with catalog.read() as session:
        total = entries.count_entries(session, seq)
    if total:
        with progress.stage("Noting values", "entries", total) as stage:
            for page in changed_pages(catalog, seq):
                writer.put([(id_, document) for _, id_, document in page], page[-1][0])
                stage.advance(len(page))
    writer.sign(stamp)
    return total
