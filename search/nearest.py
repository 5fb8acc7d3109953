"""The nearest vectors whose entries pass a filter: exactly those, by whichever way costs less.

A filter that keeps little is asked for all it keeps, which is pushed down to the index. One that keeps much
is not: the nearest of all are taken, more of them the less it keeps, and only their entries are asked about.
Far clusters may pass less than the filter's share promises; then more are taken, and at last all is pushed
down.
"""

import numpy as np
from numpy.typing import NDArray

from indexer.indexes.vector_base import Found, VectorIndex
from indexer.indexes.vector_owners import Owners
from search.narrowing import Narrowed

__all__ = ["nearest"]

Vectors = NDArray[np.float32]

DEARER = 14.0
"""Asking for an entry that passes costs 0.5 microseconds, taking one more vector 7 (100,000 x 800, measured):
entries are worth asking for all while their number times their share is below so many times the answer."""

MORE, AGAIN = 1.3, 4.0
"""How many more vectors are taken than the share promises are needed; and how many times as many if they were
too few."""

MOST = 20_000
"""More are never taken: ranking them costs what pushing the filter down does."""


def nearest(
    index: VectorIndex, queries: Vectors, k: int, narrowed: Narrowed | None, owners: Owners | None
) -> list[Found]:
    """For each query (n, d) ids and scores of the ``k`` best vectors, best first; ``owners`` tells whose they
    are, None: an id is the entry itself. Without ``narrowed`` all pass."""
    if narrowed is None:
        return index.search_many(queries, k)
    passing, all_ = narrowed.extent()
    share = passing / all_
    found: list[Found] = []
    for query in queries if share * passing > DEARER * k else ():
        taken = _taken(index, query, k, narrowed, owners, share)
        if taken is None:
            break
        found.append(taken)
    if len(found) == len(queries):
        return found
    allowed = narrowed.ids()
    return index.search_many(queries, k, allowed if owners is None else owners.vectors_of(allowed))


def _taken(
    index: VectorIndex,
    query: Vectors,
    k: int,
    narrowed: Narrowed,
    owners: Owners | None,
    share: float,
) -> Found | None:
    """The best that pass among the nearest of all; None where those hold too few of them."""
    count = MORE * k / share
    while count <= min(MOST, len(index)):
        ids, scores = index.search(query, int(count))
        whose = ids if owners is None else owners.of(ids)
        passes = np.isin(whose, narrowed.among(whose.tolist()))
        if np.count_nonzero(passes) >= k:
            chosen = np.flatnonzero(passes)[:k]
            return ids[chosen], scores[chosen]
        count *= AGAIN
    return None
