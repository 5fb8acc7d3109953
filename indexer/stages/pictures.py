"""Pictures: decode previews in killable processes, keep thumbnails, compute vectors; in small batches."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from indexer.catalog import entries, previews, vectors
from indexer.catalog.database import Catalog
from indexer.domain.vocabulary import architecture_path
from indexer.embedding.decoding import Decoded, PreviewDecoder
from indexer.embedding.encoders import Encoder
from indexer.encoders import Encoders
from indexer.errors import BadFileError, TemporaryError
from indexer.progress import Progress
from indexer.settings import Settings
from indexer.thumbnails import store_thumbnail, thumbnail_path

__all__ = ["PictureReport", "embed_pictures"]

_BATCH = 64
_SHARE = 4


@dataclass(slots=True)
class PictureReport:
    """What was done, in pictures."""

    embedded: int = 0
    broken: int = 0


def embed_pictures(
    catalog: Catalog, settings: Settings, encoders: Encoders, progress: Progress
) -> PictureReport:
    """Give every preview a thumbnail and a vector in each space; one transaction a batch of 64."""
    report = PictureReport()
    spaces = _spaces(catalog, encoders.all)
    with catalog.read() as session:
        total = previews.count_pending(session, list(spaces.values()))
    if not total:
        return report
    last = 0
    with (
        PreviewDecoder(workers=settings.decode_workers) as decoder,
        progress.stage("Looking at pictures", "pictures", total) as stage,
    ):
        while True:
            with catalog.read() as session:
                batch = previews.pending_previews(session, list(spaces.values()), last, _BATCH)
            if not batch:
                return report
            last = batch[-1].id
            _embed(catalog, settings, encoders.all, spaces, decoder, batch, report)
            stage.advance(len(batch))


def _spaces(catalog: Catalog, encoders: Sequence[Encoder]) -> dict[str, int]:
    """Key of each encoder's identity to the id of its space in the catalog."""
    with catalog.read() as session:
        known = {e.identity.key: vectors.space_id(session, e.identity.key) for e in encoders}
    if all(id_ is not None for id_ in known.values()):
        return {key: id_ for key, id_ in known.items() if id_ is not None}
    with catalog.write() as session:
        return {
            e.identity.key: vectors.open_space(
                session, e.identity.key, e.identity.space, e.identity.dimension, asdict(e.identity)
            )
            for e in encoders
        }


def _embed(
    catalog: Catalog,
    settings: Settings,
    encoders: Sequence[Encoder],
    spaces: dict[str, int],
    decoder: PreviewDecoder,
    batch: Sequence[previews.PendingPreview],
    report: PictureReport,
) -> None:
    decoded: dict[int, Decoded] = {}
    pictures: list[previews.Picture] = []
    for place, outcome in decoder.decode_many([_source(settings, item) for item in batch]):
        id_ = batch[place].id
        if isinstance(outcome, Decoded):
            decoded[id_] = outcome
            pictures.append(_picture(id_, outcome, settings.thumbnail_folder))
        elif isinstance(outcome, BadFileError):
            pictures.append(previews.Picture(id_, "broken", outcome.code, outcome.detail))
            report.broken += 1
        elif isinstance(outcome, TemporaryError) and outcome.code == "missing":
            pictures.append(previews.Picture(id_, "missing"))
    with catalog.read() as session:
        have = {
            e.identity.key: vectors.previews_in_space(session, spaces[e.identity.key], list(decoded))
            for e in encoders
        }
    fresh = {e.identity.key: _encode(e, decoded, have[e.identity.key]) for e in encoders}
    with catalog.write() as session:
        previews.record_pictures(session, pictures)
        for key, (ids, rows) in fresh.items():
            vectors.store_vectors(session, spaces[key], ids, rows)
        entries.refresh_entries(session, {item.version_id for item in batch}, architecture_path)
    report.embedded += len(decoded)


def _source(settings: Settings, item: previews.PendingPreview) -> Path:
    """The picture itself, or our own thumbnail of it when it is away."""
    if item.original is not None:
        path = settings.fetched_folder / item.original
    else:
        path = Path(os.fsdecode(item.location))
    if item.thumbnail is not None and not path.exists():
        return thumbnail_path(settings.thumbnail_folder, item.thumbnail)
    return path


def _picture(id_: int, decoded: Decoded, folder: Path) -> previews.Picture:
    return previews.Picture(
        id_,
        "ok",
        width=decoded.width,
        height=decoded.height,
        colour=decoded.colour,
        thumbnail=store_thumbnail(folder, decoded.thumbnail),
    )


def _encode(
    encoder: Encoder, decoded: dict[int, Decoded], have: set[int]
) -> tuple[list[int], np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    ids = [id_ for id_ in decoded if id_ not in have]
    if not ids:
        return [], np.zeros((0, encoder.identity.dimension), np.float32)
    images = [decoded[id_].rgb for id_ in ids]
    if encoder.identity.space == "semantic":
        return ids, encoder.encode(images)  # torch spreads over the cores by itself
    # numpy lets go of the interpreter while it counts, so threads share the work of the descriptors.
    shares = [images[start : start + _SHARE] for start in range(0, len(images), _SHARE)]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return ids, np.concatenate(list(pool.map(encoder.encode, shares)))
