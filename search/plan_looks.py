"""Which models are drawn alike, for many models at once: scores of styles in batches."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

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

    def seen(self, ids: Sequence[int]) -> list[int]:
        """Those of ``ids`` whose pictures were looked at, ascending."""
        wanted = np.unique(np.asarray(ids, np.int64))
        return [int(id_) for id_ in wanted[np.isin(wanted, self._seen, assume_unique=True)]]

    def nearest(self, ids: Sequence[int], allowed: Ids, count: int) -> dict[int, list[int]]:
        """For each of ``ids`` that was looked at, up to ``count`` of ``allowed`` that look most like it, best
        first, itself left out."""
        asking = self.seen(ids)
        among = allowed[np.isin(allowed, self._seen, assume_unique=True)] if len(allowed) else allowed
        if not asking or not len(among):
            return {}
        queries = self._queries(asking)
        found = self._index.search_many(queries, count + 1, among)
        return {
            id_: [int(other) for other in others if other != id_][:count]
            for id_, (others, _) in zip(asking, found, strict=True)
        }

    def scores(self, pairs: Mapping[int, Sequence[int]]) -> dict[int, dict[int, float]]:
        """For each entry that was looked at, the scores 0..1 of those others that were, too."""
        asking = self.seen(list(pairs))
        others = self.seen([other for id_ in asking for other in pairs[id_]])
        if not others:
            return {id_: {} for id_ in asking}
        rows = self._index.vectors(np.array(others, np.int64))
        place = {id_: number for number, id_ in enumerate(others)}
        return {
            id_: self._scored(query, [other for other in pairs[id_] if other in place], rows, place)
            for id_, query in zip(asking, self._queries(asking), strict=True)
        }

    def _queries(self, ids: Sequence[int]) -> NDArray[np.float32]:
        return self._space.asking(self._index.vectors(np.array(ids, np.int64)))

    def _scored(
        self,
        query: NDArray[np.float32],
        others: Sequence[int],
        rows: NDArray[np.float32],
        place: Mapping[int, int],
    ) -> dict[int, float]:
        if not others:
            return {}
        raw = rows[[place[other] for other in others]] @ query
        large = self._at_large @ query
        values = calibrated(raw, large, math.inf) if len(large) >= LEAST else self._space.calibrate(raw)
        # Sums of floats differ in their last places from machine to machine; a plan must not.
        return {other: round(float(value), 4) for other, value in zip(others, values, strict=True)}
