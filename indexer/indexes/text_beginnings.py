"""The most frequent words that begin with what is typed, told at once also for one letter, two or three.

Words that begin with a letter are a tenth of all words, and asking the index for the most frequent goes
through each of them. So in large indexes they are gathered ahead, in the background, and kept until the index
has grown by a tenth: which words are the most frequent hardly changes.
"""

import string
from collections.abc import Mapping, Sequence
from heapq import nsmallest
from typing import Any

from indexer.indexes.text_ahead import Ahead
from indexer.indexes.text_schema import BRIEF

__all__ = ["Beginnings"]

_KEPT = 9
_REMEMBERED = 10_000
_SORTED = 100_000
"""Of two letters so many words are parted by the third."""

_LETTERS = string.ascii_lowercase + string.digits

Words = Sequence[tuple[str, int]]


class Beginnings:
    """Words of short fields with their frequencies, by how they begin. Many threads may share it."""

    def __init__(self) -> None:
        self._ahead = Ahead(self._gather)
        self._known: dict[str, Words] = {}
        self._gathered: Mapping[str, Words] = {}

    def words(self, searcher: Any, beginning: str, count: int) -> Words:
        """The ``count`` most frequent words with this beginning, at most ``_KEPT``."""
        if not self._ahead.is_large(searcher):
            return _asked(searcher, beginning)[:count]
        if self._ahead.begin(searcher):
            self._known = {}
        found = self._gathered.get(beginning) or self._known.get(beginning)
        if found is None:
            found = self._known[beginning] = _asked(searcher, beginning)
            if len(self._known) > _REMEMBERED:
                self._known = {}
        return found[:count]

    def _gather(self, searcher: Any) -> None:
        """Of all pairs of letters; those of one letter and of three follow from them."""
        table: dict[str, Words] = {}
        for first in _LETTERS:
            every: list[tuple[str, int]] = []
            for second in _LETTERS:
                words = _asked(searcher, first + second, _SORTED)
                table[first + second] = words[:_KEPT]
                every += words[:_KEPT]
                if len(words) < _SORTED:
                    table |= _by_three(words)
            table[first] = nsmallest(_KEPT, every, key=lambda word: (-word[1], word[0]))
        self._gathered = table


def _by_three(words: Words) -> dict[str, Words]:
    """Words, the most frequent first, by their first three letters."""
    found: dict[str, list[tuple[str, int]]] = {}
    for word in words:
        if len(word[0]) > 2:
            found.setdefault(word[0][:3], []).append(word)
    return {beginning: those[:_KEPT] for beginning, those in found.items()}


def _asked(searcher: Any, beginning: str, count: int = _KEPT) -> Words:
    found: Words = searcher.terms_with_prefix(BRIEF, beginning, limit=count)
    return found
