"""Nearest vectors by inner product: an exact numpy index, and its fast twin on FAISS.

Both keep int64 ids beside float32 rows, push a filter down as ids, break ties by id, and share one format on
disk (``vector_manifest``), so that each loads what the other saved. Beyond some ten thousand vectors
``ivf.IvfIndex`` answers faster. An index is for one writer; a caller that searches from other threads
meanwhile swaps whole objects instead. faiss loads on first use.
"""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.indexes.vector_base import FlatIndex, Positions, VectorIndex, Vectors, margin
from indexer.indexes.vector_faiss import import_faiss, one_thread, read_faiss, write_faiss
from indexer.indexes.vector_manifest import (
    CODES,
    FLAT_HEADER,
    VectorIndexError,
    flat_header,
    saved_generation,
)

__all__ = ["CODES", "ExactIndex", "FaissIndex", "VectorIndex", "VectorIndexError", "saved_generation"]

BLOCK = 1 << 22  # numbers handled at once where a whole copy would be large


class ExactIndex(FlatIndex):
    """numpy alone: the reference, and enough for some ten thousand vectors."""

    def __init__(self, identity: str, dimension: int) -> None:
        super().__init__(identity, dimension)
        self._matrix: Vectors = np.zeros((0, dimension), np.float32)

    def _append(self, rows: Vectors) -> None:
        self._matrix = np.concatenate([self._matrix, rows])

    def _delete(self, positions: Positions) -> None:
        self._matrix = np.delete(self._matrix, positions, axis=0)

    def _rows(self, positions: NDArray[np.integer]) -> Vectors:
        rows: Vectors = self._matrix[positions]
        return rows

    def _candidates(self, queries: Vectors, k: int, allowed: Positions | None) -> list[NDArray[np.int64]]:
        rows = self._matrix if allowed is None else self._matrix[allowed]
        names = np.arange(len(rows)) if allowed is None else allowed
        return [names[_best(rows @ query, k)] for query in queries]

    def _write(self, path: Path) -> None:
        with path.open("wb") as stream:
            stream.write(flat_header(self._dimension, len(self._matrix)))
            self._matrix.astype("<f4", copy=False).tofile(stream)

    def _read(self, path: Path) -> None:
        with path.open("rb") as stream:
            _, dimension, count, *_ = FLAT_HEADER.unpack(stream.read(FLAT_HEADER.size))
            rows = np.fromfile(stream, "<f4").reshape(count, dimension)
        _refuse_odd_numbers(rows, path)
        self._matrix = rows


def _best(scores: Vectors, k: int) -> NDArray[np.intp]:
    last = np.partition(scores, len(scores) - k)[len(scores) - k]
    return np.flatnonzero(scores >= last - margin(float(last)))


class FaissIndex(FlatIndex):
    """FAISS ``IndexFlatIP``: exact too; filters run inside the scan, without a copy of the allowed rows."""

    def __init__(self, identity: str, dimension: int) -> None:
        super().__init__(identity, dimension)
        self._faiss = import_faiss()
        self._flat = self._faiss.IndexFlatIP(dimension)

    def _append(self, rows: Vectors) -> None:
        self._flat.add(rows)

    def _delete(self, positions: Positions) -> None:
        self._flat.remove_ids(self._faiss.IDSelectorBatch(np.asarray(positions, np.int64)))

    def _view(self) -> Vectors:
        if self._flat.ntotal == 0:
            return np.zeros((0, self._dimension), np.float32)
        flat = self._faiss.rev_swig_ptr(self._flat.get_xb(), self._flat.ntotal * self._flat.d)
        view: Vectors = flat.reshape(self._flat.ntotal, self._flat.d)
        return view

    def _rows(self, positions: NDArray[np.integer]) -> Vectors:
        rows: Vectors = self._view()[positions]
        return rows

    def _candidates(self, queries: Vectors, k: int, allowed: Positions | None) -> list[NDArray[np.int64]]:
        """One more than ``k`` is fetched; only if that one may tie is the scan repeated by score."""
        room = len(self) if allowed is None else len(allowed)
        names = None if allowed is None else np.ascontiguousarray(allowed, np.int64)
        options = None if names is None else self._selecting(self._faiss.IDSelectorArray(names))
        with one_thread() if len(queries) == 1 else nullcontext():
            scores, found = self._flat.search(queries, min(k + 1, room), params=options)
        complete = [
            min(k + 1, room) == k or row[k - 1] - row[k] > margin(float(row[k - 1])) for row in scores
        ]
        return [
            found[row] if complete[row] else self._tied(queries[row], float(scores[row, k - 1]), allowed)
            for row in range(len(queries))
        ]

    def _tied(self, query: Vectors, last: float, allowed: Positions | None) -> NDArray[np.int64]:
        options, bits = None, None
        if allowed is not None:  # a set of bits: membership in an IDSelectorArray would be a linear search
            member = np.zeros(len(self), bool)
            member[allowed] = True
            bits = np.packbits(member, bitorder="little")
            options = self._selecting(self._faiss.IDSelectorBitmap(bits))
        _, _, found = self._flat.range_search(query[None, :], last - margin(last), params=options)
        return np.asarray(found, np.int64)

    def _selecting(self, selector: Any) -> Any:
        return self._faiss.SearchParameters(sel=selector)

    def _write(self, path: Path) -> None:
        write_faiss(self._flat, path)

    def _read(self, path: Path) -> None:
        self._flat = read_faiss(path)
        _refuse_odd_numbers(self._view(), path)


def _refuse_odd_numbers(rows: Vectors, path: Path) -> None:
    step = max(1, BLOCK // max(1, rows.shape[1]))
    for start in range(0, len(rows), step):
        if not np.isfinite(rows[start : start + step]).all():
            raise VectorIndexError("not_finite", f"{path}: holds NaN or infinity; rebuild the index")
