"""What a vector index promises, and what the exact twins of it share."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from indexer.indexes.vector_manifest import Manifest, VectorIndexError, read_generation, write_generation

__all__ = ["FlatIndex", "Ids", "Positions", "VectorIndex", "Vectors", "margin"]

Ids = NDArray[np.int64]
Vectors = NDArray[np.float32]
Positions = NDArray[np.intp]
STEP = 1e-6  # scores nearer than this are ties; float32 sums of unit vectors are good to a tenth of it


class VectorIndex(Protocol):
    """Vectors of one identity under int64 ids. Errors are ``VectorIndexError`` with one of ``CODES``."""

    @property
    def identity(self) -> str:
        """``VectorIdentity.key`` of every vector in here."""
        ...

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        ...

    @property
    def generation(self) -> int:
        """The saved generation this was loaded from or last saved as; 0 before."""
        ...

    def __len__(self) -> int: ...

    def ids(self) -> Ids:
        """All ids, ascending."""
        ...

    def put(self, ids: Ids, vectors: Vectors) -> None:
        """Add (n, dimension) ``vectors`` under ``ids`` (n), replacing those that are there."""
        ...

    def remove(self, ids: Ids) -> int:
        """Remove ``ids``; returns how many were there."""
        ...

    def vectors(self, ids: Ids) -> Vectors:
        """(n, dimension) rows of ``ids``, all of which must be there."""
        ...

    def search(self, vector: Vectors, k: int, allowed_ids: Ids | None = None) -> tuple[Ids, Vectors]:
        """Ids and scores (at most ``k`` each) by descending inner product, then ascending id.

        ``allowed_ids`` limits the answer; ids that are not here are ignored. None allows all.
        """
        ...

    def search_many(
        self, vectors: Vectors, k: int, allowed_ids: Ids | None = None
    ) -> list[tuple[Ids, Vectors]]:
        """``search`` for each row of ``vectors`` (n, dimension), in one pass."""
        ...

    def save(self, folder: Path) -> int:
        """Write the next generation and return its number; readers see the old or the new one."""
        ...


class FlatIndex(ABC):
    """What the twins share: ids, checks, the order of results, files. Rows are addressed by position."""

    def __init__(self, identity: str, dimension: int) -> None:
        self._identity, self._dimension, self._generation = identity, dimension, 0
        self._ids: Ids = np.zeros(0, np.int64)
        self._order: Positions = np.zeros(0, np.intp)

    @property
    def identity(self) -> str:
        return self._identity

    @property
    def dimension(self) -> int:
        return self._dimension

    @property
    def generation(self) -> int:
        return self._generation

    def __len__(self) -> int:
        return len(self._ids)

    def ids(self) -> Ids:
        return self._ids[self._order]

    def put(self, ids: Ids, vectors: Vectors) -> None:
        ids = np.asarray(ids, np.int64)
        rows = self._checked(np.atleast_2d(vectors) if len(ids) else np.zeros((0, self._dimension)))
        if ids.shape != (len(rows),) or len(np.unique(ids)) != len(ids) or (ids < 0).any():
            raise VectorIndexError("ids", f"{len(rows)} vectors need as many different ids of 0 or more")
        if len(ids):
            self.remove(ids)
            self._append(rows)
            self._set_ids(np.concatenate([self._ids, ids]))

    def remove(self, ids: Ids) -> int:
        positions = self._positions(ids)
        if len(positions):
            self._delete(positions)
            self._set_ids(np.delete(self._ids, positions))
        return len(positions)

    def vectors(self, ids: Ids) -> Vectors:
        wanted = np.asarray(ids, np.int64)
        places = np.searchsorted(self._ids, wanted, sorter=self._order)
        found = places < len(self._ids)
        positions = self._order[places[found]]
        if not found.all() or (self._ids[positions] != wanted).any():
            raise VectorIndexError(
                "ids", "vectors were asked for ids that are not in the index; add them first"
            )
        return self._rows(positions)

    def search(self, vector: Vectors, k: int, allowed_ids: Ids | None = None) -> tuple[Ids, Vectors]:
        return self.search_many(np.asarray(vector)[None, :], k, allowed_ids)[0]

    def search_many(
        self, vectors: Vectors, k: int, allowed_ids: Ids | None = None
    ) -> list[tuple[Ids, Vectors]]:
        queries = self._checked(vectors)
        allowed = None if allowed_ids is None else self._positions(allowed_ids)
        room = len(self._ids) if allowed is None else len(allowed)
        if min(k, room) < 1:
            return [(np.zeros(0, np.int64), np.zeros(0, np.float32)) for _ in queries]
        candidates = self._candidates(queries, min(k, room), allowed)
        return [self._ranked(query, found, k) for query, found in zip(queries, candidates, strict=True)]

    def save(self, folder: Path) -> int:
        manifest = write_generation(folder, self._identity, self._dimension, self._ids, self._write)
        self._generation = manifest.generation
        return manifest.generation

    @classmethod
    def load(cls, folder: Path, identity: str) -> Self:
        """The saved index, if it holds vectors of ``identity`` and is intact; else ``VectorIndexError``."""
        index = cls(identity, 0)
        manifest, ids = read_generation(folder, identity, index._read)
        index._adopt(manifest, ids)
        return index

    def _adopt(self, manifest: Manifest, ids: Ids) -> None:
        self._dimension, self._generation = manifest.dimension, manifest.generation
        self._set_ids(ids)

    def _set_ids(self, ids: Ids) -> None:
        self._ids, self._order = ids, np.argsort(ids, kind="stable")

    def _positions(self, ids: Ids) -> Positions:
        """Ascending positions of those ``ids`` that are here."""
        wanted = np.unique(np.asarray(ids, np.int64))
        places = np.searchsorted(self._ids, wanted, sorter=self._order)
        places = self._order[np.minimum(places, max(len(self._ids) - 1, 0))] if len(self._ids) else places[:0]
        return np.sort(places[self._ids[places] == wanted[: len(places)]])

    def _checked(self, vectors: NDArray[Any]) -> Vectors:
        rows = np.ascontiguousarray(vectors, np.float32)
        if rows.ndim != 2 or rows.shape[1] != self._dimension:
            raise VectorIndexError(
                "dimension", f"vectors of shape {rows.shape}; rows of {self._dimension} needed"
            )
        if not np.isfinite(rows).all():
            raise VectorIndexError("not_finite", "a vector holds NaN or infinity; encode its preview again")
        return rows

    def _ranked(self, query: Vectors, positions: NDArray[np.int64], k: int) -> tuple[Ids, Vectors]:
        """The best ``k`` of ``positions``: scored again in double precision, so that equal rows tie."""
        scores = self._rows(positions).astype(np.float64) @ query.astype(np.float64)
        order = np.lexsort((self._ids[positions], -np.round(scores / STEP)))[:k]
        return self._ids[positions[order]], scores[order].astype(np.float32)

    @abstractmethod
    def _append(self, rows: Vectors) -> None:
        """Put ``rows`` behind the last position."""

    @abstractmethod
    def _delete(self, positions: Positions) -> None:
        """Close the gaps at ``positions``, keeping the order."""

    @abstractmethod
    def _rows(self, positions: NDArray[np.integer]) -> Vectors:
        """A copy of the rows at ``positions``."""

    @abstractmethod
    def _candidates(self, queries: Vectors, k: int, allowed: Positions | None) -> list[NDArray[np.int64]]:
        """For each query, positions that hold the best ``k`` and all that may tie with the last of them."""

    @abstractmethod
    def _write(self, path: Path) -> None:
        """Write all rows in FAISS's flat layout."""

    @abstractmethod
    def _read(self, path: Path) -> None:
        """Take over the rows of a checked file; raises ``FileNotFoundError`` if it has just been removed."""


def margin(best: float) -> float:
    """How far below a score another may lie and still tie with it after exact scoring."""
    return 4.0 * STEP * max(1.0, abs(best))
