"""In what order, and why? Pure: cards and signals 0..1 in, scores that explain themselves out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.domain.cards import Card, card_of
from indexer.domain.norms import NO_NORMS, Norms
from indexer.domain.records import Document
from search.card_columns import card_columns
from search.explain import NOBODY, Asked, Part, parts_of, sentence, short
from search.signals import Wanted, card_signals
from search.weights import SIGNALS, Weights, load_weights

__all__ = [
    "SIGNALS",
    "Score",
    "Scored",
    "Wanted",
    "Weights",
    "card_signals",
    "document_signals",
    "fold_hits",
    "fuse",
    "load_weights",
    "score_of",
    "weigh",
]

Found = Mapping[str, Mapping[int, float]]
"""What looking for entries found out about them: signal -> id -> 0..1, an id that is not there 0."""


@dataclass(frozen=True, slots=True)
class Score:
    """A score 0..1 and what it is made of: signal -> (value, weight)."""

    value: float
    signals: Mapping[str, tuple[float, float]]

    def explain(self, document: Document | None = None, asked: Asked = NOBODY) -> str:
        """The score as a sentence, largest contribution first; it says more with the entry and the query."""
        return sentence(self.value, self.parts(document, asked))

    def short(self, document: Document | None = None, asked: Asked = NOBODY) -> str:
        """The two or three things that say most, for a line of a table."""
        return short(self.parts(document, asked))

    def parts(self, document: Document | None = None, asked: Asked = NOBODY) -> tuple[Part, ...]:
        """Each signal with what it adds to the score, and that in words; largest contribution first."""
        return parts_of(self.signals, document, asked)


class Scored(NamedTuple):
    """An entry's place in an answer: the best of its fold, and ``also`` the ids of the others, best first."""

    card: Card
    value: float
    also: tuple[int, ...] = ()


def fuse(signals: Mapping[str, float], weights: Mapping[str, float]) -> Score:
    """Weighted mean of the signals given; a signal that does not apply must be left out."""
    kept = {name: (min(1.0, max(0.0, signals[name])), weights[name]) for name in SIGNALS if name in signals}
    total = value = 0.0
    for share, weight in kept.values():
        value += share * weight
        total += weight
    return Score(round(value / total, 6) if total else 0.0, kept)


def score_of(
    card: Card, extra: Found, wanted: Wanted | None, today: date, weights: Weights, norms: Norms
) -> Score:
    """The score of one entry with its signals, as ``weigh`` values it."""
    found = {name: scores.get(card.id, 0.0) for name, scores in extra.items()}
    return fuse(card_signals(card, wanted, today, weights, norms) | found, weights.signals)


def weigh(
    cards: Sequence[Card], extra: Found, wanted: Wanted | None, today: date, weights: Weights, norms: Norms
) -> list[Scored]:
    """All cards by falling score, ties by id; cards of one fold make one place.

    The same as ``score_of`` card by card, but a signal at a time: a thousand cards take about two
    milliseconds.
    """
    columns = card_columns(cards, wanted, today, weights.numbers, norms)
    columns |= {name: _looked_up(cards, scores) for name, scores in extra.items()}
    values, total = np.zeros(len(cards)), 0.0
    for name in SIGNALS:
        if name in columns:
            values += np.clip(columns[name], 0.0, 1.0) * weights.signals[name]
            total += weights.signals[name]
    if total:
        values = np.round(values / total, 6)
    ids = np.fromiter((card.id for card in cards), np.int64, len(cards))
    order = np.lexsort((ids, -values)).tolist()
    scores = values.tolist()
    return fold_hits([(cards[place], scores[place]) for place in order])


def _looked_up(cards: Sequence[Card], scores: Mapping[int, float]) -> NDArray[np.float64]:
    return np.fromiter((scores.get(card.id, 0.0) for card in cards), np.float64, len(cards))


def fold_hits(ordered: Iterable[tuple[Card, float]]) -> list[Scored]:
    """Each fold at the place of its first card, with the ids of the others in order."""
    folds: dict[int, list[tuple[Card, float]]] = {}
    for one in ordered:
        folds.setdefault(one[0].fold, []).append(one)
    return [
        Scored(*members[0], tuple([card.id for card, _ in members[1:]]))
        if len(members) > 1
        else Scored(*members[0])
        for members in folds.values()
    ]


def document_signals(document: Document, base: str | None, today: date, weights: Weights) -> dict[str, float]:
    """The signals of an entry's card, without norms."""
    wanted = None if base is None else Wanted(base)
    return card_signals(card_of(document), wanted, today, weights, NO_NORMS)
