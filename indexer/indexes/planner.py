"""How a query is answered: which rows are looked at; when a saved index is merged. All thresholds are here.

Measured with ``scripts/bench vectors``. A filter is never left to a graph or to a fixed number of lists: what
such a search finds of a narrow or far-away set falls to a few hundredths.
"""

import numpy as np
from numpy.typing import NDArray

from indexer.indexes.vector_base import Ids

__all__ = [
    "ROUNDS",
    "candidates_for",
    "code_bits",
    "counted_step",
    "exact_most",
    "is_narrow",
    "is_sparse",
    "lists_for",
    "lists_holding",
    "needs_training",
    "overlay_most",
    "probes_for",
    "sample_size",
]

EXACT_NUMBERS = 50_000 * 512
"""Numbers up to which all are looked at (50,000 vectors of 512, 5 ms): nothing to train, always exact."""

NARROW_NUMBERS, NARROW_SHARE = 20_000 * 512, 0.02
"""A filter that leaves so few is answered exactly from their rows (some 3 ms); lists would have to be read
nearly all. 20,000 vectors of 512, or this share of larger collections."""

PROBES = 64
"""Lists read for a plain query of ten neighbours."""

FILTERED, FILTERED_LEAST = 10, 160
"""Lists' worth of allowed rows that a filtered query of ten neighbours should meet, and the lists it reads at
least: so their number grows with 1 / selectivity. Rows are counted list by list, as what a filter keeps may
lie far from the query, where lists taken by nearness alone hold none of it; far away more lists are alike
near, hence the least."""

COUNTED = 100_000
"""Allowed rows that are counted list by list: of a wide filter a sample tells enough (2 ms of half a million
rows otherwise)."""

TEN = 10
"""More neighbours lie in more lists: both numbers above grow with the root of k / TEN."""

CANDIDATES, FILTERED_CANDIDATES, FOLD = 100, 400, 4
"""Rows that the codes propose and the exact rows decide on; never fewer than ``FOLD`` times the neighbours
wanted. Scores of far rows differ less than codes can tell, so a filter needs more (recall of far clusters
0.95 with 100, 0.99 with 400, at 0.1 ms)."""

LISTS = 2.0
"""Lists are the power of two nearest to this many times the root of the count."""

SAMPLE = 40
"""Vectors a list that training looks at; FAISS asks for 39."""

CODE = 512
"""Bits of a code, about."""

ROUNDS = 8
"""Rounds of k-means; more did not raise recall."""

OVERLAY_LEAST, OVERLAY_SHARE, OVERLAY_MOST = 1_024, 0.02, 4_096
"""Changes kept beside the lists until they are merged: all of them are scanned at each query (0.6 ms)."""

HOLES = 0.2
"""Share of rows that are no more at which files are written anew."""

GROWTH = 2.0
"""Centroids are trained again when the collection has grown this much since."""


def lists_for(count: int) -> int:
    """How many lists ``count`` vectors are put into."""
    return int(2 ** max(0, round(np.log2(LISTS * max(count, 1) ** 0.5))))


def code_bits(dimension: int) -> int:
    """Bits of a code for each number: vectors of few numbers need more of them to be told apart."""
    return int(np.clip(round(CODE / max(dimension, 1)), 1, 8))


def sample_size(count: int) -> int:
    """How many vectors training looks at."""
    return min(count, SAMPLE * lists_for(count))


def exact_most(dimension: int) -> int:
    """Vectors up to which no lists are made."""
    return EXACT_NUMBERS // max(dimension, 1)


def is_narrow(allowed: int, rows: int, dimension: int) -> bool:
    """Whether to look at every allowed row."""
    return allowed * dimension <= NARROW_NUMBERS or allowed <= NARROW_SHARE * rows


def probes_for(k: int) -> int:
    """Lists to read without a filter."""
    return int(PROBES * _more(k))


def counted_step(allowed: int) -> int:
    """Every so many-th allowed row is counted."""
    return max(1, allowed // COUNTED)


def lists_holding(order: Ids, held: NDArray[np.integer], rows: int, k: int) -> Ids:
    """The first of ``order`` (lists, nearest first) that together hold enough allowed rows.

    ``held`` is the number of allowed rows of each list, of ``rows`` in all; lists without any are left out.
    """
    useful = order[held[order] > 0]
    wanted = FILTERED * _more(k) * rows / max(len(held), 1)
    enough = int(np.searchsorted(np.cumsum(held[useful]), wanted)) + 1
    return useful[: max(enough, int(FILTERED_LEAST * _more(k)))]


def _more(k: int) -> float:
    return float(max(1.0, (k / TEN) ** 0.5))


def candidates_for(k: int, room: int, *, filtered: bool) -> int:
    """Rows to ask of the codes for ``k`` neighbours among ``room``."""
    return max(1, min(max(FILTERED_CANDIDATES if filtered else CANDIDATES, FOLD * k), room))


def overlay_most(rows: int) -> int:
    """Rows beside the lists up to which nothing is merged."""
    return int(min(OVERLAY_MOST, max(OVERLAY_LEAST, OVERLAY_SHARE * rows)))


def is_sparse(living: int, rows: int) -> bool:
    """Whether so many rows are no more that the files should be written anew."""
    return living < (1 - HOLES) * rows


def needs_training(living: int, trained: int) -> bool:
    """Whether the centroids are of too small a collection."""
    return living >= GROWTH * max(trained, 1)
