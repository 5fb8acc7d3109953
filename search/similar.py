"""What looks like this? Pictures against pictures, in two spaces that never meet: style and content."""

import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import vectors
from indexer.catalog.database import Catalog
from indexer.domain.records import Document
from indexer.embedding.decoding import Decoded, PreviewDecoder
from indexer.embedding.encoders import Encoder, unit_rows
from indexer.embedding.style_space import StyleSpace
from indexer.embedding.style_store import load_style_space
from indexer.encoders import Encoders, active_encoders
from indexer.errors import BadFileError, TemporaryError, UsageError
from indexer.indexes.vector_manifest import read_manifest
from indexer.indexes.vectors import FaissIndex, saved_generation
from indexer.progress import Silent
from indexer.settings import Settings

__all__ = ["Looks"]

Vectors = NDArray[np.float32]
NEAREST = 400
"""Previews looked at for one answer; several belong to one entry."""


class Looks:
    """The two vector indexes with what is needed to ask them. Many threads may share it."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self.settings = settings
        self.catalog = catalog
        # Worker processes start when the first picture comes.
        self.decoder = PreviewDecoder(workers=1)
        self._lock = threading.Lock()
        self._loading = threading.Lock()
        self._open: dict[str, FaissIndex] = {}
        self._space: StyleSpace | None = None

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

    def of_image(self, image: bytes | Path, by: str, allowed: Sequence[int] | None) -> dict[int, float]:
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

    def of_entry(self, entry: Document, by: str, allowed: Sequence[int] | None) -> dict[int, float]:
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

    def _style(self) -> tuple[FaissIndex, StyleSpace]:
        """The style index with the space that was fitted for it."""
        with self._lock:
            index = self._published("style")
            if self._space is None or self._space.identity.key != index.identity:
                self._space = load_style_space(self.settings.style_space_file(index.identity))
            if self._space.identity.preprocessing != "+".join(e.identity.key for e in self._two):
                raise _other_weights()
            return index, self._space

    def _content(self) -> FaissIndex:
        with self._lock:
            index = self._published("content")
            if index.identity != self.encoders.seen.identity.key:
                raise _other_weights()
            return index

    def _published(self, name: str) -> FaissIndex:
        """The index on disk, reopened when a newer generation stands there.

        Raises ``UsageError`` (``no_vectors``) when there is none.
        """
        folder = self.settings.vector_folder / name
        newest = saved_generation(folder)
        if not newest:
            raise UsageError("no_vectors", "No picture was indexed yet. Run: pinakes index FOLDER")
        opened = self._open.get(name)
        if opened is None or opened.generation != newest:
            opened = FaissIndex.load(folder, read_manifest(folder).identity)
            self._open[name] = opened
        return opened

    def _by_style(
        self, index: FaissIndex, space: StyleSpace, rows: Vectors, allowed: Sequence[int] | None
    ) -> dict[int, float]:
        """Entries by the mean over all pairs of previews, which is the product of the mean rows."""
        among = None if allowed is None else np.array(sorted(allowed), np.int64)
        ids, raw = index.search(rows.mean(0), NEAREST, among)
        scores = space.calibrate(raw)
        return {int(id_): float(score) for id_, score in zip(ids, scores, strict=True)}

    def _by_content(
        self, index: FaissIndex, queries: Vectors, allowed: Sequence[int] | None
    ) -> dict[int, float]:
        """Entries by their best preview for each query, averaged over the queries; cosine below 0 is 0."""
        among = self._previews(allowed)
        best: dict[int, list[float]] = {}
        for ids, scores in index.search_many(queries, NEAREST, among):
            with self.catalog.read() as session:
                owners = vectors.versions_of_previews(session, [int(id_) for id_ in ids])
            found: dict[int, float] = {}
            for id_, score in zip(ids, np.clip(scores, 0.0, 1.0), strict=True):
                owner = owners.get(int(id_))
                if owner is not None:
                    found[owner] = max(found.get(owner, 0.0), float(score))
            for owner, score in found.items():
                best.setdefault(owner, []).append(score)
        return {owner: sum(scores) / len(queries) for owner, scores in best.items()}

    def _previews(self, allowed: Sequence[int] | None) -> NDArray[np.int64] | None:
        if allowed is None:
            return None
        with self.catalog.read() as session:
            return np.array(sorted(vectors.previews_of_versions(session, allowed)), np.int64)


def _other_weights() -> UsageError:
    return UsageError("other_weights", "The pictures were indexed with other weights. Run: pinakes index")
