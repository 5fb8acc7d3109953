"""Publish: bring the disposable indexes up to date with the catalog. Each can be rebuilt from nothing."""

import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import changes, entries, vectors
from indexer.catalog.database import Catalog
from indexer.embedding.encoders import Encoder, unit_rows
from indexer.embedding.style_space import SAMPLE, fit_style_space, pool_rows
from indexer.embedding.style_store import save_style_space
from indexer.encoders import Encoders
from indexer.indexes.text import TantivyIndex
from indexer.indexes.vectors import FaissIndex, saved_generation
from indexer.progress import Progress
from indexer.settings import Settings

__all__ = ["publish_text", "publish_vectors"]

_PAGE = 1_000
_BATCH = 2_000


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


def publish_vectors(
    catalog: Catalog, settings: Settings, encoders: Encoders, progress: Progress, *, afresh: bool = False
) -> int:
    """Build the vector indexes from the catalog when vectors changed; answers how many vectors went in.

    The style space is fitted on the live collection, so a change anywhere moves it a little: both indexes are
    built as a whole, aside, and swapped in.
    """
    if afresh:
        shutil.rmtree(settings.vector_folder, ignore_errors=True)
    keys = "+".join(encoder.identity.key for encoder in encoders.all)
    with catalog.read() as session:
        number = changes.last_number(session, "vectors")
        seq, detail = changes.read_watermark(session, "vectors")
    if seq == number and detail.get("keys") == keys and saved_generation(settings.vector_folder / "content"):
        return 0
    with progress.stage("Indexing pictures", "indexes", 2) as stage:
        done = _publish_style(catalog, settings, encoders)
        stage.advance()
        done += _publish_content(catalog, settings, encoders.seen)
        stage.advance()
    with catalog.write() as session:
        changes.write_watermark(session, "vectors", number, {"keys": keys})
    return done


def _publish_style(catalog: Catalog, settings: Settings, encoders: Encoders) -> int:
    """Fit the style space on the collection, then index each entry by the mean of its previews' rows.

    Answers how many previews went in. Raw rows are streamed: memory holds a sample
    of 20,000, one batch, and the much shorter index rows.
    """
    folder = settings.vector_folder / "style"
    with catalog.read() as session:
        style = vectors.space_id(session, encoders.style.identity.key)
        content = vectors.space_id(session, encoders.seen.identity.key)
        ids = vectors.ids_in_spaces(session, [style, content])
        if style is None or content is None or not len(ids):
            shutil.rmtree(folder, ignore_errors=True)
            return 0
        sample = ids[np.linspace(0, len(ids) - 1, min(len(ids), SAMPLE)).round().astype(np.int64)].tolist()
        space = fit_style_space(
            vectors.vectors_of(session, style, sample)[1],
            vectors.vectors_of(session, content, sample)[1],
            encoders.style.identity,
            encoders.seen.identity,
        )
        rows: list[NDArray[np.float32]] = []
        for start in range(0, len(ids), _BATCH):
            some = ids[start : start + _BATCH].tolist()
            raw = vectors.vectors_of(session, style, some)[1], vectors.vectors_of(session, content, some)[1]
            rows.append(space.index_rows(*raw))
        owners = vectors.versions_of_previews(session, ids.tolist())
    save_style_space(space, settings.style_space_file(space.identity.key))
    index = FaissIndex(space.identity.key, space.identity.dimension)
    index.put(*pool_rows(np.concatenate(rows), np.array([owners[int(id_)] for id_ in ids], np.int64)))
    index.save(folder)
    _sweep_spaces(settings.vector_folder)
    return len(ids)


def _sweep_spaces(folder: Path) -> None:
    """Keep the newest two fitted spaces: a reader may still be opening the one before."""
    files = sorted(folder.glob("space-*.npz"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in files[2:]:
        path.unlink(missing_ok=True)


def _publish_content(catalog: Catalog, settings: Settings, encoder: Encoder) -> int:
    """Index every preview by what it shows; answers how many."""
    index = FaissIndex(encoder.identity.key, encoder.identity.dimension)
    with catalog.read() as session:
        space = vectors.space_id(session, encoder.identity.key)
        for ids, rows in vectors.iterate_vectors(session, space) if space is not None else ():
            index.put(ids, unit_rows(rows))
    index.save(settings.vector_folder / "content")
    return len(index)
