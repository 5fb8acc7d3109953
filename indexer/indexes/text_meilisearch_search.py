"""A query answered by a Meilisearch index: filters alone, a few words, or a text."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from indexer.domain.cards import Card
from indexer.domain.evidence import LONG, NO_EVIDENCE
from indexer.domain.fields import Field
from indexer.domain.filters import And, Filter, Or, Words
from indexer.errors import UsageError
from indexer.indexes.text import TextHits, TextQuery
from indexer.indexes.text_meilisearch_counts import (
    Counts,
    Hidden,
    closed_counts,
    closed_facets,
    count_among,
    count_coded,
    hidden_among,
    hidden_of,
)
from indexer.indexes.text_meilisearch_documents import coded_word
from indexer.indexes.text_meilisearch_filters import FilterBuilder, one_of
from indexer.indexes.text_meilisearch_long import Ranked, pick_words
from indexer.indexes.text_meilisearch_phrases import Phrases
from indexer.indexes.text_meilisearch_reader import Reader
from indexer.indexes.text_meilisearch_settings import ORDER_ATTRIBUTES, both, is_paired, searched
from indexer.indexes.text_meilisearch_told import Told
from indexer.indexes.text_meilisearch_united import United, unite
from indexer.indexes.text_meilisearch_words import Found, KeptBack, find_words

__all__ = ["Search"]

MAX_JOINED = 1_000
"""So many matches are put together from several queries; a single query may have any number."""

_MANY = 10_000
_Row = Mapping[str, Any]


class Search:
    """One query under way: what it asks, of ``limit`` hits from ``offset`` on."""

    def __init__(
        self,
        reader: Reader,
        query: TextQuery,
        limit: int,
        facets: Sequence[str],
        offset: int,
    ) -> None:
        self._reader = reader
        self._query = query
        self._limit = max(1, limit)
        self._offset = offset
        self._facets = list(facets)
        self._closed = closed_facets(facets)
        self._phrases = Phrases(reader)
        for phrase in query.phrases:
            self._phrases.look_up_all(_unproved(phrase), list(map(coded_word, phrase)))
        self._order = _order(query)
        self._filter = self._passing(query.shown)
        self._aside = self._passing(query.aside) if query.kept_back else None

    def _passing(self, where: Filter) -> str:
        """The expression of a filter and of all phrases."""
        phrases = [_anywhere(phrase) for phrase in self._query.phrases if len(phrase) > 1]
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
            return self._pasted(coded)
        if not coded:
            return self._paged(" ".join(said) + " ")
        asked, kept = self._first(), self._kept_back()
        found = find_words(self._reader, list(coded), asked, list(said), kept, typing=query.typing)
        return self._short(coded, found)

    def _paged(self, text: str) -> TextHits:
        """Hits of one query in Meilisearch's language."""
        aside = self._kept_query()
        queries = [self._first(), *([] if aside is None else [aside])]
        first, *hidden = self._reader.ask_all([{**query, "q": text} for query in queries])
        return self._whole(first, hidden[0] if hidden else {}, text, Told())

    def _first(self) -> dict[str, Any]:
        """What is asked first: hits at once, or only how many there are, where hits are fetched beside
        counting them by tag."""
        page = self._page(1)
        return page if self._at_once else {**page, "hitsPerPage": 0}

    @property
    def _at_once(self) -> bool:
        return not self._offset and len(self._closed) == len(self._facets)

    def _pages(self) -> list[int]:
        """Numbers of the pages that hold the hits; Meilisearch counts to the end only for whole pages."""
        first, place = divmod(self._offset, self._limit)
        return [first + 1, first + 2] if place else [first + 1]

    def _page(self, number: int) -> dict[str, Any]:
        """What all queries have in common."""
        kept = [
            "id",
            *(["card"] if self._limit <= _MANY else []),
            *(["brief"] if self._compared and not self._query.long else []),
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

    def _kept_query(self) -> dict[str, Any] | None:
        """The query that counts who is kept back, None where nobody is."""
        if self._aside is None:
            return None
        query: dict[str, Any] = {"filter": self._aside, "matchingStrategy": "all", "facets": ["is"]}
        return query | {"hitsPerPage": 0, "page": 1}

    def _kept_back(self) -> KeptBack | None:
        """How those are told apart who are kept back, None where nobody is."""
        query = self._kept_query()
        if query is None:
            return None
        return KeptBack(query, self._passing(self._query.where), frozenset(self._query.kept_back))

    @property
    def _compared(self) -> bool:
        return not self._order and self._limit <= MAX_JOINED

    def _whole(self, first: _Row, hidden: _Row, text: str, told: Told) -> TextHits:
        """Hits of one query, from the pages that hold them; ``first`` is what was answered first."""
        asked = {**self._page(1), "q": text}
        total = int(first.get("totalHits", 0))
        pages = [{**asked, "page": number, "facets": []} for number in self._pages() if total]

        def fetch() -> Sequence[_Row]:
            return [first] if self._at_once else self._reader.ask_all(pages)

        answers, (counts, estimated) = self._reader.beside(
            fetch, lambda: count_coded(self._reader, asked, self._facets, total)
        )
        place = self._offset % self._limit
        hits = [hit for answer in answers for hit in answer.get("hits", ())][place : place + self._limit]
        scores = [0.0 if self._order else float(hit.get("_rankingScore", 0.0)) for hit in hits]
        counts = {**closed_counts(first, self._closed), **counts}
        kept = hidden_of(hidden, self._query.kept_back)
        return self._hits(hits, scores, counts, total, told, kept, estimated=estimated)

    def _short(self, coded: Mapping[str, str], found: Found) -> TextHits:
        told = Told(
            found.documents,
            {coded[word]: count for word, count in found.frequencies.items()},
            tuple(coded.values()),
            found.present,
            found.every,
        )
        if found.whole is None:
            return self._joined(found, told)
        return self._whole(found.whole, found.hidden, str(found.whole.get("query", "")), told)

    def _pasted(self, coded: Mapping[str, str]) -> TextHits:
        """Hits of a text of which any word may match: the best of those that were compared, then the others,
        newest first."""
        text = pick_words(self._reader, list(coded))
        listings = text.listings(self._filter)
        self._filter = both(self._filter, text.matched)
        self._aside = None if self._aside is None else both(self._aside, text.matched)
        if self._order:
            return self._paged("")
        page, aside = self._page(1), self._kept_query() or {"hitsPerPage": 0}
        queries = [{**page, "q": "", "hitsPerPage": 0}, {**aside, "q": ""}, *listings]
        counted, back, *answers = self._reader.ask_halved(queries)
        total = int(counted.get("totalHits", 0))

        def fetch() -> tuple[Ranked, Sequence[_Row]]:
            ranked = text.rank(self._reader, answers, MAX_JOINED)
            best = list(ranked.scores)
            wanted = best[self._offset : self._offset + self._limit]
            return ranked, [*self._rows_of(wanted), *self._others(best, self._limit - len(wanted))]

        (ranked, rows), (counts, estimated) = self._reader.beside(
            fetch, lambda: count_coded(self._reader, {**page, "q": ""}, self._facets, total)
        )
        told = Told(
            text.documents,
            {coded[word]: count for word, count in text.frequencies.items()},
            tuple(coded[word] for word in text.terms),
            ranked.present,
        )
        return self._hits(
            rows,
            [ranked.scores.get(int(row["id"]), 0.0) for row in rows],
            {**closed_counts(counted, self._closed), **counts},
            total,
            told,
            hidden_of(back, self._query.kept_back),
            estimated=estimated,
        )

    def _rows_of(self, ids: Sequence[int]) -> list[_Row]:
        """Hits by their ids, in their order, less those that are gone."""
        known = {card.id: card.to_row() for card in self._reader.cards(ids)}
        return [{"id": id_, "card": known[id_]} for id_ in ids if id_ in known]

    def _others(self, best: Sequence[int], count: int) -> Sequence[_Row]:
        """So many of those that match and are none of the best, newest first."""
        if count <= 0:
            return ()
        rest = both(self._filter, f"NOT {one_of(best)}" if best else "")
        return self._cut(rest, _sorted_by("newest"), max(0, self._offset - len(best)), count)

    def _cut(self, where: str, order: Sequence[str], offset: int, limit: int) -> Sequence[_Row]:
        """So many hits from a place on, of those that pass an expression, in an order."""
        asked = {name: told for name, told in self._page(1).items() if name not in ("hitsPerPage", "page")}
        asked |= {"facets": [], "q": "", "filter": where or None, "sort": order}
        found: Sequence[_Row] = self._reader.ask(asked | {"offset": offset, "limit": limit}).get("hits", ())
        return found

    def _joined(self, found: Found, told: Told) -> TextHits:
        """Hits from several queries, best first, or in the order that is asked for."""
        scores = found.scores
        best = sorted(scores, key=lambda id_: (-scores[id_], id_))[:MAX_JOINED]
        every, aside = self._every(found, best)
        hidden, counts = self._reader.beside(
            lambda: self._hidden(found, aside),
            lambda: count_among(self._reader, every.ids, every.scale, self._facets),
        )
        total = max(len(best), every.total)
        if every.scale == 1.0:
            first = set(best)
            best += [id_ for id_ in every.ids.tolist() if id_ not in first]
        if self._order:
            rows = self._cut(one_of(best), self._order, self._offset, self._limit) if best else ()
        else:
            rows = self._in_order(found, best)
        worth = [0.0 if self._order else scores.get(int(row["id"]), 0.0) for row in rows]
        estimated = every.scale > 1.0 or (found.cut and self._query.typing)
        return self._hits(rows, worth, counts, total, told, hidden, estimated=estimated)

    def _in_order(self, found: Found, ids: Sequence[int]) -> Sequence[_Row]:
        """Hits of entries, as they come."""
        wanted = ids[self._offset : self._offset + self._limit]
        rows = dict(found.rows)
        if missing := [id_ for id_ in wanted if id_ not in rows]:
            rows |= {int(row["id"]): row for row in self._cut(one_of(missing), ["id:asc"], 0, len(missing))}
        return [rows[id_] for id_ in wanted if id_ in rows]

    def _every(self, found: Found, best: Sequence[int]) -> tuple[United, United | None]:
        """All who match, of whom ``best`` are the first, and all who are kept back, None where those were
        found all. While somebody types, the first will do."""
        if not found.cut or self._query.typing:
            return United(np.array(sorted(best), np.int64)), None
        filters = [self._filter, *([] if self._aside is None else [self._aside])]
        every, *aside = unite(self._reader, found.texts, found.totals, filters)
        return every, aside[0] if aside else None

    def _hidden(self, found: Found, aside: United | None) -> Hidden:
        flags = self._query.kept_back
        if aside is None:
            return hidden_among(found.aside, flags)
        by = count_among(self._reader, aside.ids, aside.scale, ["is"])["is"]
        return Hidden(aside.total, {flag: by[flag] for flag in flags if by.get(flag)})

    def _hits(
        self,
        rows: Sequence[_Row],
        scores: Sequence[float],
        counts: Counts,
        total: int,
        told: Told,
        hidden: Hidden,
        *,
        estimated: bool,
    ) -> TextHits:
        return TextHits(
            tuple(int(row["id"]) for row in rows),
            tuple(min(1.0, score) for score in scores),
            total,
            {name: counts[name] for name in self._facets},
            tuple(Card.from_row(row["card"]) for row in rows if "card" in row),
            estimated or self._phrases.gave_up,
            told.evidence(rows) if self._compared and self._query.spoken else NO_EVIDENCE,
            hidden.total,
            hidden.by,
        )


def _anywhere(phrase: Sequence[str]) -> Filter:
    """A phrase in one of the searched fields."""
    return Or(tuple(Words(field, tuple(phrase), True) for field in searched()))


def _unproved(phrase: Sequence[str]) -> list[Field]:
    """Fields of which the server cannot tell whether they have a phrase."""
    return [f for f in searched() if len(phrase) > 2 or (len(phrase) == 2 and not is_paired(f))]


def _order(query: TextQuery) -> list[str]:
    """What to sort by; nothing where words rank."""
    order = query.order or (None if query.spoken else "newest")
    if order is None:
        return []
    if order not in ORDER_ATTRIBUTES:
        known = ", ".join(ORDER_ATTRIBUTES)
        raise UsageError("sort", f"The text index cannot sort by {order!r}. Choose one of: {known}.")
    return _sorted_by(order)


def _sorted_by(order: str) -> list[str]:
    return [f"{ORDER_ATTRIBUTES[order]}:{'asc' if order == 'name' else 'desc'}", "id:asc"]
