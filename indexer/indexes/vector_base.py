"""What a vector index promises, and what the exact twins of it share."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from indexer.indexes.vector_generation import GenerationWriter, packed, writing
from indexer.indexes.vector_manifest import (
    FLAT_HEADER,
    SavedIndex,
    VectorIndexError,
    flat_header,
    read_generation,
)

__all__ = [
    "FlatIndex",
    "Found",
    "Ids",
    "Positions",
    "VectorIndex",
    "Vectors",
    "best_of",
    "checked_ids",
    "checked_rows",
    "margin",
    "ranked",
]

Ids = NDArray[np.int64]
Vectors = NDArray[np.float32]
Positions = NDArray[np.intp]
Found = tuple[Ids, Vectors]
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

    def search(self, vector: Vectors, k: int, allowed_ids: Ids | None = None) -> Found:
        """Ids and scores (at most ``k`` each) by descending inner product, then ascending id.

        ``allowed_ids`` limits the answer; ids that are not here are ignored. None allows all.
        """
        ...

    def search_many(self, vectors: Vectors, k: int, allowed_ids: Ids | None = None) -> list[Found]:
        """``search`` for each row of ``vectors`` (n, dimension), in one pass."""
        ...

    def save(self, folder: Path, note: Mapping[str, Any] | None = None, beside: Ids | None = None) -> int:
        """Write the next generation and return its number; readers see the old or the new one.

        ``note`` (JSON) and ``beside`` (m, 2) are kept with it for the writer.
        """
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
        ids, rows = checked_ids(ids, vectors, self._dimension)
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

    def search(self, vector: Vectors, k: int, allowed_ids: Ids | None = None) -> Found:
        return self.search_many(np.asarray(vector)[None, :], k, allowed_ids)[0]

    def search_many(self, vectors: Vectors, k: int, allowed_ids: Ids | None = None) -> list[Found]:
        queries = checked_rows(vectors, self._dimension)
        allowed = None if allowed_ids is None else self._positions(allowed_ids)
        room = len(self._ids) if allowed is None else len(allowed)
        if min(k, room) < 1:
            return [(np.zeros(0, np.int64), np.zeros(0, np.float32)) for _ in queries]
        candidates = self._candidates(queries, min(k, room), allowed)
        return [
            ranked(query, self._ids[found], self._rows(found), k)
            for query, found in zip(queries, candidates, strict=True)
        ]

    def save(self, folder: Path, note: Mapping[str, Any] | None = None, beside: Ids | None = None) -> int:
        with writing(folder) as generation:
            self.write(generation)
            if beside is not None:
                generation.add("beside.npy", packed(beside))
            generation.commit("flat", self._identity, self._dimension, len(self), note=note)
        self._generation = generation.number
        return generation.number

    def write(self, generation: GenerationWriter) -> None:
        """Write the two files of a flat index."""
        generation.add("vectors.faiss", self._write)
        generation.add("ids.npy", packed(self._ids))

    @classmethod
    def load(cls, folder: Path, identity: str) -> Self:
        """The saved index, if it holds vectors of ``identity`` and is intact; else ``VectorIndexError``."""
        return read_generation(folder, identity, "flat", cls.read)

    @classmethod
    def read(cls, saved: SavedIndex) -> Self:
        """The index of a generation, checked. Raises ``VectorIndexError``, ``FileNotFoundError``."""
        manifest = saved.manifest
        index = cls(manifest.identity, manifest.dimension)
        vectors = saved.checked("vectors.faiss")
        _check_flat_header(vectors, manifest.dimension, manifest.count)
        ids = saved.integers("ids.npy")
        if ids.shape != (manifest.count,) or len(np.unique(ids)) != len(ids):
            detail = f"{saved.path('ids.npy')}: not {manifest.count} different ids; rebuild the index"
            raise VectorIndexError("ids", detail)
        index._read(vectors)
        index._generation = manifest.generation
        index._set_ids(ids)
        return index

    def _set_ids(self, ids: Ids) -> None:
        self._ids, self._order = ids, np.argsort(ids, kind="stable")

    def _positions(self, ids: Ids) -> Positions:
        """Ascending positions of those ``ids`` that are here."""
        wanted = np.unique(np.asarray(ids, np.int64))
        places = np.searchsorted(self._ids, wanted, sorter=self._order)
        places = self._order[np.minimum(places, max(len(self._ids) - 1, 0))] if len(self._ids) else places[:0]
        return np.sort(places[self._ids[places] == wanted[: len(places)]])

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


def checked_rows(vectors: NDArray[Any], dimension: int) -> Vectors:
    """Finite float32 rows of ``dimension`` numbers; else ``VectorIndexError``."""
    with np.errstate(over="ignore"):
        rows = np.ascontiguousarray(vectors, np.float32)
    if rows.ndim != 2 or rows.shape[1] != dimension:
        raise VectorIndexError("dimension", f"vectors of shape {rows.shape}; rows of {dimension} needed")
    if not np.isfinite(rows).all():
        raise VectorIndexError("not_finite", "a vector holds NaN or infinity; encode its preview again")
    return rows


def checked_ids(ids: Ids, vectors: NDArray[Any], dimension: int) -> Found:
    """What may be put into an index: as many different ids >= 0 as rows; else ``VectorIndexError``."""
    names = np.asarray(ids, np.int64)
    rows = checked_rows(np.atleast_2d(vectors) if len(names) else np.zeros((0, dimension)), dimension)
    if names.shape != (len(rows),) or len(np.unique(names)) != len(names) or (names < 0).any():
        raise VectorIndexError("ids", f"{len(rows)} vectors need as many different ids of 0 or more")
    return names, rows


def ranked(query: Vectors, ids: Ids, rows: NDArray[Any], k: int) -> Found:
    """The best ``k`` of ``ids``: scored again in double precision, so that equal rows tie.

    Raises ``VectorIndexError`` (``not_finite``) for damaged rows.
    """
    return best_of(ids, np.einsum("ij,j->i", rows, query, dtype=np.float64, casting="same_kind"), k)


def best_of(ids: Ids, scores: NDArray[np.floating], k: int) -> Found:
    """The ``k`` highest scores, descending; those within ``STEP`` by ascending id."""
    if not np.isfinite(scores).all():
        raise VectorIndexError("not_finite", "a stored row holds NaN or infinity; rebuild the index")
    order = np.lexsort((ids, -np.round(scores / STEP)))[:k]
    return ids[order], scores[order].astype(np.float32)


def _check_flat_header(path: Path, dimension: int, count: int) -> None:
    expected = flat_header(dimension, count)
    with path.open("rb") as stream:
        head = stream.read(FLAT_HEADER.size)
    if head != expected or path.stat().st_size != len(expected) + 4 * dimension * count:
        raise VectorIndexError("header", f"{path}: no flat index of {count} x {dimension}; rebuild the index")
