"""What looks like this? Pictures against pictures, in two spaces that never meet: style and content."""

import math
import threading
from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import vectors, weights
from indexer.catalog.database import Catalog
from indexer.domain.records import Document
from indexer.domain.vocabulary import architecture_path, architectures
from indexer.embedding.adapter_vector import IDENTITY
from indexer.embedding.decoding import Decoded, PreviewDecoder
from indexer.embedding.encoders import Encoder, unit_rows
from indexer.embedding.style_space import StyleSpace
from indexer.embedding.style_store import load_style_space
from indexer.encoders import Encoders, active_encoders
from indexer.errors import BadFileError, TemporaryError, UsageError
from indexer.indexes.vector_base import VectorIndex
from indexer.indexes.vector_manifest import saved_generation
from indexer.indexes.vector_owners import Owners
from indexer.indexes.vector_store import open_index, read_beside
from indexer.progress import Silent
from indexer.settings import Settings
from search.calibration import LEAST, calibrated
from search.narrowing import Fixed, Narrowed
from search.nearest import nearest
from search.ranking import load_weights

__all__ = ["Looks"]

Vectors = NDArray[np.float32]
NEAREST = 400
"""Previews looked at for one answer; several belong to one entry."""

AT_LARGE = 2_048
"""Pictures that a query is held against to see what is rare."""

REMEMBERED = 512
"""Queries whose vectors are kept."""


class Looks:
    """The two vector indexes with what is needed to ask them. Many threads may share it."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self.settings = settings
        self.catalog = catalog
        # Worker processes start when the first picture comes.
        self.decoder = PreviewDecoder(workers=1)
        self._lock = threading.Lock()
        self._loading = threading.Lock()
        self._open: dict[str, VectorIndex] = {}
        self._space: StyleSpace | None = None
        self._large: dict[str, tuple[VectorIndex, Vectors]] = {}
        self._owners: tuple[VectorIndex, Owners] | None = None
        self._text_vector = lru_cache(REMEMBERED)(self._encode_text)

    @cached_property
    def _encoders(self) -> Encoders:
        return active_encoders(self.settings, Silent())

    @property
    def encoders(self) -> Encoders:
        """The encoders that indexing uses too; loaded once, at first use."""
        with self._loading:
            return self._encoders

    def close(self) -> None:
        """End the decoding process."""
        self.decoder.close()

    def of_image(self, image: bytes | Path, by: str, allowed: Narrowed | None) -> dict[int, float]:
        """Entries that look like a picture: id -> score 0..1. ``allowed`` entries only, unless None.

        Raises ``UsageError`` (``image``) when the picture cannot be read.
        """
        if by == "style":
            index, space = self._style()
            rgb = [self._decode(image).rgb]
            rows = space.query_rows(self.encoders.style.encode(rgb), self.encoders.seen.encode(rgb))
            return self._by_style(index, space, rows, allowed)
        content = self._content()
        seen = self.encoders.seen.encode([self._decode(image).rgb])
        return self._by_content(content, unit_rows(seen), allowed)

    def of_entry(self, entry: Document, by: str, allowed: Narrowed | None) -> dict[int, float]:
        """Entries that look like an entry's previews, itself left out.

        Raises ``UsageError`` (``no_preview``) when it has none that was looked at.
        """
        published = self._style() if by == "style" else self._content()
        with self.catalog.read() as session:
            previews = sorted(vectors.previews_of_versions(session, [entry.id]))
        style, seen = (self._stored(encoder, previews) for encoder in self._two)
        if not len(style) or len(style) != len(seen):
            raise UsageError(
                "no_preview",
                f"{entry.name!r} has no preview that was looked at, so nothing can look like it.",
            )
        if isinstance(published, tuple):
            index, space = published
            found = self._by_style(index, space, space.query_rows(style, seen), allowed)
        else:
            found = self._by_content(published, unit_rows(seen), allowed)
        found.pop(entry.id, None)
        return found

    def of_words(self, text: str, allowed: Narrowed | None) -> dict[int, float]:
        """Entries whose pictures show what words say: id -> score 0..1 by the best of its previews.

        The nearest previews are looked at. Only where ``speaks``.
        """
        return self._by_content(self._content(), self._text_vector(text), allowed)

    def of_words_at(self, text: str, entries: Sequence[int]) -> dict[int, float]:
        """As ``of_words`` for a few entries, all of whose previews are looked at."""
        index, among = self._content(), Fixed(entries)
        previews = self._owners_of(index).vectors_of(among.ids())
        return self._by_content(index, self._text_vector(text), among, max(1, len(previews)))

    def speaks(self) -> bool:
        """Whether CLIP weights are in use and pictures were indexed with them."""
        if self.settings.clip_pretrained is None or self.encoders.semantic is None:
            return False
        try:
            return len(self._content()) > 0
        except UsageError:
            return False

    def cut_off(self, by: str) -> float:
        """The score below which nothing is called similar; 0 by weights, and where fewer than 20 pictures are
        indexed: then scores say nothing of how rare they are."""
        if by == "weights":
            return 0.0
        enough = len(self._style()[0] if by == "style" else self._content()) >= LEAST
        return load_weights().numbers[f"alike_{by}"] if enough else 0.0

    def _encode_text(self, text: str) -> Vectors:
        assert self.encoders.semantic is not None  # asked before
        return self.encoders.semantic.encode_text([text])

    def of_weights(self, entry: Document, allowed: Narrowed | None) -> dict[int, float]:
        """Adapters of the same architecture that change the model as an entry does, itself left out; an exact
        scan of all that were measured.

        Raises ``UsageError`` (``no_weights``) when the entry's weights were not measured, or cannot work.
        """
        with self.catalog.read() as session:
            space = vectors.space_id(session, IDENTITY.key)
            known = weights.weights_of_versions(session, space or 0, [entry.id])[2]
            if space is None or not len(known):
                raise UsageError(
                    "no_weights",
                    f"The weights of {entry.name!r} were not measured: that is done for LoRAs in safetensors "
                    "when they are indexed. Run: pinakes index",
                )
            query = unit_rows(known.mean(0, keepdims=True))[0]
            best: dict[int, float] = {}
            for ids, _, rows in weights.iterate_weights(session, space, _relatives(entry)):
                owners = weights.versions_of(session, ids.tolist())
                for id_, score in zip(ids, np.clip(rows @ query, 0.0, 1.0), strict=True):
                    owner = owners[int(id_)]
                    best[owner] = max(best.get(owner, 0.0), float(score))
        best.pop(entry.id, None)
        wanted = best.keys() if allowed is None else allowed.among(best).tolist()
        first = sorted(wanted, key=lambda id_: -best[id_])[:NEAREST]
        return {id_: best[id_] for id_ in first}

    @property
    def _two(self) -> tuple[Encoder, Encoder]:
        return self.encoders.style, self.encoders.seen

    def _stored(self, encoder: Encoder, previews: Sequence[int]) -> Vectors:
        """The vectors of previews as the encoder made them; none where it never saw them."""
        with self.catalog.read() as session:
            space = vectors.space_id(session, encoder.identity.key)
            if space is None:
                return np.empty((0, 0), np.float32)
            return vectors.vectors_of(session, space, previews)[1]

    def _decode(self, image: bytes | Path) -> Decoded:
        if isinstance(image, Path) and not image.is_file():
            raise UsageError("image", f"There is no picture {str(image)!r}. Check its name.")
        try:
            return self.decoder.decode(image)
        except (BadFileError, TemporaryError) as error:
            raise UsageError("image", f"The picture cannot be read: {error.detail}") from error

    def _style(self) -> tuple[VectorIndex, StyleSpace]:
        """The style index with the space that was fitted for it."""
        with self._lock:
            index = self._published("style")
            if self._space is None or self._space.identity.key != index.identity:
                self._space = load_style_space(self.settings.style_space_file(index.identity))
            if self._space.identity.preprocessing != "+".join(e.identity.key for e in self._two):
                raise _other_weights()
            return index, self._space

    def style_index(self) -> tuple[VectorIndex, StyleSpace, Vectors]:
        """For questions in batches: the style index (one row an entry), the space that was fitted for it, and
        an even sample of its rows (m, d). Raises ``UsageError`` (``no_vectors``, ``other_weights``)."""
        index, space = self._style()
        return index, space, self._at_large(index)

    def _content(self) -> VectorIndex:
        with self._lock:
            index = self._published("content")
            if index.identity != self.encoders.seen.identity.key:
                raise _other_weights()
            return index

    def _published(self, name: str) -> VectorIndex:
        """The index on disk, reopened when a newer generation stands there.

        Raises ``UsageError`` (``no_vectors``) when there is none.
        """
        folder = self.settings.vector_folder / name
        newest = saved_generation(folder)
        if not newest:
            raise UsageError("no_vectors", "No picture was indexed yet. Run: pinakes index FOLDER")
        opened = self._open.get(name)
        if opened is None or opened.generation != newest:
            opened = open_index(folder)
            self._open[name] = opened
        return opened

    def _by_style(
        self, index: VectorIndex, space: StyleSpace, rows: Vectors, allowed: Narrowed | None
    ) -> dict[int, float]:
        """Entries by the mean over all pairs of previews, which is the product of the mean rows."""
        ((ids, raw),) = nearest(index, rows.mean(0, keepdims=True), NEAREST, allowed, None)
        others = np.einsum("ij,j->i", self._at_large(index), rows.mean(0))
        scores = calibrated(raw, others, math.inf) if len(others) >= LEAST else space.calibrate(raw)
        return {int(id_): float(score) for id_, score in zip(ids, scores, strict=True)}

    def _by_content(
        self, index: VectorIndex, queries: Vectors, allowed: Narrowed | None, count: int | None = None
    ) -> dict[int, float]:
        """Entries by their best preview for each query, averaged over the queries; calibrated."""
        # Not by BLAS: waking its threads costs ten times the sum.
        at_large = np.einsum("ij,kj->ik", queries, self._at_large(index))
        owners = self._owners_of(index)
        best: dict[int, list[float]] = {}
        found_all = nearest(index, queries, count or NEAREST, allowed, owners)
        for (ids, cosines), others in zip(found_all, at_large, strict=True):
            scores = calibrated(cosines, others)
            found: dict[int, float] = {}
            for owner, score in zip(owners.of(ids).tolist(), scores.tolist(), strict=True):
                if owner >= 0:
                    found[owner] = max(found.get(owner, 0.0), score)
            for owner, score in found.items():
                best.setdefault(owner, []).append(score)
        return {owner: sum(scores) / len(queries) for owner, scores in best.items()}

    def _at_large(self, index: VectorIndex) -> Vectors:
        """(m, d): an even sample of an index."""
        kept = self._large.get(index.identity)
        if kept is None or kept[0] is not index:
            ids = index.ids()
            places = np.linspace(0, max(len(ids) - 1, 0), min(len(ids), AT_LARGE)).round().astype(np.int64)
            kept = self._large[index.identity] = (index, index.vectors(np.asarray(ids)[places]))
        return kept[1]

    def _owners_of(self, index: VectorIndex) -> Owners:
        """Whose each vector of the content index is: as it was written beside the index, else as the catalog
        knows it."""
        with self._lock:
            kept = self._owners
            if kept is None or kept[0] is not index:
                manifest, pairs = read_beside(self.settings.vector_folder / "content")
                if pairs is None or manifest.identity != index.identity:
                    with self.catalog.read() as session:
                        space = vectors.space_id(session, index.identity)
                        pairs = vectors.members_in_spaces(session, [space or 0])
                kept = self._owners = (index, Owners(pairs))
            return kept[1]


def _relatives(entry: Document) -> list[str]:
    """All architectures below the root of an entry's own: adapters of others have other modules."""
    if not entry.architecture_path:
        return [entry.architecture] if entry.architecture else []
    root = entry.architecture_path[0]
    return [id_ for id_ in architectures() if architecture_path(id_)[0] == root]


def _other_weights() -> UsageError:
    return UsageError("other_weights", "The pictures were indexed with other weights. Run: pinakes index")
