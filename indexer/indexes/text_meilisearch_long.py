"""Long queries, pasted prompts for instance, of which Meilisearch itself reads ten words.

A text matches who has any of the words that tell most: as a filter that takes the server a millisecond, so
that matches are counted exactly. Who has the rarest of them is listed word by word, in one request; those are
compared, and the words of the best then tell exactly which they have.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.domain.evidence import pick_terms, rarity
from indexer.indexes.text_meilisearch_filters import has_any
from indexer.indexes.text_meilisearch_reader import Reader, exactly
from indexer.indexes.text_meilisearch_settings import (
    DRAWS,
    MAX_LISTED,
    both,
    drawn,
    ids_of,
    lengths_of,
    listed,
    listing,
)

__all__ = ["LongText", "Ranked", "pick_words"]

MAX_TERMS = 24
"""So many of the words are looked for."""

COMPARED = 200
"""So many candidates are compared by all their words."""

MAX_ALL = 3_000
"""So many who have a word are listed, of all words together, the rarest first: listing takes most of the
time, and who has common words alone is no better than chance."""

_MAX_ASKED = 200
_LENGTH, _STEEP = 250, 2.0


@dataclass(frozen=True, slots=True)
class LongText:
    """The words of a text that are looked for, some of which ``documents`` have: ``frequencies`` of each word
    of the text."""

    terms: tuple[str, ...]
    frequencies: Mapping[str, int]
    documents: int

    @property
    def matched(self) -> str:
        """The expression of all who have any of the words."""
        return has_any(self.terms)

    def listings(self, expression: str) -> list[dict[str, Any]]:
        """Queries that list who has each of the rarest words, as ``rank`` wants their answers."""
        left, queries = MAX_ALL, list[dict[str, Any]]()
        for term in self._rarest:
            total = self.frequencies[term]
            left -= min(total, MAX_LISTED)
            if left >= 0 or not queries:
                queries.append(listing(exactly(term), both(expression, _part(total))))
        return queries

    @property
    def _rarest(self) -> list[str]:
        return sorted(self.terms, key=lambda term: self.frequencies[term])

    def rank(self, reader: Reader, answers: Sequence[Mapping[str, Any]], limit: int) -> "Ranked":
        """The best of those that the answers to ``listings`` tell."""
        heap = _Heap(zip(self._rarest, answers, strict=False), self.terms)
        worth = [rarity(self.frequencies[term], self.documents) for term in self.terms]
        first = heap.ranked(worth)[:COMPARED]
        heap.bits[first] = reader.present(heap.ids[first].tolist(), self.terms)
        best = heap.ranked(worth)[:limit]
        ids = heap.ids[best].tolist()
        scores = heap.scores(worth)[best].tolist()
        return Ranked(
            dict(zip(ids, scores, strict=True)), dict(zip(ids, heap.bits[best].tolist(), strict=True))
        )


@dataclass(frozen=True, slots=True)
class Ranked:
    """Ids with ``scores`` 0..1, best first. ``present`` has a bit for each of the words (bit 0 the first)."""

    scores: Mapping[int, float]
    present: Mapping[int, int]


def pick_words(reader: Reader, terms: Sequence[str]) -> LongText:
    """The words of a text that tell most, of those that anybody has."""
    asked = list(terms)[:_MAX_ASKED]
    documents, *totals = reader.totals(["", *map(exactly, asked)])
    frequencies = dict(zip(asked, totals, strict=True))
    picked = tuple(term for term in pick_terms(asked, frequencies, MAX_TERMS) if frequencies[term])
    return LongText(picked, frequencies, documents)


class _Heap:
    """Who has which of the words: ``ids`` (n,) and as many ``bits``, one for each of the words that were
    picked. Frequent words list a part of those who have them."""

    def __init__(self, found: Iterable[tuple[str, Mapping[str, Any]]], picked: Sequence[str]) -> None:
        lists = [(term, listed(answer)) for term, answer in found]
        sized = np.unique(np.concatenate([np.zeros(0, np.int64), *(some for _, some in lists)]))
        self.ids = ids_of(sized)
        self._shares = 1 / (1 + _STEEP * np.log1p(lengths_of(sized) / _LENGTH))
        self.bits = np.zeros(len(sized), np.int64)
        for term, some in lists:
            self.bits[np.searchsorted(sized, some)] |= 1 << picked.index(term)

    def scores(self, worth: Sequence[float]) -> NDArray[np.float64]:
        """What the words that an entry has are worth, as a share of all, less in long texts: they have any
        word by chance."""
        sums = sum(((self.bits >> i & 1) * each for i, each in enumerate(worth)), np.zeros(len(self.bits)))
        scores: NDArray[np.float64] = sums / max(1e-9, sum(worth)) * self._shares
        return scores

    def ranked(self, worth: Sequence[float]) -> NDArray[np.int64]:
        """Places of the entries, best first."""
        return np.lexsort((self.ids, -self.scores(worth)))


def _part(total: int) -> str:
    """The filter that lists ``MAX_LISTED`` of so many: of all words the same entries, so that who has several
    is seen to have them."""
    return "" if total <= MAX_LISTED else drawn(0, DRAWS * MAX_LISTED // total)
