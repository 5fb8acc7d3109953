"""Queries of a few words: who has all of them; where those are few, who has all but one.

Meilisearch forgives a typing error in four letters and two in eight, but none in the first letter, and it
lets go of words in one fixed order only. Both gaps are closed with further small queries, many in a request.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from indexer.domain.evidence import least_words
from indexer.indexes.text_meilisearch_reader import Reader, exactly

__all__ = ["Found", "KeptBack", "find_words"]

ENOUGH = 100
"""With so many matches of all words, those that lack one are not looked for."""

LISTED_TYPED = 30
"""So many of each are looked for while somebody types, and only where nobody has all words: every letter asks
anew, and a list below the box holds no more."""

MAX_WORDS = 10
"""Meilisearch reads so many words of a query."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_LEAST_MENDED = 3
_MENDED = 3


@dataclass(frozen=True, slots=True)
class KeptBack:
    """How those are told apart who are kept back: ``query`` counts them, ``either`` is the filter that they
    pass and the others too, ``flags`` are those they have."""

    query: Mapping[str, Any]
    either: str
    flags: frozenset[str]


@dataclass(slots=True)
class Found:
    """Who matches: the answer of one query (``whole``), or hits put together from several.

    ``best`` is the greatest score, 0..1, that a query gave an entry, ``rows`` its hit; ``present`` has a bit
    for each word that an entry has (bit 0 the first), ``every`` all bits there may be. ``cut``: not all who
    match are told. ``frequencies`` tells of each word how many entries have it, or what it was taken for;
    ``documents`` how many entries there are. ``hidden`` is the answer of the query for those who are kept
    back, or ``aside`` holds their ids, put together as the hits are. ``texts`` were put together, of which
    each finds so many (``totals``), kept back or not.
    """

    whole: Mapping[str, Any] | None = None
    hidden: Mapping[str, Any] = field(default_factory=dict)
    best: dict[int, float] = field(default_factory=dict)
    rows: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    present: dict[int, int] = field(default_factory=dict)
    aside: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    every: int = 0
    cut: bool = False
    frequencies: Mapping[str, int] = field(default_factory=dict)
    documents: int = 0
    texts: Sequence[str] = ()
    totals: Sequence[int] = ()

    def add(self, answer: Mapping[str, Any], bits: int, flags: frozenset[str]) -> None:
        """Take the hits of a query in; they have the words of ``bits``. Those with one of ``flags`` are kept
        back."""
        hits = answer.get("hits", ())
        for hit in hits:
            id_ = int(hit["id"])
            if flags and not flags.isdisjoint(hit.get("is", ())):
                self.aside[id_] = hit
                continue
            self.best[id_] = max(float(hit.get("_rankingScore", 0.0)), self.best.get(id_, 0.0))
            self.present[id_] = self.present.get(id_, 0) | bits
            self.rows[id_] = hit
        self.cut = self.cut or int(answer.get("totalHits", 0)) > len(hits)

    @property
    def scores(self) -> dict[int, float]:
        """Scores 0..1: the best of a query, times the share of the words that an entry has."""
        words = max(1, self.every.bit_count())
        return {id_: score * self.present[id_].bit_count() / words for id_, score in self.best.items()}


def find_words(
    reader: Reader,
    terms: Sequence[str],
    query: Mapping[str, Any],
    said: Sequence[str],
    kept: KeptBack | None = None,
    *,
    typing: bool,
) -> Found:
    """Entries that have the words ``terms``, or as many of them as ``least_words`` says.

    ``query`` holds the filter, what is fetched and counted, and the page. ``said`` are further words, which
    the filter asks for already.
    """
    words = _Words(terms, typing=typing)
    enough = 1 if typing else ENOUGH
    asked = _Asked(reader, query, said, kept, LISTED_TYPED if typing else ENOUGH)
    answers, totals = reader.ask_with_totals(asked.both(words.text()), words.questions())
    words.learn(totals, reader)
    if int(answers[0].get("totalHits", 0)) < enough:
        words.mend(reader)
        if words.changed:
            answers = reader.ask_all(asked.both(words.text()))
    found = Found(
        answers[0],
        answers[1] if kept else {},
        every=words.bits(words.known),
        frequencies=words.frequencies,
        documents=words.documents,
    )
    if int(answers[0].get("totalHits", 0)) < enough:
        _lack(found, words, asked)
    return found


def _lack(found: Found, words: "_Words", asked: "_Asked") -> None:
    """Put those who have all words together with those who lack one; where nobody does, with those who have
    any."""
    known, whole = words.known, found.whole or {}
    fewer = least_words(len(known)) < len(known)
    if not fewer and (int(whole.get("totalHits", 0)) or len(known) <= 1):
        return
    found.whole = None
    bits = [found.every, *(found.every & ~words.bits([word]) for word in known if fewer)]
    texts = [words.text(), *(words.text(without=word) for word in known if fewer)]
    if len(texts) > 1 or int(whole.get("totalHits", 0)):
        asked.gather(found, bits, texts)
    if not found.best:
        asked.gather(found, [words.bits([word]) for word in known], [words.text(only=w) for w in known])


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

    def questions(self) -> list[str]:
        """Texts of which the totals tell about the words; a word that is still typed is also a beginning."""
        return ["", *map(exactly, self._terms), *([self._typed] if self._typed else [])]

    def learn(self, totals: Sequence[int], reader: Reader) -> None:
        """Take the totals in; of words that nobody has, ask who has them with errors or as beginnings."""
        self.documents = totals[0]
        self._exact = dict(zip(self._terms, totals[1:], strict=False))
        begun = {self._typed: totals[-1]} if self._typed else {}
        unknown = [term for term, count in self._exact.items() if not count]
        others = [term for term in unknown if term not in begun]
        begun |= dict(zip(others, reader.totals(others), strict=True))
        self.frequencies = self._exact | {term: begun[term] for term in unknown}

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
    """Queries with the same filters, for those who are shown and for those who are kept back."""

    def __init__(
        self,
        reader: Reader,
        query: Mapping[str, Any],
        said: Sequence[str],
        kept: KeptBack | None,
        most: int,
    ) -> None:
        self._reader = reader
        self._most = most
        self._query = query
        self._kept = kept
        self._said = list(said)

    def both(self, text: str) -> list[Mapping[str, Any]]:
        """The query of a text, and the one that counts who is kept back."""
        counted = [] if self._kept is None else [self._kept.query]
        return [{**query, "q": self._text(text)} for query in (self._query, *counted)]

    def _text(self, text: str) -> str:
        """What the text does not say itself is said before it, as far as there is room."""
        room = max(0, MAX_WORDS - len(text.split()))
        return " ".join([*self._said[:room], text])

    def gather(self, found: Found, bits: Sequence[int], texts: Sequence[str]) -> None:
        """Put those together whom texts find, of each text at most ``most``; ``bits`` tell which words a
        text has. One query finds who is shown and who is not: forgiving errors takes most of its time."""
        page: dict[str, Any] = {"hitsPerPage": self._most, "page": 1, "facets": []}
        flags: frozenset[str] = frozenset()
        if self._kept is not None:
            flags = self._kept.flags
            kept = [*self._query["attributesToRetrieve"], "is"]
            page |= {"filter": self._kept.either or None, "attributesToRetrieve": kept}
        found.texts = [self._text(text) for text in texts]
        answers = self._reader.ask_halved([{**self._query, "q": text, **page} for text in found.texts])
        found.totals = [int(answer.get("totalHits", 0)) for answer in answers]
        for bit, answer in zip(bits, answers, strict=True):
            found.add(answer, bit, flags)


def _mendable(term: str) -> bool:
    return len(term) >= _LEAST_MENDED and term.isascii() and not term.isdigit()


def _beginnings(term: str) -> Iterator[str]:
    """Words that differ in the first letter: left out, swapped with the next, another one, one more."""
    head, rest = term[0], term[1:]
    yield rest
    yield rest[0] + head + rest[1:]
    yield from (letter + rest for letter in _LETTERS)
    yield from (letter + term for letter in _LETTERS)
