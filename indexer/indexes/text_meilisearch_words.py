"""Queries of a few words: who has all of them; where those are few, who has all but one.

Meilisearch forgives a typing error in four letters and two in eight, but none in the first letter, and it
lets go of words in one fixed order only. Both gaps are closed with further small queries, many in a request.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from indexer.domain.evidence import least_words
from indexer.indexes.text_meilisearch_reader import Reader, exactly

__all__ = ["ENOUGH", "Found", "find_words"]

ENOUGH = 200
"""With so many matches of all words, those that lack one are not looked for."""

MAX_WORDS = 10
"""Meilisearch reads so many words of a query."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_LEAST_MENDED = 3
_MENDED = 3


@dataclass(slots=True)
class Found:
    """Who matches: the answer of one query (``whole``), or hits put together from several.

    ``best`` is the greatest score, 0..1, that a query gave an entry; ``present`` has a bit for each word that
    an entry has (bit 0 the first), ``every`` all bits there may be. ``cut``: not all who match are told.
    ``frequencies`` tells of each word how many entries have it, or what it was taken for; ``documents`` how
    many entries there are.
    """

    whole: Mapping[str, Any] | None = None
    best: dict[int, float] = field(default_factory=dict)
    present: dict[int, int] = field(default_factory=dict)
    every: int = 0
    cut: bool = False
    frequencies: Mapping[str, int] = field(default_factory=dict)
    documents: int = 0

    def add(self, answer: Mapping[str, Any], bits: int) -> None:
        """Take the hits of a query in; they have the words of ``bits``."""
        hits = answer.get("hits", ())
        for hit in hits:
            id_ = int(hit["id"])
            self.best[id_] = max(float(hit.get("_rankingScore", 0.0)), self.best.get(id_, 0.0))
            self.present[id_] = self.present.get(id_, 0) | bits
        self.cut = self.cut or int(answer.get("totalHits", 0)) > len(hits)

    @property
    def scores(self) -> dict[int, float]:
        """Scores 0..1: the best of a query, times the share of the words that an entry has."""
        words = max(1, self.every.bit_count())
        return {id_: score * self.present[id_].bit_count() / words for id_, score in self.best.items()}


def find_words(
    reader: Reader, terms: Sequence[str], query: Mapping[str, Any], said: Sequence[str], *, typing: bool
) -> Found:
    """Entries that have the words ``terms``, or as many of them as ``least_words`` says.

    ``query`` holds the filter, what is fetched and counted, and the page; ``said`` are further words, which
    the filter asks for already.
    """
    words = _Words(terms, typing=typing)
    asked = _Asked(reader, query, said)
    whole, *told = reader.ask_all([asked.query(words.text()), *words.questions()])
    words.learn(told)
    if int(whole.get("totalHits", 0)) < ENOUGH:
        words.mend(reader)
        if words.changed:
            whole = asked.run([words.text()])[0]
    found = Found(
        whole, every=words.bits(words.known), frequencies=words.frequencies, documents=words.documents
    )
    if int(whole.get("totalHits", 0)) < ENOUGH:
        _lack(found, words, asked)
    return found


def _lack(found: Found, words: "_Words", asked: "_Asked") -> None:
    """Put those who have all words together with those who lack one; where nobody does, with those who have
    any."""
    known = words.known
    fewer = least_words(len(known)) < len(known)
    if not fewer and (int((found.whole or {}).get("totalHits", 0)) or len(known) <= 1):
        return
    found.whole = None
    kept = [found.every, *(found.every & ~words.bits([word]) for word in known if fewer)]
    texts = [words.text(), *(words.text(without=word) for word in known if fewer)]
    for bits, answer in zip(kept, asked.run(texts, ENOUGH), strict=True):
        found.add(answer, bits)
    if not found.best:
        texts = [words.text(only=word) for word in known]
        for word, answer in zip(known, asked.run(texts, ENOUGH), strict=True):
            found.add(answer, words.bits([word]))


class _Words:
    """The words of a query and what is known of each."""

    def __init__(self, terms: Sequence[str], *, typing: bool) -> None:
        self._terms = list(terms)
        self._typed = terms[-1] if typing and terms else None
        self._as = {term: term for term in terms}
        self._exact: Mapping[str, int] = dict.fromkeys(terms, 1)  # until more is known
        self.frequencies: dict[str, int] = dict.fromkeys(terms, 1)
        self.documents = 0
        self._text = self.text()

    def questions(self) -> Iterator[Mapping[str, Any]]:
        """Queries of which the totals tell about the words: as they are, and with errors or as beginnings."""
        texts = ["", *map(exactly, self._terms), *self._terms]
        return ({"q": text, "hitsPerPage": 0} for text in texts)

    def learn(self, answers: Sequence[Mapping[str, Any]]) -> None:
        """Take the answers in."""
        totals = [int(answer.get("totalHits", 0)) for answer in answers]
        self.documents, count = totals[0], len(self._terms)
        self._exact = dict(zip(self._terms, totals[1 : count + 1], strict=True))
        near = zip(self._terms, totals[1 : count + 1], totals[count + 1 :], strict=True)
        self.frequencies = {term: exact or more for term, exact, more in near}

    def bits(self, words: Sequence[str]) -> int:
        """A bit for each of the words, by its place in the query."""
        return sum(1 << self._terms.index(word) for word in words)

    @property
    def known(self) -> list[str]:
        """The words that some entry has."""
        return [term for term in self._terms if self.frequencies[term]]

    @property
    def changed(self) -> bool:
        """Whether the whole query reads otherwise than before something was known of its words."""
        return self.text() != self._text

    def mend(self, reader: Reader) -> None:
        """Take unknown words for the most frequent one that differs in its first letter or two."""
        unknown = [term for term in self._terms if not self.frequencies[term] and _mendable(term)][:_MENDED]
        for term in unknown:
            near = list(_beginnings(term))
            totals = reader.totals([exactly(word) for word in near])
            best = max(range(len(near)), key=totals.__getitem__)
            if totals[best]:
                self._as[term], self.frequencies[term] = near[best], totals[best]

    def text(self, *, without: str | None = None, only: str | None = None) -> str:
        """The query. A word that may be a beginning goes last; else a blank closes the last word."""
        kept = [t for t in self.known if t != without and (only is None or t == only)]
        if not kept:
            return " ".join(self._terms)
        last = max(reversed(kept), key=self._is_open)
        first = [self._as[term] for term in kept if term != last]
        return " ".join([*first, self._as[last]]) + ("" if self._is_open(last) else " ")

    def _is_open(self, term: str) -> bool:
        """Whether a word may be a beginning: it is still typed, or nobody has it as it is."""
        return term == self._typed or (not self._exact[term] and self._as[term] == term)


class _Asked:
    """Queries with the same filter."""

    def __init__(self, reader: Reader, query: Mapping[str, Any], said: Sequence[str]) -> None:
        self._reader = reader
        self._query = query
        self._said = list(said)

    def query(self, text: str, most: int | None = None) -> dict[str, Any]:
        """The query of a text. What it does not say itself is said before it, as far as there is room."""
        room = max(0, MAX_WORDS - len(text.split()))
        page = {} if most is None else {"hitsPerPage": most, "page": 1, "facets": []}
        return {**self._query, "q": " ".join([*self._said[:room], text]), **page}

    def run(self, texts: Sequence[str], most: int | None = None) -> list[Mapping[str, Any]]:
        """Answers to texts, of each at most ``most`` hits."""
        return self._reader.ask_all([self.query(text, most) for text in texts])


def _mendable(term: str) -> bool:
    return len(term) >= _LEAST_MENDED and term.isascii() and not term.isdigit()


def _beginnings(term: str) -> Iterator[str]:
    """Words that differ in the first letter: left out, swapped with the next, another one, one more."""
    head, rest = term[0], term[1:]
    yield rest
    yield rest[0] + head + rest[1:]
    yield from (letter + rest for letter in _LETTERS)
    yield from (letter + term for letter in _LETTERS)
