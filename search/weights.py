"""The numbers of ``search/data/ranking.toml``, read once."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

__all__ = ["SIGNALS", "Weights", "load_weights"]

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
def load_weights() -> Weights:
    """Read ``search/data/ranking.toml``."""
    table = tomllib.loads(resources.files("search.data").joinpath("ranking.toml").read_text("utf-8"))
    return Weights(
        {name: float(row["weight"]) for name, row in table["signals"].items()},
        {name: float(row["weight"]) for name, row in table["fields"].items()},
        {name: float(row["value"]) for name, row in table["numbers"].items()},
    )
