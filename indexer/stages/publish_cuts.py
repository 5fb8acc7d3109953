"""Publish what pasted prompts are compared with. What is not in yet is ranked by the text engine alone."""

import uuid

from indexer.catalog import changes, entries
from indexer.catalog.database import Catalog
from indexer.indexes.prompt_counting import count_makers
from indexer.indexes.prompt_cuts import CutWriter
from indexer.indexes.prompt_makers import makers_state
from indexer.progress import Progress
from indexer.settings import Settings
from indexer.stages.changed import changed_pages

__all__ = ["COUNTED_AGAIN", "publish_cuts"]

COUNTED_AGAIN = 20
"""Words of creators are counted again when one entry in so many changed: all are read, in 10 microseconds
each. Until then a new creator's models are found by their own words alone."""

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
    if total:
        with progress.stage("Cutting prompts", "entries", total) as stage:
            for page in changed_pages(catalog, seq):
                writer.put([(id_, document) for _, id_, document in page], page[-1][0])
                stage.advance(len(page))
    _count(catalog, settings, generation, progress)
    return total


def _count(catalog: Catalog, settings: Settings, generation: str, progress: Progress) -> None:
    """Count words of creators again, unless little changed since."""
    state = makers_state(settings.prompt_makers_file)
    with catalog.read() as session:
        changed = entries.count_entries(session, state.seq)
    if state.generation == generation and changed * COUNTED_AGAIN <= state.entries:
        return
    with progress.stage("Counting words of creators", "steps", 1) as stage:
        count_makers(settings.prompt_cuts_file, settings.prompt_makers_file)
        stage.advance()
