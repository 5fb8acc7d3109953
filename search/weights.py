"""The numbers of ``search/data/ranking.toml``, read once."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from search.data import search_table

__all__ = ["SIGNALS", "Weights", "load_weights", "table_of"]

SIGNALS = (
    *("text", "semantic", "style", "weights", "compatibility"),
    *("rating", "popularity", "freshness", "quality"),
)
"""Names of all signals, in the order in which they are added up and told."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The rows of ``ranking.toml`` as numbers: weights of signals, of searched fields, and single numbers."""

    signals: Mapping[str, float]
    fields: Mapping[str, float]
    numbers: Mapping[str, float]


@cache
def table_of(name: str) -> Mapping[str, float]:
    """The values of one table of ``search/data/ranking.toml``, by their names."""
    return {row: float(told["value"]) for row, told in search_table("ranking.toml")[name].items()}


@cache
def load_weights() -> Weights:
    """Read ``search/data/ranking.toml``."""
    table = search_table("ranking.toml")
    return Weights(
        {name: float(row["weight"]) for name, row in table["signals"].items()},
        {name: float(row["weight"]) for name, row in table["fields"].items()},
        {name: float(row["value"]) for name, row in table["numbers"].items()},
    )
