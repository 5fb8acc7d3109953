"""Publish what pasted prompts are compared with. What is not in yet is ranked by the text engine alone."""

from indexer.catalog import entries
from indexer.catalog.database import Catalog
from indexer.indexes.prompt_counting import count_makers
from indexer.indexes.prompt_cuts import CutWriter
from indexer.indexes.prompt_makers import makers_state
from indexer.progress import Progress
from indexer.settings import Settings
from indexer.stages.changed import follow_changes

__all__ = ["COUNTED_AGAIN", "WATERMARK", "publish_cuts"]

COUNTED_AGAIN = 20
"""Words of creators are counted again when one entry in so many changed: all are read, in 10 microseconds
each. Until then a new creator's models are found by their own words alone."""

WATERMARK = "prompt_cuts"
"""By this name the catalog knows which file was last written from it."""


def publish_cuts(catalog: Catalog, settings: Settings, progress: Progress, *, afresh: bool = False) -> int:
    """Write the cuts of changed entries; answers how many. Raises ``CatalogError`` when they cannot be
    written."""
    writer = CutWriter(settings.prompt_cuts_file)
    total = follow_changes(catalog, WATERMARK, writer, "Cutting prompts", progress, afresh=afresh)
    _count(catalog, settings, writer.state()[0], progress)
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
