"""Pictures: decode previews in killable processes, keep thumbnails, compute vectors; in small batches.

Workers decode and describe ahead while this process runs the image tower and writes. Each batch is one
transaction: a run that was killed loses the batch under way, and the next run goes on after it.
"""

import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import entries, previews, vectors
from indexer.catalog.database import Catalog
from indexer.domain.vocabulary import architecture_path
from indexer.embedding.decoding import Decoded, PreviewDecoder, Request, Wanted
from indexer.embedding.descriptors import DESCRIPTORS
from indexer.embedding.encoders import Encoder
from indexer.encoders import Encoders
from indexer.errors import BadFileError, TemporaryError
from indexer.progress import Progress
from indexer.settings import Settings
from indexer.thumbnails import store_thumbnail, thumbnail_path

__all__ = ["PictureReport", "embed_pictures"]

_BATCH = 64
_TUNED = 200
"""From so many pictures on, choosing the fastest arithmetic repays its cost."""

Vectors = NDArray[np.float32]
Outcome = Decoded | BadFileError | TemporaryError


@dataclass(slots=True)
class PictureReport:
    """What was done, in pictures."""

    embedded: int = 0
    broken: int = 0


@dataclass(frozen=True, slots=True)
class _Asked:
    """A picture under way: which spaces it lacks a vector in, and whether it needs a thumbnail."""

    item: previews.PendingPreview
    lacks: frozenset[str]
    wanted: Wanted


def embed_pictures(
    catalog: Catalog, settings: Settings, encoders: Encoders, progress: Progress
) -> PictureReport:
    """Give every preview a thumbnail and a vector in each space; one transaction a batch."""
    work = _Work(catalog, settings, encoders)
    total = work.pending()
    if not total:
        return work.report
    batch = max(_BATCH, encoders.semantic.group if encoders.semantic else 0)
    with (
        PreviewDecoder(workers=settings.decode_workers) as decoder,
        progress.stage("Looking at pictures", "pictures", total) as stage,
    ):
        outcomes = (outcome for _, outcome in decoder.decode_many(work.requests(), ahead=2 * batch))
        while group := list(islice(outcomes, batch)):
            if not work.report.embedded and total >= _TUNED:
                work.tune(group)
            work.store(group)
            stage.advance(len(group))
    return work.report


@dataclass(slots=True)
class _Work:
    """One run over what lacks something. Outcomes come back in the order of the requests."""

    catalog: Catalog
    settings: Settings
    encoders: Encoders
    report: PictureReport = field(default_factory=PictureReport)
    spaces: dict[str, int] = field(init=False)
    under_way: deque[_Asked] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.spaces = _spaces(self.catalog, self.encoders.all)

    def pending(self) -> int:
        """How many pictures lack something."""
        with self.catalog.read() as session:
            return previews.count_pending(session, list(self.spaces.values()))

    def requests(self) -> Iterator[Request]:
        """What to ask the decoder, page by page, as it makes room."""
        last = 0
        while True:
            with self.catalog.read() as session:
                page = previews.pending_previews(session, list(self.spaces.values()), last, _BATCH)
                ids = [item.id for item in page]
                have = {
                    key: vectors.previews_in_space(session, space, ids) for key, space in self.spaces.items()
                }
            if not page:
                return
            last = ids[-1]
            for item in page:
                asked = self._asked(item, {key for key, seen in have.items() if item.id not in seen})
                self.under_way.append(asked)
                yield Request(_source(self.settings, item), asked.wanted)

    def _asked(self, item: previews.PendingPreview, lacks: set[str]) -> _Asked:
        lacking = [encoder for encoder in self.encoders.all if encoder.identity.key in lacks]
        semantic = self.encoders.semantic
        view = semantic.view if semantic is not None and semantic.identity.key in lacks else None
        described = {
            e.identity.space: e.identity.dimension for e in lacking if e.identity.space in DESCRIPTORS
        }
        served = len(described) + (view is not None)
        wanted = Wanted(
            pixels=served < len(lacking),
            # A changed picture lost its vectors: one that has some has its own thumbnail too.
            thumbnail=item.thumbnail is None or len(lacks) == len(self.spaces),
            view=view,
            descriptors=described,
        )
        return _Asked(item, frozenset(lacks), wanted)

    def tune(self, group: Sequence[Outcome]) -> None:
        """Let the image tower choose its arithmetic on the first pictures."""
        views = [o.view for o in group if isinstance(o, Decoded) and o.view is not None]
        if views and self.encoders.semantic is not None:
            self.encoders.semantic.tune(views, self.settings.home / "arithmetic.json")

    def store(self, group: Sequence[Outcome]) -> None:
        """Compute what the workers did not, and write everything."""
        asked = [self.under_way.popleft() for _ in group]
        seen = [(a, o) for a, o in zip(asked, group, strict=True) if isinstance(o, Decoded)]
        pictures = [self._picture(a, o) for a, o in seen]
        for a, outcome in zip(asked, group, strict=True):
            if isinstance(outcome, BadFileError):
                pictures.append(previews.Picture(a.item.id, "broken", outcome.code, outcome.detail))
                self.report.broken += 1
            elif isinstance(outcome, TemporaryError) and outcome.code == "missing":
                pictures.append(previews.Picture(a.item.id, "missing"))
        fresh = {encoder.identity.key: self._rows(encoder, seen) for encoder in self.encoders.all}
        with self.catalog.write() as session:
            previews.record_pictures(session, pictures)
            for key, rows in fresh.items():
                vectors.store_vectors(session, self.spaces[key], list(rows), np.array(list(rows.values())))
            entries.refresh_entries(session, {a.item.version_id for a in asked}, architecture_path)
        self.report.embedded += len(seen)

    def _rows(self, encoder: Encoder, seen: Sequence[tuple[_Asked, Decoded]]) -> Mapping[int, Vectors]:
        """The vectors of an encoder by picture, where they lack."""
        lacking = [(a.item.id, o) for a, o in seen if encoder.identity.key in a.lacks]
        ids, decoded = [id_ for id_, _ in lacking], [o for _, o in lacking]
        if encoder.identity.space in DESCRIPTORS:
            return dict(zip(ids, (o.vectors[encoder.identity.space] for o in decoded), strict=True))
        semantic = self.encoders.semantic
        views = [o.view for o in decoded if o.view is not None]
        if semantic is not None and semantic is encoder and len(views) == len(ids):
            return dict(zip(ids, semantic.encode_views(views), strict=True))
        return dict(zip(ids, encoder.encode([o.rgb for o in decoded]), strict=True))

    def _picture(self, asked: _Asked, decoded: Decoded) -> previews.Picture:
        folder = self.settings.thumbnail_folder
        return previews.Picture(
            asked.item.id,
            "ok",
            width=decoded.width,
            height=decoded.height,
            colour=decoded.colour,
            thumbnail=store_thumbnail(folder, decoded.thumbnail)
            if decoded.thumbnail
            else asked.item.thumbnail,
        )


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


def _source(settings: Settings, item: previews.PendingPreview) -> Path:
    """The picture itself, or our own thumbnail of it when it is away."""
    if item.original is not None:
        path = settings.fetched_folder / item.original
    else:
        path = Path(os.fsdecode(item.location))
    if item.thumbnail is not None and not path.exists():
        return thumbnail_path(settings.thumbnail_folder, item.thumbnail)
    return path
