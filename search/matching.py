"""How well do the words of an entry's short fields match the words typed? Pure, the same for every engine.

An engine brings candidates; here the best of them are compared word by word.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import sqrt
from typing import NamedTuple

from indexer.domain.brief import BRIEF_FIELDS, Brief
from indexer.domain.evidence import LONG, Evidence, rarity
from indexer.domain.synonyms import forms
from indexer.domain.trigger_phrases import is_phrase
from indexer.domain.typos import distance, tolerance

__all__ = ["Match", "Matcher"]

_ONE_OFF, _TWO_OFF = 0.8, 0.6
_BEGUN, _BEGUN_WHOLE = 0.5, 0.4
_LEAST_BEGUN = 3
_LIGHT, _LIGHTER = 0.3, 0.15
_LEAST_RARITY = 0.1
_SECOND, _FURTHER = 0.8, 0.92
_PART_OF_LATER = 0.6

_Worths = tuple[tuple[int, float], ...]
"""Places of terms that a word matches, with how well."""


class Match(NamedTuple):
    """``covered``: share of the query that the entry has, words weighed by rarity, fields by their factor;
    all of a query that is one of its trigger phrases. ``named``: share of the name that the query has.
    ``called``: the same of its best trigger phrase, where that has all of the query. ``ordered``: share of
    neighbours of the query that are neighbours in the name. ``alone``: how nearly the query is the only
    trigger phrase there is, 0 where it is none. Each 0..1."""

    covered: float = 0.0
    named: float = 0.0
    called: float = 0.0
    ordered: float = 0.0
    alone: float = 0.0


class Matcher:
    """Compares entries with one query.

    ``factors`` is what a word is worth by the short field that has it, 0..1; ``elsewhere`` what it is worth
    in any other field; ``noise`` are words of names that hardly count. Words of long queries are compared
    exactly, those of short ones with their other forms, beginnings and typing errors.
    """

    def __init__(
        self,
        terms: Sequence[str],
        evidence: Evidence,
        factors: Mapping[str, float],
        elsewhere: float,
        noise: frozenset[str],
        *,
        typing: bool = False,
    ) -> None:
        self._typed = "".join(terms)
        self._terms = tuple(dict.fromkeys(terms))
        self._places = {term: place for place, term in enumerate(self._terms)}
        self._bits = {term: 1 << bit for bit, term in enumerate(evidence.terms)}
        self._factors = tuple(factors[name] for name in BRIEF_FIELDS)
        self._elsewhere, self._noise = elsewhere, noise
        self._loose = len(self._terms) < LONG
        self._forms = [forms(term) for term in self._terms] if self._loose else []
        self._unfinished = len(self._terms) - 1 if typing else -1
        self._joined = {a + b: place for place, (a, b) in enumerate(pairwise(self._terms))}
        total, frequencies = evidence.documents, evidence.frequencies
        self._weights = [_LEAST_RARITY + rarity(frequencies.get(term, 0), total) for term in self._terms]
        self._known: dict[str, _Worths] = {}

    def match(self, brief: Brief, present: int = 0) -> Match:
        """Compare one entry; ``present`` has a bit for each of the evidence's terms that it has anywhere."""
        best = [self._elsewhere if present & self._bits.get(term, 0) else 0.0 for term in self._terms]
        for factor, text in zip(self._factors, brief, strict=True):
            for place, worth in self._found(text.split()):
                best[place] = max(best[place], factor * worth)
        if not any(best):
            return Match()
        covered = sum(b * w for b, w in zip(best, self._weights, strict=True)) / sum(self._weights)
        name, phrases = brief.name.split(), [phrase.split() for phrase in brief.trigger_words.split("\t")]
        named, order = self._share(name), self._order(name)
        whole = self._whole(phrases)
        if whole:
            return Match(1.0, named, whole, order, whole / sqrt(len(phrases)))
        return Match(covered, named, self._called(phrases), order)

    def _found(self, words: Sequence[str]) -> Iterator[tuple[int, float]]:
        """Places of the terms that some words match, with how well."""
        for word in words:
            yield from self._word(word)
        if self._loose:
            for one, other in pairwise(words):  # written as two words, typed as one
                place = self._places.get(one + other)
                if place is not None:
                    yield place, 1.0

    def _word(self, word: str) -> _Worths:
        """How well a word matches each of the terms. Words are met again and again."""
        known = self._known.get(word)
        if known is None:
            known = self._known[word] = tuple(self._compare(word) if self._loose else self._same(word))
        return known

    def _same(self, word: str) -> Iterator[tuple[int, float]]:
        place = self._places.get(word)
        if place is not None:
            yield place, 1.0

    def _compare(self, word: str) -> Iterator[tuple[int, float]]:
        for place in range(len(self._terms)):
            if worth := self._worth(place, word):
                yield place, worth
        pair = self._joined.get(word)
        if pair is not None:  # written as one word, typed as two
            yield pair, 1.0
            yield pair + 1, 1.0

    def _worth(self, place: int, word: str) -> float:
        term = self._terms[place]
        if word == term:
            return 1.0
        worth = self._forms[place].get(word, 0.0)
        if word.startswith(term):
            if place == self._unfinished:
                return _BEGUN + _BEGUN_WHOLE
            if len(term) >= _LEAST_BEGUN:
                worth = max(worth, _BEGUN + _BEGUN_WHOLE * len(term) / len(word))
        if worth >= _ONE_OFF or not _begin_alike(term, word):
            return worth
        most = min(tolerance(term), tolerance(word))
        errors = distance(term, word, most) if most else 1
        return worth if errors > most else max(worth, _ONE_OFF if errors == 1 else _TWO_OFF)

    def _share(self, words: Sequence[str]) -> float:
        """Share of words that the query has; release numbers and words like ``lora`` count little."""
        total = met = 0.0
        for word in dict.fromkeys(words):
            weight = self._weight(word)
            total += weight
            met += weight * max((worth for _, worth in self._word(word)), default=0.0)
        return met / total if total else 0.0

    def _weight(self, word: str) -> float:
        if word in self._noise:
            return _LIGHTER
        return _LIGHT if word.isascii() and (len(word) == 1 or not word.isalpha()) else 1.0

    def _whole(self, phrases: Sequence[Sequence[str]]) -> float:
        """What it is worth that the query is one of the trigger phrases, 0 where it is none. The first says
        what a model is; further ones mostly tell of clothes and poses that others have as well."""
        for place, words in enumerate(phrases):
            if is_phrase(words, self._typed):
                return _SECOND * _FURTHER ** (place - 1) if place else 1.0
        return 0.0

    def _called(self, phrases: Sequence[Sequence[str]]) -> float:
        """Of the trigger phrases that have all words of the query, the one that is matched best."""
        best = 0.0
        for place, words in enumerate(phrases):
            if len(words) < len(self._terms) and self._joined.keys().isdisjoint(words):
                continue
            worths: dict[int, float] = {}
            for term, worth in self._found(words):
                worths[term] = max(worth, worths.get(term, 0.0))
            if len(worths) == len(self._terms):
                called = self._share(words) * min(worths.values())
                best = max(best, called * (_PART_OF_LATER if place else 1.0))
        return best

    def _order(self, words: Sequence[str]) -> float:
        """Share of neighbouring terms that are neighbours in the name; of one term, whether it is there."""
        if len(self._terms) == 1:
            return float(any(map(self._word, words)))
        places: dict[int, set[int]] = {}
        for at, word in enumerate(words):
            for place, _ in self._word(word):
                places.setdefault(place, set()).add(at)
        pairs = len(self._terms) - 1
        met = (any(at + 1 in places.get(p + 1, ()) for at in places.get(p, ())) for p in range(pairs))
        return sum(met) / pairs


def _begin_alike(one: str, other: str) -> bool:
    """Whether one of the first two letters is shared: a quick look before errors are counted."""
    return one[0] == other[0] or one[1:2] == other[1:2] or one[1:2] == other[0] or one[0] == other[1:2]
