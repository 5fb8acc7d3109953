"""Publish: bring the disposable indexes up to date with the catalog. Each can be rebuilt from nothing."""

import shutil

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import changes, entries, vectors
from indexer.catalog.database import Catalog
from indexer.embedding.encoders import Encoder, unit_rows
from indexer.embedding.style_space import fit_style_space, save_space, sweep_spaces
from indexer.encoders import Encoders
from indexer.indexes.text import TantivyIndex
from indexer.indexes.vectors import FaissIndex, saved_generation
from indexer.progress import Progress
from indexer.settings import Settings

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
    folders = [settings.vector_folder / name for name in ("style", "content")]
    if seq == number and detail.get("keys") == keys and all(saved_generation(f) for f in folders):
        return 0
    with progress.stage("Indexing pictures", "indexes", 2) as stage:
        style_ids, style = _all_vectors(catalog, encoders.style)
        content_ids, content = _all_vectors(catalog, encoders.content)
        ids, left, right = np.intersect1d(style_ids, content_ids, return_indices=True)
        _publish_style(settings, encoders, ids, style[left], content[right])
        stage.advance()
        if encoders.semantic is not None:
            content_ids, content = _all_vectors(catalog, encoders.semantic)
        _publish_content(settings, encoders.semantic or encoders.content, content_ids, content)
        stage.advance()
    with catalog.write() as session:
        changes.write_watermark(session, "vectors", number, {"keys": keys})
    return len(ids) + len(content_ids)


def _all_vectors(catalog: Catalog, encoder: Encoder) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """All vectors of one encoder: ids (n,) and rows (n, d)."""
    ids: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
    rows: list[NDArray[np.float32]] = [np.empty((0, encoder.identity.dimension), np.float32)]
    with catalog.read() as session:
        space = vectors.space_id(session, encoder.identity.key)
        for some, data in vectors.iterate_vectors(session, space) if space is not None else ():
            ids.append(some)
            rows.append(data)
    return np.concatenate(ids), np.concatenate(rows)


def _publish_style(
    settings: Settings,
    encoders: Encoders,
    ids: NDArray[np.int64],
    style: NDArray[np.float32],
    content: NDArray[np.float32],
) -> None:
    """Fit the style space, keep it under its key, and save the vectors that live in it."""
    folder = settings.vector_folder / "style"
    space = fit_style_space(style, content, encoders.style.identity, encoders.content.identity)
    save_space(settings.vector_folder, space)
    index = FaissIndex(space.identity.key, space.identity.dimension)
    if len(ids):
        index.put(ids, space.transform(style, content))
    index.save(folder)
    sweep_spaces(settings.vector_folder, keep=space.identity.key)


def _publish_content(
    settings: Settings, encoder: Encoder, ids: NDArray[np.int64], rows: NDArray[np.float32]
) -> None:
    index = FaissIndex(encoder.identity.key, encoder.identity.dimension)
    if len(ids):
        index.put(ids, unit_rows(rows))
    index.save(settings.vector_folder / "content")
