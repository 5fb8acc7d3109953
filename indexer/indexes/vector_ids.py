"""Which row an id has, and which rows are no more."""

import numpy as np
from numpy.typing import NDArray

from indexer.indexes.vector_base import Ids
from indexer.indexes.vector_manifest import VectorIndexError

__all__ = ["Places", "within"]

DENSE = 4  # a table by id is kept while the highest id is below this many times the rows (and a little)
LITTLE = 1 << 20


class Places:
    """Positions of ids; ``ids`` (n) names each row, -1 where it is no more, ``dead`` those removed since.

    Raises ``VectorIndexError`` (``ids``) when an id stands twice, or a position does not exist.
    """

    def __init__(self, ids: Ids, dead: Ids, count: int) -> None:
        if ids.shape != (count,) or dead.ndim != 1 or (len(ids) and ids.min() < -1):
            raise VectorIndexError("ids", f"not {count} ids of 0 or more; rebuild the index")
        if len(dead) and not 0 <= dead.min() <= dead.max() < count:
            raise VectorIndexError("ids", "a removed row was never there; rebuild the index")
        self._ids = ids.copy()
        self._ids[dead] = -1
        self._alive = self._ids >= 0
        self._as_read = ids >= 0
        self.living = int(np.count_nonzero(self._alive))
        self._bits: NDArray[np.uint8] | None = None
        self._table, self._sorted, self._order = _lookup(self._ids, self._alive)

    def ids(self) -> Ids:
        """All living ids, ascending."""
        return np.sort(self._ids[self._alive])

    def by_position(self) -> Ids:
        """The id of each row, -1 where it is no more."""
        return self._ids.copy()

    def dead(self) -> Ids:
        """Positions removed since the ids were read."""
        return np.flatnonzero(self._as_read & ~self._alive).astype(np.int64)

    def names(self, positions: Ids) -> Ids:
        """The ids of living rows."""
        return self._ids[positions]

    def each(self, ids: Ids) -> Ids:
        """The position of each id, -1 where it is not here."""
        if self._table is not None:
            if len(ids) and ids.min() >= 0 and ids.max() < len(self._table):
                return np.asarray(self._table[ids], np.int64)
            inside = (ids >= 0) & (ids < len(self._table))
            return np.asarray(self._table[np.where(inside, ids, len(self._table) - 1)], np.int64)
        if not len(self._sorted):
            return np.full(len(ids), -1, np.int64)
        at = np.minimum(np.searchsorted(self._sorted, ids), len(self._sorted) - 1)
        positions = self._order[at]
        return np.where((self._sorted[at] == ids) & self._alive[positions], positions, -1)

    def of(self, ids: Ids) -> Ids:
        """Positions of those ids that are here, ascending."""
        positions = self.each(ids)
        return np.unique(positions[positions >= 0])

    def members(self, ids: Ids) -> tuple[Ids, NDArray[np.bool_]]:
        """Positions of those ids that are here, in no order and perhaps doubled; and (n) True for them."""
        positions = self.each(ids)
        if len(positions) and positions.min() < 0:
            positions = positions[positions >= 0]
        member = np.zeros(len(self._ids), bool)
        member[positions] = True
        return positions, member

    def living_bits(self) -> NDArray[np.uint8] | None:
        """A bit for each row, lowest first; None when all are living."""
        if self._bits is None and self.living < len(self._ids):
            self._bits = np.packbits(self._alive, bitorder="little")
        return self._bits

    def remove(self, ids: Ids) -> int:
        """Mark rows as gone; answers how many were here."""
        positions = self.of(ids)
        if len(positions):
            if self._table is not None:
                self._table[self._ids[positions]] = -1
            self._ids[positions] = -1
            self._alive[positions] = False
            self._bits = None
            self.living -= len(positions)
        return len(positions)


def _lookup(ids: Ids, alive: NDArray[np.bool_]) -> tuple[NDArray[np.int32] | None, Ids, Ids]:
    """A table by id where ids are dense, else the sorted ids and their positions."""
    positions = np.flatnonzero(alive).astype(np.int64)
    named = ids[positions]
    highest = int(named.max()) if len(named) else -1
    if highest < DENSE * len(ids) + LITTLE and len(ids) < 2**31:
        table = np.full(highest + 2, -1, np.int32)  # the last stays empty: ids from outside look there
        table[named] = positions
        if np.count_nonzero(table >= 0) != len(named):
            raise VectorIndexError("ids", "an id stands twice; rebuild the index")
        return table, named[:0], positions[:0]
    order = np.argsort(named, kind="stable")
    found = named[order]
    if (found[1:] == found[:-1]).any():
        raise VectorIndexError("ids", "an id stands twice; rebuild the index")
    return None, found, positions[order]


def within(some: Ids, allowed: Ids) -> Ids:
    """Those of a few ids that are among many, which are searched, not sorted, when they are in order."""
    if not len(some) or not len(allowed):
        return some[:0]
    if (allowed[1:] < allowed[:-1]).any():
        return some[np.isin(some, allowed)]
    at = np.minimum(np.searchsorted(allowed, some), len(allowed) - 1)
    found: Ids = some[allowed[at] == some]
    return found
