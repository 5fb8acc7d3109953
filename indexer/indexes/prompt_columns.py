"""The numbers of many cuts (``domain.prompt_cut``) in columns, and how often each stands in all of them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.domain.prompt_cut import HABITS, KINDS, MAX_PROMPTS, PLACES

__all__ = ["NUMBERS", "Columns", "Counts", "columns_of", "counts_of", "rarities"]

NUMBERS = 1 << 16
"""So many numbers there are."""

_BEHIND = np.maximum(0, np.arange(PLACES) - HABITS - 1)
_HOLDS = np.where(np.arange(PLACES) <= HABITS, np.arange(PLACES), HABITS + 1 + _BEHIND % len(KINDS)).astype(
    np.uint8
)
_PROMPT = _BEHIND // len(KINDS)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Columns(NamedTuple):
    """Each number, what its place ``holds`` (one of ``TEXTS``, the habits, behind them one of ``KINDS``), and
    its unit: ``MAX_PROMPTS`` times the place of the entry, and which prompt. ``prompts`` counts those of an
    entry."""

    values: NDArray[np.uint16]
    holds: NDArray[np.uint8]
    units: Ints
    prompts: Ints

    def parts(self, kind: int) -> tuple[NDArray[np.uint16], Ints]:
        """All parts of one of ``KINDS``, and of each its unit."""
        mine = np.flatnonzero(self.holds == HABITS + 1 + kind)
        return self.values[mine], self.units[mine]


def columns_of(numbers: Sequence[bytes]) -> Columns:
    """The columns of entries, each given by its ``cut``."""
    width = PLACES * 2
    heads = np.frombuffer(b"".join(one[:width] for one in numbers), "<u2").reshape(-1, PLACES)
    counts = heads.astype(np.int64)
    units = np.arange(len(numbers))[:, None] * MAX_PROMPTS + _PROMPT
    return Columns(
        np.frombuffer(b"".join(one[width:] for one in numbers), "<u2"),
        np.repeat(np.tile(_HOLDS, len(numbers)), counts.ravel()),
        np.repeat(units.ravel(), counts.ravel()),
        counts[:, HABITS] // 2,
    )


class Counts(NamedTuple):
    """In how many of so many ``prompts`` each of ``NUMBERS`` stands, a row for each of ``KINDS``."""

    prompts: int
    table: NDArray[np.uint32]

    def plus(self, other: "Counts") -> "Counts":
        """Those of both."""
        return Counts(self.prompts + other.prompts, self.table + other.table)

    def shares(self, words: Ints) -> Floats:
        """How large a share of all words of all prompts each of these is; of none, not quite 0."""
        return np.asarray((self.table[0, words] + 0.5) / (float(self.table[0].sum()) + 1.0))


def counts_of(columns: Columns) -> Counts:
    """How often numbers stand in these prompts."""
    table = [np.bincount(columns.parts(kind)[0], minlength=NUMBERS) for kind in range(len(KINDS))]
    return Counts(int(columns.prompts.sum()), np.array(table, np.uint32))


def rarities(counts: NDArray[Any], total: int) -> Floats:
    """``domain.evidence.rarity`` of what so many of ``total`` have."""
    met = np.minimum(counts.astype(np.float64), total)
    return np.log1p((total - met + 0.5) / (met + 0.5))
