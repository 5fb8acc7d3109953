"""Which entry each vector of an index belongs to, so that a filter on entries is one look-up a vector.

The pairs are what a writer keeps beside an index (``vector_store.read_beside``). Memory is 16 bytes a vector.
"""

import numpy as np
from numpy.typing import NDArray

from indexer.indexes.vector_base import Ids

__all__ = ["Owners"]

_DENSE = 8
_LITTLE = 1 << 20
"""A table by owner is made while the highest owner is below so many times the vectors, and a little."""


class Owners:
    """``pairs`` (n, 2) are vector ids, each once, and the entries that they belong to."""

    def __init__(self, pairs: Ids) -> None:
        order = np.argsort(pairs[:, 0], kind="stable")
        self._ids: Ids = np.ascontiguousarray(pairs[order, 0])
        self._owners: Ids = np.ascontiguousarray(pairs[order, 1])
        self._highest = int(self._owners.max(initial=0))

    def __len__(self) -> int:
        return len(self._ids)

    def of(self, ids: Ids) -> Ids:
        """The owner of each vector, -1 where it is not known."""
        if not len(self._ids):
            return np.full(len(ids), -1, np.int64)
        places = np.minimum(np.searchsorted(self._ids, ids), len(self._ids) - 1)
        return np.where(self._ids[places] == ids, self._owners[places], -1)

    def vectors_of(self, owners: Ids) -> Ids:
        """The ids, ascending, of all vectors that belong to one of ``owners``."""
        return self._ids[self._are_among(owners)]

    def _are_among(self, owners: Ids) -> NDArray[np.bool_]:
        if self._highest >= _DENSE * len(self._ids) + _LITTLE:
            return np.isin(self._owners, owners)
        member = np.zeros(self._highest + 1, bool)
        member[owners[(owners >= 0) & (owners <= self._highest)]] = True
        found: NDArray[np.bool_] = member[self._owners]
        return found
