"""Publish what pasted prompts are compared with. What is not in yet is ranked by the text engine alone."""

import uuid

from indexer.catalog import changes, entries
from indexer.catalog.database import Catalog
from indexer.indexes.prompt_cuts import CutWriter
from indexer.progress import Progress
from indexer.settings import Settings
from indexer.stages.changed import changed_pages

__all__ = ["publish_cuts"]

_NAME = "prompt_cuts"


def publish_cuts(catalog: Catalog, settings: Settings, progress: Progress, *, afresh: bool = False) -> int:
    """Write the cuts of changed entries; answers how many. Raises ``CatalogError`` when they cannot be
    written."""
    writer = CutWriter(settings.prompt_cuts_file)
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
    if not total:
        return 0
    with progress.stage("Cutting prompts", "entries", total) as stage:
        for page in changed_pages(catalog, seq):
            writer.put([(id_, document) for _, id_, document in page], page[-1][0])
            stage.advance(len(page))
    return total
