"""Publish: bring the disposable indexes up to date with the catalog. Each can be rebuilt from nothing."""

import shutil

from indexer.catalog import changes, entries
from indexer.catalog.database import Catalog
from indexer.indexes.text_tantivy import TantivyIndex
from indexer.progress import Progress
from indexer.settings import Settings
from indexer.stages.publish_vectors import publish_vectors

__all__ = ["publish_text", "publish_vectors"]

_PAGE = 1_000


def publish_text(catalog: Catalog, settings: Settings, progress: Progress, *, afresh: bool = False) -> int:
    """Put changed entries into the text index; answers how many.

    All entries go in when the index is another than the one last written, or when ``afresh``.
    """
    if afresh:
        shutil.rmtree(settings.text_folder, ignore_errors=True)
    index = TantivyIndex(settings.text_folder)
    with catalog.read() as session:
        seq, detail = changes.read_watermark(session, "text")
        after = seq if detail.get("generation") == index.generation else 0
        total = entries.count_entries(session, after)
    done = 0
    if not total:
        return done
    with progress.stage("Indexing words", "entries", total) as stage:
        while True:
            with catalog.read() as session:
                page = entries.changed_entries(session, after, _PAGE)
            if not page:
                return done
            with index.writing() as writer:
                writer.put(document for _, _, document in page if document is not None)
                writer.delete(id_ for _, id_, document in page if document is None)
            after = page[-1][0]
            # Written after the index: a stop in between repeats a page, which replaces itself.
            with catalog.write() as session:
                changes.write_watermark(session, "text", after, {"generation": index.generation})
            done += len(page)
            stage.advance(len(page))
