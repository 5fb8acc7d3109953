"""Random order of many ids at once: what ``domain.ordering.shuffled`` does one by one."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.domain.ordering import SAMPLES, sample_order

__all__ = ["shuffled_places"]

Bits = NDArray[np.uint64]


def shuffled_places(ids: Sequence[int], seed: int) -> list[int]:
    """Places of ids in the order of ``shuffled``; ``seed`` is 0..2**63 - 1."""
    given = np.asarray(ids, np.uint64)
    start = _mixed(np.array([seed], np.uint64))
    ranks = np.empty(SAMPLES, np.int64)
    ranks[sample_order(seed)] = np.arange(SAMPLES)
    order: list[int] = np.lexsort((given, _mixed(start ^ given), ranks[_samples(given)])).tolist()
    return order


def _samples(ids: Bits) -> NDArray[np.int64]:
    """What ``sample_of`` says of each."""
    rest = np.full(len(ids), 0xFFFFFFFF, np.uint64)
    for byte in range(8):
        low = (rest ^ (ids >> np.uint64(8 * byte))) & np.uint64(0xFF)
        rest = _CRC[low.astype(np.intp)] ^ (rest >> np.uint64(8))
    return ((rest ^ np.uint64(0xFFFFFFFF)) % np.uint64(SAMPLES)).astype(np.int64)


def _mixed(bits: Bits) -> Bits:
    """64 well mixed bits (SplitMix64: Steele, Lea and Flood, OOPSLA 2014)."""
    with np.errstate(over="ignore"):
        bits = bits + np.uint64(0x9E3779B97F4A7C15)
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Bits = bits ^ (bits >> np.uint64(31))
    return mixed


def _crc_table() -> Bits:
    """What a byte makes of CRC-32 (the polynomial of ISO 3309, lowest bit first)."""
    table = []
    for rest in range(256):
        for _ in range(8):
            rest = rest >> 1 ^ (0xEDB88320 if rest & 1 else 0)
        table.append(rest)
    return np.array(table, np.uint64)


_CRC = _crc_table()
