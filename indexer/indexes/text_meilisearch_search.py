"""A query answered by a Meilisearch index: filters alone, a few words, or a text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from indexer.domain.cards import Card
from indexer.domain.evidence import LONG, Evidence
from indexer.domain.filters import And, Filter, Or, Words
from indexer.errors import UsageError
from indexer.indexes.text import COMPARED, TextHits, TextQuery
from indexer.indexes.text_meilisearch_counts import Beside, closed_counts, closed_facets, count_beside
from indexer.indexes.text_meilisearch_documents import coded_word
from indexer.indexes.text_meilisearch_filters import FilterBuilder
from indexer.indexes.text_meilisearch_long import LongFound, find_text
from indexer.indexes.text_meilisearch_reader import Phrases, Reader
from indexer.indexes.text_meilisearch_settings import ORDER_ATTRIBUTES, searched
from indexer.indexes.text_meilisearch_words import Found, find_words

__all__ = ["Search"]

MAX_JOINED = 1_000
"""So many matches are put together from several queries; a single query may have any number."""

_MANY = 10_000
_Row = Mapping[str, Any]


class Search:
    """One query under way: what it asks, of ``limit`` hits from ``offset`` on; ``counting``: which hits come
    first does not matter."""

    def __init__(
        self,
        reader: Reader,
        query: TextQuery,
        limit: int,
        facets: Sequence[str],
        offset: int,
        *,
        counting: bool = False,
    ) -> None:
        self._reader = reader
        self._query = query
        self._counting = counting
        self._limit = max(1, limit)
        self._offset = offset
        self._facets = list(facets)
        self._closed = closed_facets(facets)
        self._phrases = Phrases(reader)
        self._order = _order(query)
        self._filter = self._passing(query.shown)

    def _passing(self, where: Filter) -> str:
        """The expression of a filter and of all phrases."""
        phrases = (_anywhere(phrase) for phrase in self._query.phrases if len(phrase) > 1)
        return FilterBuilder(self._phrases.look_up).build(And((where, *phrases)))

    def answer(self) -> TextHits:
        """See ``TextIndex.search``."""
        query = self._query
        if not query.spoken:
            return self._paged("")
        single = [phrase[0] for phrase in query.phrases if len(phrase) == 1]
        said = dict.fromkeys(
            coded_word(word) for phrase in query.phrases if len(phrase) > 1 for word in phrase
        )
        coded = {coded_word(term): term for term in (*query.terms, *single)}
        if query.listed or len(coded) >= LONG:
            asked, compared = list(coded), not self._counting
            return self._long(
                coded, find_text(self._reader, asked, self._filter, MAX_JOINED, compared=compared)
            )
        if not coded:
            return self._paged(" ".join(said) + " ")
        found = find_words(self._reader, list(coded), self._page(1), list(said), typing=query.typing)
        return self._short(coded, found)

    def _paged(self, text: str) -> TextHits:
        """Hits of one query in Meilisearch's language."""
        answers = [self._reader.ask({**self._page(page), "q": text}) for page in self._pages()]
        return self._whole(answers, _Told())

    def _pages(self) -> list[int]:
        """Numbers of the pages that hold the hits; Meilisearch counts to the end only for whole pages."""
        first, place = divmod(self._offset, self._limit)
        return [first + 1, first + 2] if place else [first + 1]

    def _page(self, number: int) -> dict[str, Any]:
        """What all queries have in common."""
        kept = [
            "id",
            *(["card"] if self._limit <= _MANY else []),
            *(["brief", "maker"] if self._compared and not self._query.long else []),
        ]
        return {
            "filter": self._filter or None,
            "matchingStrategy": "all",
            "attributesToRetrieve": kept,
            "facets": self._closed,
            "hitsPerPage": self._limit,
            "page": number,
            "showRankingScore": not self._order,
            **({"sort": self._order} if self._order else {}),
        }

    @property
    def _compared(self) -> bool:
        return not self._order and self._limit <= MAX_JOINED

    def _whole(self, answers: Sequence[_Row], told: "_Told") -> TextHits:
        place = self._offset % self._limit
        hits = [hit for answer in answers for hit in answer.get("hits", ())][place : place + self._limit]
        scores = [0.0 if self._order else float(hit.get("_rankingScore", 0.0)) for hit in hits]
        total = int(answers[0].get("totalHits", 0))
        asked = {**self._page(1), "q": answers[0].get("query", "")}
        flags = self._query.kept_back
        aside = self._passing(self._query.aside) if flags else ""
        beside = count_beside(self._reader, asked, self._facets, total, aside, flags)
        return self._hits(hits, scores, answers[0], total, told, beside)

    def _aside(self) -> Beside:
        """Who is kept back, where the matches are put together from several queries."""
        if not self._query.kept_back:
            return Beside()
        other = replace(self._query, where=self._query.aside, kept_back=())
        found = Search(self._reader, other, 1, ("is",), 0, counting=True).answer()
        counts = found.facets["is"]
        by = {flag: counts[flag] for flag in self._query.kept_back if counts.get(flag)}
        return Beside(hidden=found.total, hidden_by=by)

    def _short(self, coded: Mapping[str, str], found: Found) -> TextHits:
        told = _Told(
            found.documents,
            {coded[word]: count for word, count in found.frequencies.items()},
            tuple(coded.values()),
            found.present,
            found.every,
        )
        if found.whole is None:
            return self._joined(found.scores, told, cut=found.cut)
        answers = [found.whole]
        if self._offset:
            text = found.whole["query"]
            answers = [self._reader.ask({**self._page(page), "q": text}) for page in self._pages()]
        return self._whole(answers, told)

    def _long(self, coded: Mapping[str, str], found: LongFound) -> TextHits:
        told = _Told(
            found.documents,
            {coded[word]: count for word, count in found.frequencies.items()},
            tuple(coded[word] for word in found.terms),
            found.present,
        )
        return self._joined(found.scores, told, cut=found.cut)

    def _joined(self, scores: Mapping[int, float], told: "_Told", *, cut: bool) -> TextHits:
        """Hits from several queries, best first, or in the order that is asked for."""
        best = sorted(scores, key=lambda id_: (-scores[id_], id_))[:MAX_JOINED]
        aside = self._aside()
        among = {**self._page(1), "q": "", "filter": f"id IN [{', '.join(map(str, best))}]"}
        among["facets"] = self._facets
        if self._order:
            answer = self._reader.ask({**among, "hitsPerPage": max(1, len(best))})
            rows = answer.get("hits", ())[self._offset : self._offset + self._limit]
            return self._hits(rows, [0.0] * len(rows), answer, len(best), told, aside, cut=cut)
        answer = self._reader.ask({**among, "hitsPerPage": 0}) if self._facets and best else {}
        wanted = best[self._offset : self._offset + self._limit]
        held = self._reader.by_id(wanted, among["attributesToRetrieve"][1:])
        rows = [held[id_] for id_ in wanted if id_ in held]
        found = [scores[int(row["id"])] for row in rows]
        return self._hits(rows, found, answer, len(best), told, aside, cut=cut)

    def _hits(
        self,
        rows: Sequence[_Row],
        scores: Sequence[float],
        counted: _Row,
        total: int,
        told: "_Told",
        beside: Beside,
        *,
        cut: bool = False,
    ) -> TextHits:
        counts = {**closed_counts(counted, self._facets), **beside.facets}
        return TextHits(
            tuple(int(row["id"]) for row in rows),
            tuple(min(1.0, score) for score in scores),
            total,
            {name: counts[name] for name in self._facets},
            tuple(Card.from_row(row["card"]) for row in rows if "card" in row),
            cut or beside.estimated or self._phrases.gave_up,
            told.evidence(rows) if self._compared and self._query.spoken else Evidence(),
            beside.hidden,
            beside.hidden_by,
        )


@dataclass(frozen=True, slots=True)
class _Told:
    """What is known of the words of a query; ``present`` by entry id, ``every`` where that does not say."""

    documents: int = 0
    frequencies: Mapping[str, int] = field(default_factory=dict)
    terms: tuple[str, ...] = ()
    present: Mapping[int, int] = field(default_factory=dict)
    every: int = 0

    def evidence(self, rows: Sequence[_Row]) -> Evidence:
        """What tells of the first hits."""
        first = rows[:COMPARED]
        return Evidence(
            self.documents,
            self.frequencies,
            tuple(str(row.get("brief", "")) for row in first),
            self.terms,
            tuple(self.present.get(int(row["id"]), self.every) for row in first),
            tuple(int(row.get("maker", 0)) for row in rows),
        )


def _anywhere(phrase: Sequence[str]) -> Filter:
    """A phrase in one of the searched fields."""
    return Or(tuple(Words(field, tuple(phrase), True) for field in searched()))


def _order(query: TextQuery) -> list[str]:
    """What to sort by; nothing where words rank."""
    order = query.order or (None if query.spoken else "newest")
    if order is None:
        return []
    if order not in ORDER_ATTRIBUTES:
        known = ", ".join(ORDER_ATTRIBUTES)
        raise UsageError("sort", f"The text index cannot sort by {order!r}. Choose one of: {known}.")
    return [f"{ORDER_ATTRIBUTES[order]}:{'asc' if order == 'name' else 'desc'}", "id:asc"]
