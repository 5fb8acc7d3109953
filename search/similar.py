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
from indexer.embedding.encoders import unit_rows
from indexer.embedding.style_space import StyleSpace, load_space
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
        self._lock = threading.Lock()
        self._open: dict[str, FaissIndex] = {}
        self._space: StyleSpace | None = None

    @cached_property
    def encoders(self) -> Encoders:
        """The encoders that indexing uses too."""
        return active_encoders(self.settings, Silent())

    @cached_property
    def decoder(self) -> PreviewDecoder:
        """One killable process that decodes the pictures of strangers."""
        return PreviewDecoder(workers=1)

    def close(self) -> None:
        """End the decoding process."""
        if "decoder" in self.__dict__:
            self.decoder.close()

    def of_image(self, image: bytes | Path, by: str, allowed: Sequence[int] | None) -> dict[int, float]:
        """Entries that look like a picture: id -> score 0..1. ``allowed`` entries only, unless None.

        Raises ``UsageError`` (``image``) when the picture cannot be read.
        """
        index, space = self._style() if by == "style" else (self._content(), None)
        rgb = [self._decode(image).rgb]
        if space is not None:
            query = space.transform(self.encoders.style.encode(rgb), self.encoders.content.encode(rgb))
        else:
            query = unit_rows((self.encoders.semantic or self.encoders.content).encode(rgb))
        return self._nearest(index, space, query, allowed, left_out=None)

    def of_entry(self, entry: Document, by: str, allowed: Sequence[int] | None) -> dict[int, float]:
        """Entries that look like an entry's previews, itself left out.

        Raises ``UsageError`` (``no_preview``) when it has none that was looked at.
        """
        with self.catalog.read() as session:
            mine = np.array(sorted(vectors.previews_of_versions(session, [entry.id])), np.int64)
        index, space = self._style() if by == "style" else (self._content(), None)
        known = np.intersect1d(mine, index.ids())
        if not len(known):
            raise UsageError(
                "no_preview",
                f"{entry.name!r} has no preview that was looked at, so nothing can look like it.",
            )
        return self._nearest(index, space, index.vectors(known), allowed, left_out=entry.id)

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
            index = self._published("style", None)
            if self._space is None or self._space.identity.key != index.identity:
                self._space = load_space(self.settings.vector_folder, index.identity)
            return index, self._space

    def _content(self) -> FaissIndex:
        with self._lock:
            encoder = self.encoders.semantic or self.encoders.content
            return self._published("content", encoder.identity.key)

    def _published(self, name: str, identity: str | None) -> FaissIndex:
        """The index on disk, reopened when a newer generation stands there.

        Raises ``UsageError`` when there is none, or when it holds vectors of other weights than those in use.
        """
        folder = self.settings.vector_folder / name
        newest = saved_generation(folder)
        if not newest:
            raise UsageError("no_vectors", "No picture was indexed yet. Run: pinakes index FOLDER")
        opened = self._open.get(name)
        if opened is None or opened.generation != newest:
            opened = FaissIndex.load(folder, read_manifest(folder).identity)
            self._open[name] = opened
        if identity is not None and opened.identity != identity:
            raise UsageError(
                "other_weights", "The pictures were indexed with other weights. Run: pinakes index"
            )
        return opened

    def _nearest(
        self,
        index: FaissIndex,
        space: StyleSpace | None,
        queries: Vectors,
        allowed: Sequence[int] | None,
        left_out: int | None,
    ) -> dict[int, float]:
        """Best preview of each entry for each query, averaged over the queries; entry id -> score."""
        among = self._previews(allowed)
        best: dict[int, list[float]] = {}
        for ids, raw in index.search_many(queries, NEAREST, among):
            scores = space.scores(raw) if space is not None else np.clip(raw, 0.0, 1.0)
            with self.catalog.read() as session:
                owners = vectors.versions_of_previews(session, [int(id_) for id_ in ids])
            found: dict[int, float] = {}
            for id_, score in zip(ids, scores, strict=True):
                owner = owners.get(int(id_))
                if owner is not None and owner != left_out:
                    found[owner] = max(found.get(owner, 0.0), float(score))
            for owner, score in found.items():
                best.setdefault(owner, []).append(score)
        return {owner: sum(scores) / len(queries) for owner, scores in best.items()}

    def _previews(self, allowed: Sequence[int] | None) -> NDArray[np.int64] | None:
        if allowed is None:
            return None
        with self.catalog.read() as session:
            return np.array(sorted(vectors.previews_of_versions(session, allowed)), np.int64)
