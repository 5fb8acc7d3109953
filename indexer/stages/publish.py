"""Publish: bring the disposable indexes up to date with the catalog. Each can be rebuilt from nothing."""

from datetime import UTC, datetime
from itertools import chain, islice

from indexer.catalog import changes, entries
from indexer.catalog.database import Catalog
from indexer.catalog.norms import refresh_norms
from indexer.indexes.text import TextIndex
from indexer.indexes.text_open import open_text_index
from indexer.progress import Progress, Stage
from indexer.settings import Settings
from indexer.stages.changed import PAGE, changed_pages
from indexer.stages.publish_cuts import publish_cuts
from indexer.stages.publish_gist import publish_gist
from indexer.stages.publish_ledger import publish_ledger
from indexer.stages.publish_vectors import publish_vectors
from indexer.stages.renewing import renew_entries

__all__ = ["publish_text", "publish_vectors"]

_PAGES = 50  # committed together: each commit makes a part of the index, and parts are merged later


def publish_text(catalog: Catalog, settings: Settings, progress: Progress, *, afresh: bool = False) -> int:
    """Put changed entries into the configured text index; answers how many.

    All entries go in when the index is another than the one last written, when it lost entries, or when
    ``afresh``. Raises ``CatalogError`` when the index cannot be opened or written.
    """
    renew_entries(catalog, progress)
    index = open_text_index(settings, afresh=afresh)
    after = _known_to(catalog, index)
    with catalog.read() as session:
        total = entries.count_entries(session, after)
    done = 0
    if total:
        with progress.stage("Indexing words", "entries", total) as stage:
            done, after = _publish(catalog, index, after, stage)
    index.complete()
    if total:
        _note(catalog, after, {"generation": index.generation, "count": index.count()})
    with catalog.write() as session:
        refresh_norms(session, datetime.now(UTC).date())
    for refused in index.refused:
        progress.note(f"Entry {refused.id} cannot be found by its words: {refused.message}")
    if stamp := index.stamp:
        publish_ledger(catalog, settings, stamp, progress, afresh=afresh)
    publish_gist(catalog, settings, progress, afresh=afresh)
    publish_cuts(catalog, settings, progress, afresh=afresh)
    return done


def _publish(catalog: Catalog, index: TextIndex, after: int, stage: Stage) -> tuple[int, int]:
    """Put in what changed after a number; answers how many, and the last number."""
    done, pages = 0, changed_pages(catalog, after)
    for first in pages:
        with index.writing() as writer:
            for page in chain((first,), islice(pages, _PAGES - 1)):
                writer.put(document for _, _, document in page if document is not None)
                writer.delete(id_ for _, id_, document in page if document is None)
                after = page[-1][0]
                done += len(page)
                stage.advance(len(page))
        # Written after the index: a stop in between repeats these pages, which replace themselves.
        _note(catalog, after, {"generation": index.generation})
    return done, after


def _note(catalog: Catalog, seq: int, detail: dict[str, object]) -> None:
    with catalog.write() as session:
        changes.write_watermark(session, "text", seq, detail)


def _known_to(catalog: Catalog, index: TextIndex) -> int:
    """The number of the last change that the index holds; 0 for one that was started anew or lost entries."""
    generation = index.generation
    with catalog.read() as session:
        seq, detail = changes.read_watermark(session, "text")
    if detail.get("generation") != generation:
        return 0
    # A server that was set back to an older copy holds fewer; a stop before the note differs by a batch.
    noted = detail.get("count", 0)
    return seq if not noted or index.count() >= noted - PAGE * _PAGES else 0
