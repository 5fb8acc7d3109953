"""Words of a query as a tantivy query: candidates with recall, scored by how rare their words are.

A word counts by its best form: itself, singular and plural, another spelling, a synonym; a word that no short
field has also by the words that begin so or were perhaps meant. How many words an entry must have is
``least_words``. Order, names and near misses are compared afterwards, by ``search.matching``.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import comb
from typing import Any

import tantivy

from indexer.domain.brief import BRIEF_FIELDS
from indexer.domain.evidence import LONG, least_words, pick_terms, rarity
from indexer.indexes.text import TextQuery
from indexer.indexes.text_schema import BRIEF, EVERY, searched, words_column
from indexer.indexes.text_vocabulary import Vocabulary, merged

__all__ = ["MAX_TERMS", "Wanted", "WordQuery", "least_steps", "plan"]

MAX_TERMS = 24
"""Of a pasted text, so many of its rarest words are looked for."""

MAX_LOOKED_UP = 500_000
"""Entries that are looked at for a pasted text, each as often as it has one of the words."""

MAX_CORRECTED = 6
_SURE = 0.02
"""A word that a larger share of entries has is meant as it is: looking for what else it may be would take
long and find nothing."""

_BOOSTS = ((BRIEF, 1.0), (EVERY, 0.5))
_LONG_BOOSTS = ((EVERY, 1.0),)
_TIE = 0.3
LONG_POWER = 0.7
"""In pasted texts rarity counts by this power once more: what stands in most prompts tells nothing."""

_WAYS = 8
"""So many ways of choosing words are spelt out; all but one of as many as a short query may have."""

_SATURATED = 2.2
"""BM25 gives a word at most so many times its rarity (k1 + 1)."""

_QUERY = tantivy.Query
_MUST, _SHOULD = tantivy.Occur.Must, tantivy.Occur.Should


@dataclass(frozen=True, slots=True)
class Wanted:
    """A word of the query: ``variants`` maps each form to look for to its worth, ``frequency`` is how many
    entries have the commonest of them."""

    term: str
    variants: Mapping[str, float]
    frequency: int


def plan(query: TextQuery, vocabulary: Vocabulary) -> list[Wanted]:
    """What to look for, in the order of the query."""
    terms = tuple(dict.fromkeys(query.terms))
    frequencies = {term: vocabulary.frequency(term) for term in terms}
    found = []
    left = 0 if query.long else MAX_CORRECTED  # what is pasted was not typed
    for term in _affordable(pick_terms(terms, frequencies, MAX_TERMS), frequencies):
        variants = {term: 1.0}
        if not query.long:
            variants = merged(variants, vocabulary.forms(term))
        if query.typing and term == terms[-1]:
            variants = merged(variants, vocabulary.begun(term))
        elif left and _is_unknown(term, vocabulary):
            left -= 1
            variants = merged(variants, vocabulary.begun(term), vocabulary.corrected(term))
        found.append(Wanted(term, variants, max(map(vocabulary.frequency, variants))))
    return found if query.long else _joined(found, vocabulary)


def _affordable(terms: Sequence[str], frequencies: Mapping[str, int]) -> Sequence[str]:
    """Of a pasted text, the rarest words that may be looked up in time."""
    if len(terms) < LONG:
        return terms
    kept: set[str] = set()
    left = MAX_LOOKED_UP
    for term in sorted(terms, key=lambda term: frequencies[term]):
        left -= frequencies[term]
        if left >= 0 or len(kept) < LONG:
            kept.add(term)
    return [term for term in terms if term in kept]


def _is_unknown(term: str, vocabulary: Vocabulary) -> bool:
    """Whether a word may be mistyped or unfinished: no short field has it, and few texts."""
    common = vocabulary.frequency(term) > _SURE * vocabulary.documents
    return not common and not vocabulary.brief_frequency(term)


def _joined(found: Sequence[Wanted], vocabulary: Vocabulary) -> list[Wanted]:
    """Neighbours that entries write as one word: that word is a form of both."""
    more: list[dict[str, float]] = [{} for _ in found]
    for place, (one, other) in enumerate(pairwise(found)):
        whole = one.term + other.term
        if vocabulary.brief_frequency(whole):
            more[place][whole] = more[place + 1][whole] = 1.0
    return [Wanted(w.term, merged(w.variants, m), w.frequency) for w, m in zip(found, more, strict=True)]


class WordQuery:
    """Builds the scoring part of a query."""

    def __init__(self, schema: Any, vocabulary: Vocabulary, *, long: bool = False) -> None:
        self._schema = schema
        self._vocabulary = vocabulary
        self._long = long
        self._boosts = _LONG_BOOSTS if long else _BOOSTS

    def parts(
        self,
        wanted: Sequence[Wanted],
        phrases: Sequence[Sequence[str]],
        least: int,
        within: Any = None,
    ) -> list[tuple[Any, Any]]:
        """Conditions of one query: entries have at least ``least`` of the words, and all phrases; in a long
        text only those ``within`` a query, unless None."""
        boosts = self._boosts
        words = [
            _QUERY.boost_query(self._word(w.variants, boosts), worth)
            for w, worth in zip(wanted, self._worths(wanted), strict=True)
        ]
        parts = [(_MUST, self._phrase(phrase, within)) for phrase in phrases]
        if least >= len(words):
            return [*((_MUST, word) for word in words), *parts]
        if not _few_ways(len(words), least):
            return [(_MUST, _at_least(words, least)), *parts]
        some = _QUERY.const_score_query(self._some_of(wanted, least), 0.0)
        return [(_MUST, some), *((_SHOULD, word) for word in words), *parts]

    def _worths(self, wanted: Sequence[Wanted]) -> list[float]:
        """What a word is worth beside the others: in a pasted text the more the rarer it is."""
        if not self._long:
            return [1.0] * len(wanted)
        most = rarity(0, self._vocabulary.documents)
        return [(rarity(w.frequency, self._vocabulary.documents) / most) ** LONG_POWER for w in wanted]

    def bits(self, wanted: Sequence[Wanted]) -> Any:
        """Scores an entry by which words it has: 1 for the first, 2 for the second, 4 … A score has 24 bits,
        so at most 24 words."""
        return _QUERY.boolean_query(
            [
                (_SHOULD, _QUERY.const_score_query(self.anywhere(w.variants), float(1 << place)))
                for place, w in enumerate(wanted)
            ]
        )

    def bound(self, wanted: Sequence[Wanted], phrases: Sequence[Sequence[str]]) -> float:
        """About the greatest score that an entry can have: all words, in a short text of each column."""
        documents = self._vocabulary.documents
        told = [rarity(w.frequency, documents) * x for w, x in zip(wanted, self._worths(wanted), strict=True)]
        told += [rarity(self._vocabulary.frequency(word), documents) for phrase in phrases for word in phrase]
        (_, best), *others = self._boosts
        return max(1e-9, _SATURATED * (best + _TIE * sum(boost for _, boost in others)) * sum(told))

    def anywhere(self, variants: Iterable[str]) -> Any:
        """Entries that have one of the forms in any field; what it scores means nothing."""
        return self._one_of(EVERY, variants)

    def briefly(self, wanted: Sequence[Wanted]) -> Any:
        """Entries that have one of the words in a short field; scores nothing."""
        forms = dict.fromkeys(form for w in wanted for form in w.variants)
        return _QUERY.const_score_query(self._one_of(BRIEF, forms), 0.0)

    def brief_frequency(self, wanted: Sequence[Wanted]) -> int:
        """How many entries have the commonest of the words in a short field."""
        forms = (form for w in wanted for form in w.variants)
        return max(map(self._vocabulary.brief_frequency, forms), default=0)

    def unscored(
        self,
        wanted: Sequence[Wanted],
        phrases: Sequence[Sequence[str]],
        least: int,
        within: Any = None,
    ) -> list[tuple[Any, Any]]:
        """Conditions that the same entries meet as those of ``parts``, for counting and for orders."""
        words = [self.anywhere(w.variants) for w in wanted]
        parts = [(_MUST, self._phrase(phrase, within)) for phrase in phrases]
        if least >= len(words):
            return [*((_MUST, word) for word in words), *parts]
        return [(_MUST, self._some_of(wanted, least)), *parts]

    def _some_of(self, wanted: Sequence[Wanted], least: int) -> Any:
        """Entries that have ``least`` of the words: as all ways of choosing them where those are few. The
        engine goes through each by its rarest word; asked for any so many, it looks at all who have one."""
        each = [self.anywhere(w.variants) for w in wanted]
        if not _few_ways(len(each), least):
            return _at_least(each, least)
        ways = [[(_MUST, word) for word in way] for way in combinations(each, least)]
        return _QUERY.boolean_query([(_SHOULD, _QUERY.boolean_query(way)) for way in ways])

    def _one_of(self, column: str, forms: Iterable[str]) -> Any:
        each = [self._term(column, form) for form in forms]
        return each[0] if len(each) == 1 else _QUERY.boolean_query([(_SHOULD, one) for one in each])

    def _word(self, variants: Mapping[str, float], boosts: Sequence[tuple[str, float]]) -> Any:
        choices = [
            _QUERY.boost_query(self._term(column, form), boost * worth)
            for form, worth in variants.items()
            for column, boost in boosts
        ]
        return choices[0] if len(choices) == 1 else _QUERY.disjunction_max_query(choices, _TIE)

    def _term(self, column: str, form: str) -> Any:
        return _QUERY.term_query(self._schema, column, form, index_option="basic")

    def said_briefly(self, phrases: Sequence[Sequence[str]]) -> Any:
        """Entries that have each phrase in a short field."""
        return _QUERY.boolean_query(
            [
                (_MUST, _QUERY.disjunction_max_query(self._said(phrase, long=False), _TIE))
                for phrase in phrases
            ]
        )

    def phrase_frequency(self, phrases: Sequence[Sequence[str]]) -> int:
        """How many entries can have all phrases, at most."""
        return min(self._vocabulary.frequency(word) for phrase in phrases for word in phrase)

    def _phrase(self, phrase: Sequence[str], within: Any = None) -> Any:
        """A phrase whole in one of the searched fields."""
        if len(phrase) == 1:
            return self._word({phrase[0]: 1.0}, _BOOSTS)
        long = self._said(phrase, long=True)
        if within is not None:  # in each field by itself: several at once are looked through together
            long = [_QUERY.boolean_query([(_MUST, query), (_MUST, within)]) for query in long]
        return _QUERY.disjunction_max_query([*self._said(phrase, long=False), *long], _TIE)

    def _said(self, phrase: Sequence[str], *, long: bool) -> list[Any]:
        """A phrase whole, field by field, of those that hold long texts or of the others."""
        columns = [words_column(f) for f in searched() if (f.weight not in BRIEF_FIELDS) is long]
        if len(phrase) == 1:
            return [self._term(column, phrase[0]) for column in columns]
        return [_QUERY.phrase_query(self._schema, column, list(phrase)) for column in columns]


def _few_ways(count: int, least: int) -> bool:
    """Whether ``least`` of ``count`` words are spelt out; one of them is a list of words anyway."""
    return 1 < least < count and comb(count, least) <= _WAYS


def _at_least(words: Sequence[Any], least: int) -> Any:
    return _QUERY.boolean_query([(_SHOULD, word) for word in words], minimum_number_should_match=least)


def least_steps(wanted: Sequence[Wanted], *, long: bool = False) -> Iterator[int]:
    """How many words to ask for: as ``least_words`` says of those that exist; half while nothing is found."""
    least = 1 if long else max(1, least_words(sum(1 for w in wanted if w.frequency)))
    while least > 1:
        yield least
        least //= 2
    yield 1
