"""Which models are drawn alike, for many models at once: scores of styles in batches."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.embedding.blas import one_blas_thread
from indexer.errors import UsageError
from search.calibration import LEAST, calibrated
from search.similar import Looks

__all__ = ["StyleLooks"]

Ids = NDArray[np.int64]


class StyleLooks:
    """The style index, asked for many entries at once. Without pictures nothing looks like anything."""

    def __init__(self, looks: Looks) -> None:
        try:
            self._index, self._space, self._at_large = looks.style_index()
        except UsageError as error:
            if error.code not in ("no_vectors", "other_weights"):
                raise
            self._seen: Ids = np.zeros(0, np.int64)
        else:
            self._seen = self._index.ids()

    def seen(self, ids: Sequence[int] | Ids) -> Ids:
        """Those of ``ids`` whose pictures were looked at, ascending."""
        every = np.sort(np.asarray(ids, np.int64))
        wanted: Ids = every[np.diff(every, prepend=-1) != 0]  # ids are 0 or more
        if not len(self._seen):
            return wanted[:0]
        places = np.minimum(np.searchsorted(self._seen, wanted), len(self._seen) - 1)
        seen: Ids = wanted[self._seen[places] == wanted]
        return seen

    def nearest(self, ids: Sequence[int], among: Ids, count: int) -> dict[int, list[int]]:
        """For each of ``ids`` that was looked at, up to ``count`` of ``among`` (which ``seen`` answered) that
        look most like it, best first, itself left out."""
        asking = self.seen(ids)
        if not len(asking) or not len(among):
            return {}
        with one_blas_thread():
            found = self._index.search_many(self._queries(asking), count + 1, among)
        return {
            id_: [other for other in others.tolist() if other != id_][:count]
            for id_, (others, _) in zip(asking.tolist(), found, strict=True)
        }

    def scores(self, pairs: Mapping[int, Sequence[int]]) -> dict[int, dict[int, float]]:
        """For each entry that was looked at, the scores 0..1 of those others that were, too."""
        asking = self.seen(list(pairs))
        theirs = [self.seen(pairs[id_]) for id_ in asking.tolist()]
        others = np.unique(np.concatenate([np.zeros(0, np.int64), *theirs]))
        if not len(others):
            return {id_: {} for id_ in asking.tolist()}
        rows, queries = self._index.vectors(others), self._queries(asking)
        with one_blas_thread():  # many small products: threads would wait for each other
            large = queries @ self._at_large.T
            raw = [
                rows[np.searchsorted(others, mine)] @ query
                for mine, query in zip(theirs, queries, strict=True)
            ]
        return {
            id_: self._scored(mine, cosines, at_large)
            for id_, mine, cosines, at_large in zip(asking.tolist(), theirs, raw, large, strict=True)
        }

    def _queries(self, ids: Ids) -> NDArray[np.float32]:
        return self._space.asking(self._index.vectors(ids))

    def _scored(
        self, others: Ids, raw: NDArray[np.float32], at_large: NDArray[np.float32]
    ) -> dict[int, float]:
        few = len(at_large) < LEAST
        values = self._space.calibrate(raw) if few else calibrated(raw, at_large, math.inf)
        # Sums of floats differ in their last places from machine to machine; a plan must not.
        return dict(zip(others.tolist(), np.round(values, 4).tolist(), strict=True))
