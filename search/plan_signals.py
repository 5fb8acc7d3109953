"""How like is one model to another that would take its place? Signals 0..1 and a weighted mean. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt

from indexer.domain.evidence import rarity
from indexer.domain.gist import about, called, shared_tags, spoken, title_words
from indexer.domain.records import Document
from search.plan import Candidate
from search.plan_fit import Target, fit_of
from search.plan_table import Likeness, load_plan_table

__all__ = ["Features", "Judge", "Rarities", "features_of", "likeness_of"]


class Rarities:
    """What a word tells, more the rarer it is in the index; words that nobody asked for tell most."""

    def __init__(self, documents: int, frequencies: Mapping[str, int]) -> None:
        self._documents = documents
        self._frequencies = frequencies
        self._weights: dict[str, float] = {}

    def share(self, wanted: Iterable[str], have: frozenset[str]) -> float:
        """The share of ``wanted`` that is had, words weighed by their rarity; 0 for no words."""
        total = met = 0.0
        for word in wanted:
            weight = self._weight(word)
            total += weight
            met += weight if word in have else 0.0
        return met / total if total else 0.0

    def of(self, frequency: int) -> float:
        """What a word tells that so many entries have."""
        return 0.2 + rarity(frequency, self._documents)

    def _weight(self, word: str) -> float:
        weight = self._weights.get(word)
        if weight is None:
            weight = self._weights[word] = self.of(self._frequencies.get(word, 0))
        return weight


@dataclass(frozen=True, slots=True)
class Features:
    """What of a candidate is compared: words it is ``called`` by, words ``spoken`` of it anywhere, ``tags``,
    its ``title`` in the order of the alphabet."""

    called: frozenset[str]
    spoken: frozenset[str]
    tags: frozenset[str]
    title: tuple[str, ...]


def features_of(document: Document) -> Features:
    """The features of a candidate; it is compared with many models."""
    return Features(
        called(document), spoken(document), shared_tags(document), tuple(sorted(title_words(document.name)))
    )


def likeness_of(document: Document) -> Likeness:
    """What makes an equivalent of this model."""
    table = load_plan_table()
    row = table.kinds.get(document.kind)
    return table.likeness_of(document.category, whole=row is not None and row.role != "addon")


class Judge:
    """Compares candidates with one model that is to move."""

    def __init__(self, document: Document, target: Target, rarities: Rarities) -> None:
        self._document, self._target, self._rarities = document, target, rarities
        self._likeness = likeness_of(document)
        self._about, self._tags = about(document), shared_tags(document)
        self.title = tuple(sorted(title_words(document.name)))
        self._names = [self.title, *(title_words(phrase) for phrase in document.trigger_words)]

    def candidate(self, other: Document, features: Features, style: float | None, why: str = "") -> Candidate:
        """The candidate ``other``. ``style`` is None where looks cannot be compared."""
        table, weights = load_plan_table(), self._likeness.weights
        signals = {"name": self._name(features), "text": self._rarities.share(self._about, features.spoken)}
        if (purpose := self._purpose(other, features)) is not None:
            signals["purpose"] = purpose
        if style is not None:
            signals["style"] = style
        nearness = _mean(signals, weights)
        extras = {
            "rating": table.numbers["neutral_rating"] if other.rating is None else other.rating / 5.0,
            "here": 1.0 if "local" in other.flags else 0.0,
        }
        if self._target.family is not None:
            extras["fit"] = fit_of(other, self._target).score
        score = _mean(signals | extras, {**weights, **table.extras})
        told = {name: round(min(1.0, max(0.0, value)), 4) for name, value in (signals | extras).items()}
        return Candidate(other, round(score, 4), round(nearness, 4), told, why)

    def _name(self, features: Features) -> float:
        """Share of its title, or of one of its trigger phrases, that the other is called by."""
        if self.title and self.title == features.title:
            return 1.0
        return max(self._rarities.share(words_, features.called) for words_ in self._names)

    def _purpose(self, other: Document, features: Features) -> float | None:
        """Category and shared tags; None where neither is known of the model."""
        numbers, mine = load_plan_table().numbers, self._document.category
        if mine is None and not self._tags:
            return None  # nothing to compare by
        if mine is None or other.category is None:
            category = numbers["no_category"]
        else:
            category = numbers["same_category"] if mine == other.category else 0.0
        if not self._tags:
            return category * numbers["filed"]
        # The cosine of two sets, so that many tags are no advantage.
        tags = len(self._tags & features.tags) / sqrt(len(self._tags) * max(len(features.tags), 1))
        share = numbers["category"]
        return share * category + (1.0 - share) * tags


def _mean(signals: Mapping[str, float], weights: Mapping[str, float]) -> float:
    total = sum(weights[name] for name in signals)
    return sum(value * weights[name] for name, value in signals.items()) / total if total else 0.0
