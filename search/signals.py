"""What speaks for an entry beside the match: signals 0..1, from the numbers on its card alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from math import log1p

from indexer.domain.cards import NO_ATTENTION, NO_RATING, Card, code
from indexer.domain.compatibility import fit_score, loads_on
from indexer.domain.norms import Norms
from indexer.domain.rating import NEUTRAL
from indexer.domain.vocabulary import architecture_path, architectures, families, kinds
from search.weights import Weights

__all__ = ["EPOCH", "Wanted", "age", "card_signals", "compatibility"]

EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The base that an entry shall work on: id of an architecture, and of a family where one is meant."""

    architecture: str
    family: str | None = None


def card_signals(
    card: Card, wanted: Wanted | None, today: date, weights: Weights, norms: Norms
) -> dict[str, float]:
    """The signals that follow from the entry itself, by name. What is unknown of it counts neither for nor
    against it: ``[numbers]`` of ``ranking.toml`` say how much that is."""
    days = (today - EPOCH).days
    signals = {
        "rating": _rating(card),
        "popularity": _popularity(card, days, weights.numbers, norms),
        "freshness": _freshness(card, days, weights.numbers),
        "quality": card.quality,
    }
    if wanted is not None:
        signals["compatibility"] = compatibility(card, wanted, weights.numbers)
    return signals


def _rating(card: Card) -> float:
    """Stars as a share of five."""
    return (NEUTRAL if card.rating == NO_RATING else card.rating) / 5.0


def _popularity(card: Card, days: int, numbers: Mapping[str, float], norms: Norms) -> float:
    """The share of entries of its root and age that get less attention; on a plain logarithmic scale where
    the catalog is too small to tell. ``days`` is today, counted from 1970-01-01."""
    if card.attention == NO_ATTENTION:
        return numbers["unknown_popularity"]
    cell = norms.cell(card.root, age(card, days))
    if cell is None:
        return min(1.0, card.attention / log1p(numbers["popular_downloads"]))
    return norms.place(card.attention, cell)


def age(card: Card, days: int) -> int:
    """Days since it was published, 0 for the future; -1 unknown."""
    return max(0, days - card.day) if card.day else -1


def _freshness(card: Card, days: int, numbers: Mapping[str, float]) -> float:
    """Halved with every half-life since it was published."""
    if not card.day:
        return numbers["unknown_freshness"]
    return float(0.5 ** (age(card, days) / numbers["freshness_half_days"]))


def compatibility(card: Card, wanted: Wanted, numbers: Mapping[str, float]) -> float:
    """1 where it loads on the wanted base and looks right on it, less for another lineage, 0 where it does
    not load. Judged by what its tensors are, not by its label."""
    kind, architecture, family = (
        _ids().get(number) for number in (card.kind, card.architecture, card.family)
    )
    return (
        _fit(kind or "unknown", architecture, family, wanted)
        if architecture
        else _unknown(kind, wanted, numbers)
    )


def _unknown(kind: str | None, wanted: Wanted, numbers: Mapping[str, float]) -> float:
    """Some kinds work on every base; of others nobody can tell."""
    return _fit(kind or "unknown", None, None, wanted) or numbers["unknown_fit"]


def _fit(kind: str, architecture: str | None, family: str | None, wanted: Wanted) -> float:
    path = architecture_path(architecture) if architecture else ()
    if wanted.family is None and wanted.architecture in loads_on(kind, architecture, path):
        return 1.0  # which family is meant was not said
    return fit_score(kind, architecture, family, wanted.architecture, wanted.family)[0]


@cache
def _ids() -> Mapping[int, str]:
    """Ids of our vocabulary by the code that cards keep."""
    return {code(word): word for table in (kinds(), architectures(), families()) for word in table}
