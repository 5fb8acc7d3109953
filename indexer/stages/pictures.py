"""Pictures: decode previews in killable processes, keep thumbnails, compute vectors; in small batches.

Workers decode and describe ahead while this process runs the image tower and writes. Each batch is one
transaction: a run that was killed loses the batch under way, and the next run goes on after it.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from indexer.embedding.encoders import Encoder, ImageEncoder
from indexer.embedding.style_pair import StylePair
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
    """A picture under way: which spaces it lacks a vector in, and whether all else of it is to be found."""

    item: previews.PendingPreview
    lacks: frozenset[str]
    wanted: Wanted
    fresh: bool


@dataclass(frozen=True, slots=True)
class _Group:
    """A batch whose vectors are being computed: what decoding found, and a promise of rows an encoder."""

    asked: Sequence[_Asked]
    pictures: Sequence[previews.Picture]
    rows: Mapping[str, Callable[[], Mapping[int, Vectors]]]
    embedded: int


def embed_pictures(
    catalog: Catalog, settings: Settings, encoders: Encoders, progress: Progress
) -> PictureReport:
    """Give every preview a thumbnail and a vector in each space; one transaction a batch.

    While the image tower sees one batch, the next is decoded and the one before is written.
    """
    work = _Work(catalog, settings, encoders)
    total = work.pending()
    if not total:
        return work.report
    batch = max([_BATCH, *(tower.group for tower in encoders.towers)])
    with (
        PreviewDecoder(workers=settings.decode_workers) as decoder,
        progress.stage("Looking at pictures", "pictures", total) as stage,
    ):
        outcomes = (outcome for _, outcome in decoder.decode_many(work.requests(), ahead=2 * batch))
        before: _Group | None = None
        while found := list(islice(outcomes, batch)):
            if before is None and total >= _TUNED:
                work.tune(found)
            begun = work.begin(found)
            if before is not None:
                stage.advance(work.store(before))
            before = begun
        if before is not None:
            stage.advance(work.store(before))
    return work.report


@dataclass(slots=True)
class _Work:
    """One run over what lacks something. Outcomes come back in the order of the requests."""

    catalog: Catalog
    settings: Settings
    encoders: Encoders
    report: PictureReport = field(default_factory=PictureReport)
    keys: dict[str, Encoder] = field(init=False)
    spaces: dict[str, int] = field(init=False)
    under_way: deque[_Asked] = field(default_factory=deque)
    wishes: dict[tuple[frozenset[str], bool, bool], Wanted] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.keys = {encoder.identity.key: encoder for encoder in self.encoders.all}
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
        # A changed picture lost its vectors: one that has some has its own thumbnail too.
        changed = item.thumbnail is None or len(lacks) == len(self.spaces)
        fresh = changed or item.status != "ok"
        lacking = frozenset(lacks)
        return _Asked(item, lacking, self._wanted(lacking, changed, fresh), fresh)

    def _wanted(self, lacks: frozenset[str], changed: bool, fresh: bool) -> Wanted:
        """What workers are to make of a picture; the same for most."""
        known = self.wishes.get((lacks, changed, fresh))
        if known is not None:
            return known
        atoms = [atom for key, encoder in self.keys.items() if key in lacks for atom in _atoms(encoder)]
        sides = [tower.view for tower in self.encoders.towers if tower in atoms and tower.view is not None]
        view = sides[0] if sides else None
        described = {a.identity.space: a.identity.dimension for a in atoms if a.identity.space in DESCRIPTORS}
        served = len(described) + sum(side == view for side in sides)
        wanted = Wanted(served < len(atoms), changed, view, described, colour=fresh)
        return self.wishes.setdefault((lacks, changed, fresh), wanted)

    def tune(self, found: Sequence[Outcome]) -> None:
        """Let the image towers choose their arithmetic on the first pictures."""
        first = list(zip(self.under_way, found, strict=False))
        for tower in self.encoders.towers:
            seen = [o.view for a, o in first if isinstance(o, Decoded) and _sees(tower, a)]
            views = [view for view in seen if view is not None]
            if views:
                tower.tune(views, self.settings.home / "arithmetic.json")

    def begin(self, found: Sequence[Outcome]) -> _Group:
        """Start what the workers did not compute."""
        asked = [self.under_way.popleft() for _ in found]
        seen = [(a, o) for a, o in zip(asked, found, strict=True) if isinstance(o, Decoded)]
        pictures = [self._picture(a, o) for a, o in seen if a.fresh]
        for a, outcome in zip(asked, found, strict=True):
            if isinstance(outcome, BadFileError):
                pictures.append(previews.Picture(a.item.id, "broken", outcome.code, outcome.detail))
                self.report.broken += 1
            elif isinstance(outcome, TemporaryError) and outcome.code == "missing":
                pictures.append(previews.Picture(a.item.id, "missing"))
        return _Group(asked, pictures, {key: self._rows(key, seen) for key in self.keys}, len(seen))

    def store(self, group: _Group) -> int:
        """Wait for the vectors and write everything; answers how many pictures that were."""
        rows_of = {key: promised() for key, promised in group.rows.items()}
        told = {picture.preview_id for picture in group.pictures}
        versions = {a.item.version_id for a in group.asked if a.item.id in told}
        with self.catalog.write() as session:
            previews.record_pictures(session, group.pictures)
            for key, rows in rows_of.items():
                vectors.store_vectors(session, self.spaces[key], list(rows), np.array(list(rows.values())))
            entries.refresh_entries(session, versions, architecture_path)
        self.report.embedded += group.embedded
        return len(group.asked)

    def _rows(self, key: str, seen: Sequence[tuple[_Asked, Decoded]]) -> Callable[[], Mapping[int, Vectors]]:
        """A promise of the vectors of an encoder by picture, where they lack."""
        lacking = [(a, o) for a, o in seen if key in a.lacks]
        if not lacking:
            return dict
        ids = [a.item.id for a, _ in lacking]
        begun = [self._begun(atom, lacking) for atom in _atoms(self.keys[key])]
        return lambda: dict(zip(ids, np.concatenate([rows() for rows in begun], axis=1), strict=True))

    def _begun(self, atom: Encoder, lacking: Sequence[tuple[_Asked, Decoded]]) -> Callable[[], Vectors]:
        """A promise of (n, dimension): what workers computed, or what a tower makes of views or of pixels."""
        if atom.identity.space in DESCRIPTORS:
            described = np.stack([o.vectors[atom.identity.space] for _, o in lacking])
            return lambda: described
        tower = next((tower for tower in self.encoders.towers if tower is atom), None)
        views = [o.view for a, o in lacking if tower is not None and _sees(tower, a) if o.view is not None]
        if tower is not None and len(views) == len(lacking):
            return tower.begin_views(views)
        computed = atom.encode([o.rgb for _, o in lacking])
        return lambda: computed

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


def _atoms(encoder: Encoder) -> Sequence[Encoder]:
    """What computes an encoder's vectors, part by part."""
    return (encoder.statistics, encoder.network) if isinstance(encoder, StylePair) else (encoder,)


def _sees(tower: ImageEncoder, asked: _Asked) -> bool:
    """Whether the view that was asked for is the tower's."""
    return asked.wanted.view is not None and asked.wanted.view == tower.view


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
