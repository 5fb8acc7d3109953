"""How many downloads are many? What entries of this catalog get, by root architecture and age.

A count says little alone: ten thousand are few for an old model of a loved base and many for one of last
week. Each cell of root and age holds percentiles of ``popularity.attention``; thin cells fall back to wider
ones.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from indexer.domain.vocabulary import read_table

__all__ = ["NO_NORMS", "SHARES", "Norms", "age_bucket", "norms_of"]

SHARES = (*(n / 20 for n in range(20)), 0.99, 1.0)
"""Shares of a cell whose percentiles are kept: every twentieth, the last hundredth, and the most."""

_ANY = -1
"""Stands for any root or any age in a cell's key."""


@dataclass(frozen=True, slots=True)
class Norms:
    """``cells`` maps (code of the root, bucket of the age) to attention at each of ``SHARES``, rising."""

    cells: Mapping[tuple[int, int], tuple[float, ...]] = field(default_factory=dict)

    def cell(self, root: int, age: int) -> tuple[int, int] | None:
        """The narrowest cell known for a root's code and an age in days; None when there is none at all.

        An unknown age (negative) is compared over all ages.
        """
        return self.cell_of(root, age_bucket(age))

    def cell_of(self, root: int, bucket: int) -> tuple[int, int] | None:
        """The same for a bucket of ages."""
        wider = ((root, bucket), (root, _ANY), (_ANY, bucket), (_ANY, _ANY))
        return next((key for key in wider if key in self.cells), None)

    def place(self, attention: float, cell: tuple[int, int]) -> float:
        """The share of a cell's entries with less attention, 0..1, interpolated; never falls as it grows."""
        marks = self.cells[cell]
        after = bisect_left(marks, attention)
        if after == 0:
            return 0.0
        if after == len(marks):
            return 1.0
        low, high = marks[after - 1], marks[after]
        part = (attention - low) / (high - low)
        return SHARES[after - 1] + part * (SHARES[after] - SHARES[after - 1])

    def to_json(self) -> dict[str, Any]:
        """As plain JSON data."""
        return {f"{root}:{bucket}": list(marks) for (root, bucket), marks in self.cells.items()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Norms":
        """The norms back from ``to_json``; cells of another number of shares are left out."""
        keys = {name: tuple(map(int, name.split(":"))) for name in stored}
        return cls(
            {(key[0], key[1]): tuple(stored[n]) for n, key in keys.items() if len(stored[n]) == len(SHARES)}
        )


NO_NORMS = Norms()
"""Of a catalog too small to compare."""


def norms_of(seen: Iterable[tuple[int, int, float]]) -> Norms:
    """Norms from (code of the root, age in days, attention) of entries; cells of too few are left out."""
    cells: dict[tuple[int, int], list[float]] = {}
    for root, age, attention in seen:
        bucket = age_bucket(age)
        for key in {(root, bucket), (root, _ANY), (_ANY, bucket), (_ANY, _ANY)}:
            cells.setdefault(key, []).append(attention)
    least = read_table("popularity.toml")["cells"]["least"]["value"]
    return Norms({key: _marks(sorted(cell)) for key, cell in cells.items() if len(cell) >= least})


def age_bucket(age: int) -> int:
    """The bucket of an age in days, from 0; an unknown age (negative) is in none."""
    return _ANY if age < 0 else bisect_right(_bounds(), age)


def _marks(ordered: list[float]) -> tuple[float, ...]:
    last = len(ordered) - 1
    return tuple(round(ordered[round(share * last)], 4) for share in SHARES)


@cache
def _bounds() -> tuple[int, ...]:
    return tuple(read_table("popularity.toml")["ages"]["bounds"])
