"""One query at one state of a tantivy index: what is found, and what is counted beside it.

What takes long in a large index is looking at every match, so it is done once and only where it tells
something. Words that a tenth of a million entries have are looked for among those that have one of them in a
short field, where they weigh most; how many match then is told by samples, as facets are.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import tantivy

from indexer.domain.cards import CARD_FIELDS, Card
from indexer.domain.evidence import NO_EVIDENCE, Evidence
from indexer.domain.ordering import SAMPLES
from indexer.errors import UsageError
from indexer.indexes.text import COMPARED, TextHits, TextQuery
from indexer.indexes.text_beginnings import Beginnings
from indexer.indexes.text_facets import Counted, FacetCounter, sample_query
from indexer.indexes.text_filters import FilterBuilder
from indexer.indexes.text_queries import WordQuery, least_steps, plan
from indexer.indexes.text_schema import MAKER, NAME_KEY, ORDER_COLUMNS, STORED, card_column
from indexer.indexes.text_vocabulary import Vocabulary

__all__ = ["Kept", "Search", "cards_of"]

COMMON = 100_000
"""Where more entries than this may match, not all of them are looked at."""

_ENOUGH = 500
"""With so many matches that are looked at first, the others come behind them."""

_MUST, _SHOULD, _MUST_NOT = tantivy.Occur.Must, tantivy.Occur.Should, tantivy.Occur.MustNot
_RISING = tantivy.Order.Asc

_COUNTS_KEPT = 256

Parts = list[tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class _Found:
    """Keys and addresses of hits, and how many match; ``sure``: they were counted. ``least`` is how many of
    the words they have."""

    hits: Sequence[tuple[Any, Any]]
    total: int
    least: int = 0
    sure: bool = True


class Kept:
    """What is kept of an index from one search to the next. Many threads may share it."""

    def __init__(self, schema: Any) -> None:
        self.counter = FacetCounter(schema)
        self.beginnings = Beginnings()
        self._counts: dict[Hashable, tuple[Counted, Counted]] = {}

    def counted(self, key: Hashable, count: Callable[[], tuple[Counted, Counted]]) -> tuple[Counted, Counted]:
        """What was counted for the last queries: the next page, or another order, need not count again."""
        found = self._counts.pop(key, None) or count()
        self._counts[key] = found
        while len(self._counts) > _COUNTS_KEPT:
            self._counts.pop(next(iter(self._counts), None), None)
        return found


class Search:
    """One query under way; ``state`` names the state of the index that ``searcher`` reads."""

    def __init__(self, schema: Any, searcher: Any, state: Hashable, query: TextQuery, kept: Kept) -> None:
        vocabulary = Vocabulary(searcher, kept.beginnings)
        self._schema, self._searcher, self._query, self._kept = schema, searcher, query, kept
        self._state = state
        self._filters = FilterBuilder(schema)
        self._documents = vocabulary.documents
        self._wanted = plan(query, vocabulary)
        self._words = WordQuery(schema, vocabulary, long=query.long)
        self._scored = query.order is None and query.spoken
        self._bound = self._words.bound(self._wanted, query.phrases)

    def answer(self, limit: int, offset: int, facets: Sequence[str]) -> TextHits:
        """See ``TextIndex.search``."""
        found = self._find(limit, offset)
        addresses = [address for _, address in found.hits]
        scores = [min(1.0, float(score) / self._bound) if self._scored else 0.0 for score, _ in found.hits]
        cards = cards_of(self._searcher, addresses)
        if self._scored:
            places = sorted(range(len(cards)), key=lambda place: (-scores[place], cards[place].id))
            addresses = [addresses[place] for place in places]
            scores, cards = [scores[place] for place in places], [cards[place] for place in places]
        query = self._query
        said = (query.terms, query.phrases, query.typing, query.long)
        asked = (*said, query.where, query.kept_back, found.least)
        counted, hidden = self._kept.counted(
            (self._state, *asked, tuple(facets), found.sure), lambda: self._count(found, facets)
        )
        return TextHits(
            tuple(card.id for card in cards),
            tuple(scores),
            max(counted.total, offset + len(cards)) if cards else counted.total,
            counted.facets,
            tuple(cards),
            counted.estimated or hidden.estimated,
            self._evidence(addresses, cards, found.least) if self._scored else NO_EVIDENCE,
            hidden.total,
            {flag: n for flag in self._query.kept_back if (n := hidden.facets.get("is", {}).get(flag, 0))},
        )

    def _find(self, limit: int, offset: int) -> _Found:
        """What matches while as many words as possible are asked for."""
        if not self._query.spoken:
            return self._ordered(self._filters.parts(self._query.shown), limit, offset)
        where = self._filters.parts(self._query.shown)
        found = _Found((), 0)
        for least in least_steps(self._wanted, long=self._query.long):
            if not self._scored:
                ordered = self._ordered(
                    [*self._words.unscored(self._wanted, self._query.phrases, least), *where], limit, offset
                )
                found = _Found(ordered.hits, ordered.total, least)
            else:
                found = self._best(where, least, limit, offset)
            if found.total:
                break
        return found

    def _best(self, where: Parts, least: int, limit: int, offset: int) -> _Found:
        """The matches of the highest score; where there may be very many, a part of them goes first."""
        parts = [*self._words.parts(self._wanted, self._query.phrases, least), *where]
        most = self._most(least)
        if most > COMMON and not self._query.long:
            few = max(1, SAMPLES * COMMON // (2 * most))
            parties = (
                (self._words.briefly(self._wanted), self._words.brief_frequency(self._wanted)),
                (sample_query(self._schema, few), most * few // SAMPLES),
            )
            for first, size in parties:
                hits, count = self._matches([*parts, (_MUST, first)], limit, offset)
                if count >= offset + limit:
                    # As many of all pass the filters as of these.
                    return _Found(hits, max(count, most * count // max(1, size)), least, sure=False)
                if count >= _ENOUGH:
                    rest, more = self._matches(
                        [*parts, (_MUST_NOT, first)], limit - len(hits), max(0, offset - count)
                    )
                    return _Found([*hits, *rest], count + more, least)
        return _Found(*self._matches(parts, limit, offset), least)

    def _matches(self, parts: Parts, limit: int, offset: int) -> tuple[Sequence[tuple[Any, Any]], int]:
        found = self._searcher.search(tantivy.Query.boolean_query(parts), limit=limit, offset=offset)
        return found.hits, int(found.count or 0)

    def _most(self, least: int) -> int:
        """How many entries can match by their words, at most."""
        if not self._wanted:
            return 0
        frequencies = sorted(wanted.frequency for wanted in self._wanted)
        if least >= len(frequencies):
            return frequencies[0]
        return min(self._documents, sum(frequencies) // max(1, least))

    def _ordered(self, parts: Parts, limit: int, offset: int) -> _Found:
        order = self._query.order or "newest"
        if order not in ORDER_COLUMNS:
            known = ", ".join(ORDER_COLUMNS)
            raise UsageError("sort", f"The text index cannot sort by {order!r}. Choose one of: {known}.")
        if order == "name":
            return self._by_name(parts, limit, offset)
        found = self._searcher.search(
            _all_of(parts), limit=limit, offset=offset, order_by_field=ORDER_COLUMNS[order]
        )
        return _Found(found.hits, int(found.count or 0))

    def _by_name(self, parts: Parts, limit: int, offset: int) -> _Found:
        """By the beginnings of names as numbers it is known between which names the page lies; then only
        those are compared by name, which costs far more."""
        key = {"order_by_field": NAME_KEY, "order": _RISING}
        rough = self._searcher.search(_all_of(parts), limit=limit, offset=offset, **key)
        if not rough.hits:
            return _Found((), int(rough.count or 0))
        low, high = int(rough.hits[0][0]), int(rough.hits[-1][0])
        before = 0
        if offset:
            sooner = _all_of([*parts, (_MUST, self._keys(None, low))])
            before = int(self._searcher.search(sooner, limit=1).count or 0)
        found = self._searcher.search(
            _all_of([*parts, (_MUST, self._keys(low, high))]),
            limit=limit,
            offset=offset - before,
            order_by_field=ORDER_COLUMNS["name"],
            order=_RISING,
            count=False,
        )
        return _Found(found.hits, int(rough.count or 0))

    def _keys(self, low: int | None, high: int) -> Any:
        """Names whose beginnings lie between two, both included; below the upper one without a lower."""
        return tantivy.Query.range_query(
            self._schema, NAME_KEY, tantivy.FieldType.Integer, low, high, include_upper=low is not None
        )

    def _count(self, found: _Found, facets: Sequence[str]) -> tuple[Counted, Counted]:
        """Facets of the matches, and how many are kept back; by samples where the matches are many."""
        query = self._query
        words = self._words.unscored(self._wanted, query.phrases, found.least) if query.spoken else []
        shown = _all_of([*words, *self._filters.parts(query.shown)])
        counter = self._kept.counter
        counted = counter.count(self._searcher, shown, facets, found.total, sure=found.sure)
        if not query.kept_back:
            return counted, Counted()
        aside = _all_of([*words, *self._filters.parts(query.aside)])
        return counted, counter.aside(self._searcher, aside, counted.total)

    def _evidence(self, addresses: Sequence[Any], cards: Sequence[Card], least: int) -> Evidence:
        """See ``Evidence``."""
        first = addresses[:COMPARED]
        return Evidence(
            documents=self._documents,
            frequencies={wanted.term: wanted.frequency for wanted in self._wanted},
            briefs=tuple(bytes(self._searcher.doc(address)[STORED][0]).decode() for address in first),
            terms=tuple(wanted.term for wanted in self._wanted),
            present=self._present([card.id for card in cards[:COMPARED]], least),
            makers=tuple(int(n or 0) for n in self._searcher.fast_field_values(MAKER, addresses)),
        )

    def _present(self, ids: Sequence[int], least: int) -> tuple[int, ...]:
        """Which of the words each entry has."""
        if not ids or not self._wanted:
            return ()
        known = sum(1 << place for place, wanted in enumerate(self._wanted) if wanted.frequency)
        if least >= known.bit_count():
            return (known,) * len(ids)
        each = [(_SHOULD, tantivy.Query.term_query(self._schema, "id", id_)) for id_ in ids]
        among = tantivy.Query.const_score_query(tantivy.Query.boolean_query(each), 0.0)
        parsed = tantivy.Query.boolean_query([(_MUST, among), (_SHOULD, self._words.bits(self._wanted))])
        hits = self._searcher.search(parsed, limit=len(ids), count=False).hits
        found = self._searcher.fast_field_values("id", [address for _, address in hits])
        bits = {int(id_): int(score) for id_, (score, _) in zip(found, hits, strict=True)}
        return tuple(bits.get(id_, 0) for id_ in ids)


def cards_of(searcher: Any, addresses: Sequence[Any]) -> list[Card]:
    """The cards of hits, read column by column."""
    columns = ["id", *(card_column(name) for name in CARD_FIELDS[1:])]
    rows = zip(*(searcher.fast_field_values(column, addresses) for column in columns), strict=True)
    return list(map(Card._make, rows))  # the columns have the card's own types


def _all_of(parts: Parts) -> Any:
    """A query of conditions; with none that must hold, all entries are looked at."""
    if all(occur == tantivy.Occur.MustNot for occur, _ in parts):
        parts = [(_MUST, tantivy.Query.all_query()), *parts]
    return tantivy.Query.boolean_query(parts)
