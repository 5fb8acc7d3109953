"""The numbers of ``search/data/plan.toml``, read once into frozen records."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from search.data import search_table

__all__ = [
    "Card",
    "Compute",
    "Conversion",
    "KindRow",
    "Likeness",
    "PlanTable",
    "TrainedBase",
    "Training",
    "load_plan_table",
]

_Row = TypeVar("_Row")
Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class KindRow:
    """How a kind of file moves: ``role`` is ``base``, ``part`` or ``addon``; ``by`` are the kinds that can
    take its place; ``trains`` is a row of ``training``."""

    role: str
    by: tuple[str, ...]
    why: str
    trains: str | None = None


@dataclass(frozen=True, slots=True)
class Conversion:
    """Files of these containers or key formats are to be saved anew as ``to``."""

    kinds: tuple[str, ...]
    to: str
    why: str
    containers: tuple[str, ...] = ()
    key_formats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Likeness:
    """What makes an equivalent in some categories; from ``near`` (0..1) on it may take the place."""

    id: str
    categories: tuple[str, ...]
    weights: Mapping[str, float]
    near: float
    why: str


@dataclass(frozen=True, slots=True)
class Training:
    """What training takes: ``samples`` are looks at pictures; it and ``images`` are lowest and highest."""

    samples: Span
    least: float
    most: float
    factor: Span
    images: tuple[int, int]
    rank: int
    rank_most: int
    why: str


@dataclass(frozen=True, slots=True)
class Compute:
    """The formula's constants: ``overhead`` in seconds a step, ``efficiency`` as a share of the peak."""

    passes: float
    overhead: float
    efficiency: Span
    why: str


@dataclass(frozen=True, slots=True)
class Card:
    """A graphics card: ``peak`` in TFLOPS, ``price`` an hour, for models of at most ``most`` billion
    parameters."""

    title: str
    most: float
    peak: float
    price: float
    why: str


@dataclass(frozen=True, slots=True)
class TrainedBase:
    """``parameters`` in billions; ``tflop`` of a forward pass at ``pixels`` squared."""

    parameters: float
    tflop: float
    pixels: int
    why: str


@dataclass(frozen=True, slots=True)
class PlanTable:
    """All of ``plan.toml``."""

    good: float
    poor: float
    kinds: Mapping[str, KindRow]
    conversions: tuple[Conversion, ...]
    likeness: tuple[Likeness, ...]
    extras: Mapping[str, float]
    numbers: Mapping[str, float]
    training: Mapping[str, Training]
    compute: Compute
    cards: tuple[Card, ...]
    currency: str
    bases: Mapping[str, TrainedBase]

    def likeness_of(self, category: str | None, *, whole: bool) -> Likeness:
        """The row that serves a category; ``whole`` for base models."""
        rows = {row.id: row for row in self.likeness}
        if whole:
            return rows["whole"]
        return next((row for row in self.likeness if category in row.categories), rows["other"])


@cache
def load_plan_table() -> PlanTable:
    """Read the table. Raises ``KeyError`` or ``TypeError`` where it has other columns than the code."""
    table = search_table("plan.toml")
    return PlanTable(
        good=float(table["keep"]["good"]["value"]),
        poor=float(table["keep"]["poor"]["value"]),
        kinds=_rows(KindRow, table["kinds"]),
        conversions=tuple(_row(Conversion, row) for row in table["convert"]),
        likeness=tuple(_row(Likeness, row) for row in table["likeness"]),
        extras={name: float(row["weight"]) for name, row in table["extras"].items()},
        numbers={name: float(row["value"]) for name, row in table["numbers"].items()},
        training=_rows(Training, table["training"]),
        compute=_row(Compute, table["compute"]),
        cards=tuple(_row(Card, row) for row in table["cards"]),
        currency=str(table["money"]["currency"]),
        bases=_rows(TrainedBase, table["bases"]),
    )


def _rows(record: type[_Row], rows: Mapping[str, Mapping[str, Any]]) -> dict[str, _Row]:
    return {name: _row(record, row) for name, row in rows.items()}


def _row(record: type[_Row], row: Mapping[str, Any]) -> _Row:
    return record(**{name: tuple(value) if isinstance(value, list) else value for name, value in row.items()})
