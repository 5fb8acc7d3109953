"""Random order of many ids at once: what ``domain.ordering.shuffled`` does one by one."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["shuffled_ids"]

Bits = NDArray[np.uint64]


def shuffled_ids(ids: Sequence[int], seed: int) -> list[int]:
    """Ids in the order of ``shuffled``; ``seed`` is 0..2**63 - 1."""
    given = np.asarray(ids, np.uint64)
    start = _mixed(np.array([seed], np.uint64))
    mixed = _mixed(start ^ given)
    order: list[int] = given[np.lexsort((given, mixed))].tolist()
    return order


def _mixed(bits: Bits) -> Bits:
    """64 well mixed bits (SplitMix64: Steele, Lea and Flood, OOPSLA 2014)."""
    with np.errstate(over="ignore"):
        bits = bits + np.uint64(0x9E3779B97F4A7C15)
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Bits = bits ^ (bits >> np.uint64(31))
    return mixed
