"""Short codes of many vectors: FAISS's inverted lists of RaBitQ codes (a bit a number), scanned 32 at a time.

They find candidates; the exact rows decide. Rows are stretched first by how much queries differ in each
number (queries are shrunk by the same, so products stay): then distance between rows says how much their
scores differ, also where queries are made otherwise than rows, as in style. Then both are turned by a fixed
random rotation, as RaBitQ needs. A search may name the lists to look into, which is what makes filters fast.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from indexer.indexes.planner import ROUNDS, code_bits, lists_for
from indexer.indexes.vector_base import Ids, Vectors
from indexer.indexes.vector_faiss import import_faiss, one_thread, read_faiss, write_faiss
from indexer.indexes.vector_manifest import VectorIndexError

__all__ = ["Codes"]

SEED = 5_1963
QUERY_BITS = 8
BLOCK = 32  # codes scanned at once
LEAST_SPREAD = 0.05


class Codes:
    """Codes of rows 0, 1, 2 …, in ``lists`` lists; ``list_of`` (n) tells each row's list."""

    def __init__(self, whole: Any) -> None:
        faiss = import_faiss()
        self._whole = whole
        self._turn = faiss.downcast_VectorTransform(whole.chain.at(0))
        matrix = faiss.vector_to_array(self._turn.A).reshape(self._turn.d_out, self._turn.d_in)
        self.spread: Vectors = np.sqrt((matrix.astype(np.float64) ** 2).sum(0)).astype(np.float32)
        self._turn_query = np.ascontiguousarray(matrix / self.spread**2)
        self._ivf = faiss.downcast_index(whole.index)
        self.lists = int(self._ivf.nlist)
        centroids = self._ivf.quantizer.reconstruct_n(0, self.lists)
        self._centroids = faiss.IndexFlatIP(self._ivf.d)
        self._centroids.add(centroids)
        self.list_of: NDArray[np.int32] = np.zeros(0, np.int32)

    def __len__(self) -> int:
        return int(self._ivf.ntotal)

    @classmethod
    def trained(cls, sample: Vectors, count: int, spread: Vectors | None) -> Self:
        """Empty codes for ``count`` rows like those of ``sample`` (m, d), which they are fitted to.

        ``spread`` (d) is how much queries differ in each number; None: as much in all.
        """
        faiss = import_faiss()
        dimension, lists = sample.shape[1], lists_for(count)
        turn = _turning(dimension, np.ones(dimension) if spread is None else spread)
        quantizer = faiss.IndexFlatL2(dimension)
        kind, bits = faiss.METRIC_INNER_PRODUCT, code_bits(dimension)
        ivf = faiss.IndexIVFRaBitQFastScan(quantizer, dimension, lists, kind, BLOCK, True, bits)
        ivf.cp.niter, ivf.cp.seed = ROUNDS, SEED
        ivf.cp.min_points_per_centroid, ivf.cp.max_points_per_centroid = 1, len(sample)
        ivf.train(turn.apply(sample))
        codes = cls(faiss.IndexPreTransform(turn, ivf))
        codes._owned = (turn, quantizer, ivf)  # Python owns what C++ only points to
        return codes

    _owned: tuple[Any, ...] = ()

    def add(self, batches: Iterable[Vectors]) -> None:
        """Code rows behind those that are here."""
        for rows in batches:
            self._ivf.add(self._turn.apply(rows))
        self._take_lists()

    def _take_lists(self) -> None:
        """Read ``list_of`` off the lists; raises ``VectorIndexError`` unless each row is in one of them."""
        faiss, inverted = import_faiss(), self._ivf.invlists
        found = np.full(len(self), -1, np.int32)
        sizes = [int(inverted.list_size(number)) for number in range(self.lists)]
        if sum(sizes) != len(self):
            raise VectorIndexError("header", "the lists hold other numbers of rows; rebuild the index")
        for number, size in enumerate(sizes):
            if size:
                names = faiss.rev_swig_ptr(inverted.get_ids(number), size)
                if names.min() < 0 or names.max() >= len(found):
                    raise VectorIndexError("header", "a list names unknown rows; rebuild it")
                found[names] = number
        if len(found) and found.min() < 0:
            raise VectorIndexError("header", "a row is in no list; rebuild the index")
        self.list_of = found

    def turned(self, query: Vectors) -> Vectors:
        """(1, d): a query as the other methods take it."""
        turned: Vectors = np.einsum("ij,j->i", self._turn_query, query)
        return turned[None, :]

    def nearest_lists(self, turned: Vectors, count: int) -> Ids:
        """The lists whose centroids score best, best first."""
        with one_thread():
            return np.asarray(self._centroids.search(turned, min(count, self.lists))[1][0], np.int64)

    def search(self, turned: Vectors, lists: Ids, k: int, bits: NDArray[np.uint8] | None) -> Ids:
        """At most ``k`` rows of ``lists`` that seem best, in no order; ``bits`` (a bit a row) limits them."""
        distances, found = np.empty(k, np.float32), np.full(k, -1, np.int64)
        wanted, nearness = np.ascontiguousarray(lists, np.int64), np.zeros(len(lists), np.float32)
        if not len(wanted):
            return found[:0]
        with one_thread() as faiss:
            options = faiss.IVFRaBitQSearchParameters(nprobe=len(wanted), qb=QUERY_BITS)
            if bits is not None:
                selector = faiss.IDSelectorBitmap(bits)
                options.sel = selector
            point = faiss.swig_ptr
            given = point(turned), k, point(wanted), point(nearness), point(distances), point(found)
            self._ivf.search_preassigned_c(1, *given, False, options)
        return found[found >= 0]

    def write(self, path: Path) -> None:
        """Save them. Raises ``OSError``."""
        write_faiss(self._whole, path)

    @classmethod
    def read(cls, path: Path, dimension: int, count: int) -> Self:
        """Codes from a file that was checked; raises ``VectorIndexError`` if it holds anything else."""
        faiss, whole = import_faiss(), read_faiss(path)
        wrong = VectorIndexError("header", f"{path}: no codes of {count} x {dimension}; rebuild the index")
        if type(whole) is not faiss.IndexPreTransform or whole.chain.size() != 1:
            raise wrong
        turn, ivf = faiss.downcast_VectorTransform(whole.chain.at(0)), faiss.downcast_index(whole.index)
        if type(turn) is not faiss.LinearTransform or turn.have_bias or turn.A.size() != dimension**2:
            raise wrong
        shape = (turn.d_in, turn.d_out, ivf.d, ivf.ntotal, ivf.metric_type)
        expected = (dimension, dimension, dimension, count, faiss.METRIC_INNER_PRODUCT)
        if type(ivf) is not faiss.IndexIVFRaBitQFastScan or shape != expected:
            raise wrong
        quantizer = faiss.downcast_index(ivf.quantizer)
        if not isinstance(quantizer, faiss.IndexFlat) or quantizer.d != dimension:
            raise wrong
        if not 0 < ivf.nlist == quantizer.ntotal == ivf.invlists.nlist:
            raise wrong
        codes = cls(whole)
        codes._take_lists()
        return codes


def _turning(dimension: int, spread: NDArray[np.floating]) -> Any:
    """The rotation after stretching, as one matrix; numbers that hardly differ keep a twentieth."""
    faiss = import_faiss()
    rotation = faiss.RandomRotationMatrix(dimension, dimension)
    rotation.init(SEED)
    wide = np.maximum(spread, LEAST_SPREAD * max(float(np.max(spread, initial=0)), 1e-30))
    matrix = faiss.vector_to_array(rotation.A).reshape(dimension, dimension) * (wide / wide.max())
    turn = faiss.LinearTransform(dimension, dimension, False)
    faiss.copy_array_to_vector(np.ascontiguousarray(matrix, np.float32).reshape(-1), turn.A)
    turn.is_trained = True
    return turn
