"""The words of a tantivy index: how many entries have one, which begin so, which were perhaps meant."""

from collections.abc import Iterable, Mapping
from typing import Any

from indexer.domain.synonyms import forms
from indexer.domain.typos import distance, edits, tolerance
from indexer.indexes.text_beginnings import Beginnings
from indexer.indexes.text_schema import BRIEF, EVERY

__all__ = ["BEGUN", "Vocabulary", "merged"]

BEGUN = 8
"""An unfinished word stands for so many words at most, the most frequent; one or two letters for fewer, since
words that begin so are in half of all entries."""

_CORRECTIONS = 5
_BEGINNINGS, _FEW_BEGINNINGS = 1_000, 20
_ONE_OFF, _TWO_OFF, _BEGUN_WORTH = 0.8, 0.6, 0.7


class Vocabulary:
    """Asks the sorted terms of an index; only ``beginnings`` are kept from one search to the next."""

    def __init__(self, searcher: Any, beginnings: Beginnings | None = None) -> None:
        self._searcher = searcher
        self._beginnings = beginnings or Beginnings()
        self.documents = int(searcher.num_docs)

    def frequency(self, word: str) -> int:
        """How many entries have the word in any searched field."""
        return int(self._searcher.doc_freq(EVERY, word))

    def brief_frequency(self, word: str) -> int:
        """How many entries have the word in a short field."""
        return int(self._searcher.doc_freq(BRIEF, word))

    def forms(self, word: str) -> dict[str, float]:
        """Other forms of the word that entries have, with what each is worth."""
        return {form: worth for form, worth in forms(word).items() if self.frequency(form)}

    def begun(self, word: str) -> dict[str, float]:
        """The most frequent words of short fields that begin so."""
        count = min(BEGUN, 2 ** len(word))
        found = self._beginnings.words(self._searcher, word, count + 1)
        return {term: _BEGUN_WORTH for term, _ in found if term != word}

    def corrected(self, word: str) -> dict[str, float]:
        """Words of short fields that differ from the word by a typing error or two, the nearest and most
        frequent first. Of two errors one must be in the second half of the word."""
        most = tolerance(word)
        if not most:
            return {}
        half = (len(word) + 1) // 2
        near = self._near(word, [word[:half]], most, _BEGINNINGS)
        if word.isascii():
            words = dict.fromkeys(edits(word, half))
            near |= {w: (1, -n) for w in words if w != word and (n := self.brief_frequency(w))}
            if not near and most > 1:
                near = self._near(word, dict.fromkeys(w[:half] for w in words), most, _FEW_BEGINNINGS)
        best = sorted(near, key=lambda term: near[term])[:_CORRECTIONS]
        return {term: _ONE_OFF if near[term][0] == 1 else _TWO_OFF for term in best}

    def _near(
        self, word: str, beginnings: Iterable[str], most: int, count: int
    ) -> dict[str, tuple[int, int]]:
        """Words that begin so and are near, with their errors and less their frequency."""
        found = {}
        for beginning in beginnings:
            for term, frequency in self._searcher.terms_with_prefix(BRIEF, beginning, limit=count):
                if term != word and (errors := distance(word, term, most)) <= most:
                    found[term] = (errors, -frequency)
        return found


def merged(*maps: Mapping[str, float]) -> dict[str, float]:
    """One map; a word in several keeps its greatest worth."""
    found: dict[str, float] = {}
    for each in maps:
        for word, worth in each.items():
            found[word] = max(worth, found.get(word, 0.0))
    return found
