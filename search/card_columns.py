"""The signals of many cards at once, a column each: what ``signals.card_signals`` says of one card."""

from collections.abc import Mapping, Sequence
from datetime import date
from math import log1p

import numpy as np
from numpy.typing import NDArray

from indexer.domain.cards import NO_ATTENTION, NO_RATING, Card
from indexer.domain.norms import SHARES, Norms, age_bucket
from indexer.domain.rating import NEUTRAL
from search.signals import EPOCH, Wanted, compatibility

__all__ = ["card_columns"]

Column = NDArray[np.float64]
_BUCKETS = 64
"""More than there are buckets of ages, so that root and bucket make one number."""


def card_columns(
    cards: Sequence[Card], wanted: Wanted | None, today: date, numbers: Mapping[str, float], norms: Norms
) -> dict[str, Column]:
    """Signal -> its value for each card, not clipped."""
    raw = dict(zip(Card._fields, zip(*cards, strict=True), strict=True)) if cards else {}
    if not raw:
        return {}
    rating = np.array(raw["rating"], np.float64)
    day = np.array(raw["day"], np.int64)
    age = np.where(day > 0, np.maximum(0, (today - EPOCH).days - day), -1)
    fresh = np.exp2(-age / numbers["freshness_half_days"])
    columns = {
        "rating": np.where(rating == NO_RATING, NEUTRAL, rating) / 5.0,
        "popularity": _popularity(np.array(raw["attention"]), np.array(raw["root"]), age, numbers, norms),
        "freshness": np.where(age < 0, numbers["unknown_freshness"], fresh),
        "quality": np.array(raw["quality"], np.float64),
    }
    if wanted is not None:
        columns["compatibility"] = _compatibility(cards, wanted, numbers)
    return columns


def _compatibility(cards: Sequence[Card], wanted: Wanted, numbers: Mapping[str, float]) -> Column:
    alike = [(card.kind, card.architecture, card.family) for card in cards]
    first = dict(zip(alike, cards, strict=True))
    fits = {key: compatibility(card, wanted, numbers) for key, card in first.items()}
    return np.fromiter((fits[key] for key in alike), np.float64, len(cards))


def _popularity(
    attention: Column,
    root: NDArray[np.int64],
    age: NDArray[np.int64],
    numbers: Mapping[str, float],
    norms: Norms,
) -> Column:
    scale = np.minimum(1.0, attention / log1p(numbers["popular_downloads"]))
    cells, row = _cells(root, age, norms)
    placed = _place(attention, cells, np.maximum(row, 0)) if len(cells) else scale
    value: Column = np.where(row >= 0, placed, scale)
    value[attention == NO_ATTENTION] = numbers["unknown_popularity"]
    return value


def _cells(root: NDArray[np.int64], age: NDArray[np.int64], norms: Norms) -> tuple[Column, NDArray[np.int64]]:
    """Percentiles of the cells that are needed, a row each, and each card's row; -1: compared with nobody."""
    ages, which = np.unique(age, return_inverse=True)
    bucket = np.array([age_bucket(one) for one in ages.tolist()])[which]
    keys, which = np.unique(root * _BUCKETS + bucket + 1, return_inverse=True)
    cells = [norms.cell_of(key // _BUCKETS, key % _BUCKETS - 1) for key in keys.tolist()]
    known = [cell for cell in dict.fromkeys(cells) if cell is not None]
    row_of = {cell: row for row, cell in enumerate(known)}
    marks = np.array([norms.cells[cell] for cell in known]).reshape(len(known), len(SHARES))
    return marks, np.array([-1 if cell is None else row_of[cell] for cell in cells])[which]


def _place(attention: Column, marks: Column, row: NDArray[np.int64]) -> Column:
    """``Norms.place`` for each card in the cell of its row."""
    shares = np.array(SHARES)
    own = marks[row]
    after = (own < attention[:, None]).sum(axis=1)
    high = np.clip(after, 1, len(SHARES) - 1)
    left, right = (np.take_along_axis(own, at[:, None], 1)[:, 0] for at in (high - 1, high))
    with np.errstate(divide="ignore", invalid="ignore"):
        part = (attention - left) / (right - left)
    inside = shares[high - 1] + part * (shares[high] - shares[high - 1])
    value: Column = np.where(after == 0, 0.0, np.where(after == len(SHARES), 1.0, inside))
    return value
