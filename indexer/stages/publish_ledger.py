"""Publish what a text server is not asked for. Until it is in, the server is asked, which takes longer."""

from indexer.catalog.database import Catalog
from indexer.indexes.text_ledger import LedgerWriter
from indexer.progress import Progress
from indexer.settings import Settings
from indexer.stages.changed import follow_changes

__all__ = ["publish_ledger"]


def publish_ledger(
    catalog: Catalog, settings: Settings, stamp: str, progress: Progress, *, afresh: bool = False
) -> int:
    """Write what changed entries became, for the index that is now in the state ``stamp``; answers how many.
    Raises ``CatalogError`` when they cannot be written."""
    writer = LedgerWriter(settings.text_ledger_file)
    total = follow_changes(catalog, "text_ledger", writer, "Noting values", progress, afresh=afresh)
    writer.sign(stamp)
    return total
