"""One query at one state of a tantivy index: what is found, and what is counted beside it.

What takes long in a large index is looking at every match, so it is done once and only where it tells
something. Words that a tenth of a million entries have are looked for among those that have one of them in a
short field, where they weigh most; how many match then is told by samples, as facets are.
"""

import os
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import tantivy

from indexer.domain.cards import CARD_FIELDS, Card
from indexer.domain.evidence import NO_EVIDENCE, Evidence
from indexer.domain.filters import Filter
from indexer.domain.ordering import SAMPLES
from indexer.errors import UsageError
from indexer.indexes.text import COMPARED, TextHits, TextQuery
from indexer.indexes.text_bands import Bands
from indexer.indexes.text_beginnings import Beginnings
from indexer.indexes.text_facets import Among, Counted, FacetCounter, sample_query
from indexer.indexes.text_filters import FilterBuilder, Parts, all_of
from indexer.indexes.text_queries import WordQuery, least_steps, plan
from indexer.indexes.text_schema import MAKER, NAME_KEY, ORDER_COLUMNS, STORED, card_column
from indexer.indexes.text_vocabulary import Vocabulary

__all__ = ["Kept", "Search", "cards_of"]

COMMON = 100_000
"""Where more entries than this may match, not all of them are looked at."""

COMMON_PHRASE, MANY_SAID = 50_000, 5_000
"""Where more entries have each word of a phrase, and more than that seem to have the phrase, not all of those
are looked at."""

PILOT = 4
"""So many samples tell how many have a phrase."""

_ENOUGH = 500
"""With so many matches that are looked at first, the others come behind them."""

_MUST, _SHOULD, _MUST_NOT = tantivy.Occur.Must, tantivy.Occur.Should, tantivy.Occur.MustNot
_RISING = tantivy.Order.Asc

_COUNTS_KEPT = 256

Counts = tuple[Counted, Counted]
"""Of the matches, and of those that are kept back."""


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
        self.bands = Bands(schema)
        self._counts: dict[Hashable, Counts] = {}
        self.pool = ThreadPoolExecutor(2 * (os.cpu_count() or 1), "pinakes-count")

    def counted(self, key: Hashable, begin: Callable[[], Callable[[], Counts]]) -> Callable[[], Counts]:
        """What was counted for the last queries: the next page, or another order, need not count again."""
        known = self._counts.pop(key, None)
        counts = begin() if known is None else lambda: known
        return lambda: self._keep(key, counts())

    def _keep(self, key: Hashable, found: Counts) -> Counts:
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
        kept.bands.prepare(searcher)

    def answer(self, limit: int, offset: int, facets: Sequence[str]) -> TextHits:
        """See ``TextIndex.search``."""
        found = self._find(limit, offset)
        counting = self._counting(found, facets)
        addresses = [address for _, address in found.hits]
        scores = [min(1.0, float(score) / self._bound) if self._scored else 0.0 for score, _ in found.hits]
        cards = cards_of(self._searcher, addresses)
        if self._scored:
            places = sorted(range(len(cards)), key=lambda place: (-scores[place], cards[place].id))
            addresses = [addresses[place] for place in places]
            scores, cards = [scores[place] for place in places], [cards[place] for place in places]
        evidence = self._evidence(addresses, cards, found.least) if self._scored else NO_EVIDENCE
        counted, hidden = counting()
        return TextHits(
            tuple(card.id for card in cards),
            tuple(scores),
            max(counted.total, offset + len(cards)) if cards else counted.total,
            counted.facets,
            tuple(cards),
            counted.estimated or hidden.estimated,
            evidence,
            hidden.total,
            {flag: n for flag in self._query.kept_back if (n := hidden.facets.get("is", {}).get(flag, 0))},
        )

    def conditions(self) -> Parts:
        """What those meet that ``answer`` finds; nothing is scored."""
        words: Parts = []
        if self._query.spoken:
            words = self._words.unscored(self._wanted, self._query.phrases, self._find(1, 0).least)
        return [*words, *self._filters.parts(self._query.shown)]

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
        if said := self._said(where, least, limit, offset):
            return said
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

    def _said(self, where: Parts, least: int, limit: int, offset: int) -> _Found | None:
        """The same for phrases of common words: entries that have them in short fields go first, then those
        of some samples, then the others. None where so few have the phrases that all can be looked at."""
        words, phrases = self._words, self._query.phrases
        if not phrases or words.phrase_frequency(phrases) < COMMON_PHRASE:
            return None
        pilot = sample_query(self._schema, PILOT)
        told = self._matches([*words.parts(self._wanted, phrases, least, pilot), *where], 1, 0)[1]
        about = told * SAMPLES // PILOT
        if about < MANY_SAID:
            return None
        some = sample_query(self._schema, max(PILOT, SAMPLES * 2 * _ENOUGH // about))
        first = words.said_briefly(phrases)
        steps: tuple[Parts, ...] = (
            [*words.parts(self._wanted, (), least), (_MUST, first)],
            [*words.parts(self._wanted, phrases, least, some), (_MUST_NOT, first)],
            [*words.parts(self._wanted, phrases, least), (_MUST_NOT, first), (_MUST_NOT, some)],
        )
        hits, total = list[tuple[Any, Any]](), 0
        for step in steps:
            found, count = self._matches([*step, *where], limit - len(hits), max(0, offset - total))
            hits, total = [*hits, *found], total + count
            if len(hits) == limit:
                return _Found(hits, max(total, about), least, sure=False)
        return _Found(hits, total, least)

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
        # Who has so many of the words has one of the rarest, however many are left out.
        rarest = frequencies[: len(frequencies) - least + 1]
        return min(self._documents, sum(rarest), sum(frequencies) // max(1, least))

    def _ordered(self, parts: Parts, limit: int, offset: int) -> _Found:
        order = self._query.order or "newest"
        if order not in ORDER_COLUMNS:
            known = ", ".join(ORDER_COLUMNS)
            raise UsageError("sort", f"The text index cannot sort by {order!r}. Choose one of: {known}.")
        in_order = self._by_name if order == "name" else self._by_value
        share = 1.0
        for band in self._kept.bands.of(self._searcher, order):
            if share * band.size < limit + offset:
                continue
            found, last = in_order([*parts, (_MUST, band.query)], limit, offset)
            share = found.total / max(1, band.size)
            if len(found.hits) == limit and band.holds(last):
                counted = self._counted_out(parts)
                # As many of all pass as of these, about.
                total = max(found.total, round(share * self._documents)) if counted is None else counted
                return replace(found, total=total, sure=counted is not None)
        return in_order(parts, limit, offset)[0]

    def _counted_out(self, parts: Parts) -> int | None:
        """How many match conditions of which none must hold: all but those that are left out."""
        if any(occur != _MUST_NOT for occur, _ in parts):
            return None
        out = tantivy.Query.boolean_query([(_SHOULD, query) for _, query in parts])
        return self._documents - int(self._searcher.search(out, limit=1).count or 0)

    def _by_value(self, parts: Parts, limit: int, offset: int) -> tuple[_Found, int]:
        """Hits, the greatest value first, and the key of the last."""
        column = ORDER_COLUMNS[self._query.order or "newest"]
        found = self._searcher.search(all_of(parts), limit=limit, offset=offset, order_by_field=column)
        return _Found(found.hits, int(found.count or 0)), int(found.hits[-1][0]) if found.hits else 0

    def _by_name(self, parts: Parts, limit: int, offset: int) -> tuple[_Found, int]:
        """Hits by name, and the key of the last. By the beginnings of names as numbers it is known between
        which names the page lies; then only those are compared by name, which costs far more."""
        key = {"order_by_field": NAME_KEY, "order": _RISING}
        rough = self._searcher.search(all_of(parts), limit=limit, offset=offset, **key)
        if not rough.hits:
            return _Found((), int(rough.count or 0)), 0
        low, high = int(rough.hits[0][0]), int(rough.hits[-1][0])
        before = 0
        if offset:
            sooner = all_of([*parts, (_MUST, self._keys(None, low))])
            before = int(self._searcher.search(sooner, limit=1).count or 0)
        found = self._searcher.search(
            all_of([*parts, (_MUST, self._keys(low, high))]),
            limit=limit,
            offset=offset - before,
            order_by_field=ORDER_COLUMNS["name"],
            order=_RISING,
            count=False,
        )
        return _Found(found.hits, int(rough.count or 0)), high

    def _keys(self, low: int | None, high: int) -> Any:
        """Names whose beginnings lie between two, both included; below the upper one without a lower."""
        return tantivy.Query.range_query(
            self._schema, NAME_KEY, tantivy.FieldType.Integer, low, high, include_upper=low is not None
        )

    def _counting(self, found: _Found, facets: Sequence[str]) -> Callable[[], Counts]:
        """See ``_begin_count``; the same query is counted once while the index stays."""
        query = self._query
        said = (query.terms, query.phrases, query.typing, query.long)
        asked = (*said, query.where, query.kept_back, found.least)
        key = (self._state, *asked, tuple(facets), found.sure)
        return self._kept.counted(key, lambda: self._begin_count(found, facets))

    def _begin_count(self, found: _Found, facets: Sequence[str]) -> Callable[[], Counts]:
        """Facets of the matches, and how many are kept back; by samples where the matches are many. Counting
        goes on beside what the caller does, and what is answered waits for it."""
        query, searcher = self._query, self._searcher

        def passing(where: Filter) -> Among:
            passed = self._filters.parts(where)
            if not query.spoken:
                return lambda _: passed
            least = found.least
            return lambda some: [*self._words.unscored(self._wanted, query.phrases, least, some), *passed]

        shown, aside = passing(query.shown), passing(query.aside) if query.kept_back else None
        counter, submit = self._kept.counter, self._kept.pool.submit

        def count() -> Counted:
            return counter.count(searcher, shown, facets, found.total, sure=found.sure)

        def both() -> Counts:
            counted = count()
            return counted, Counted() if aside is None else counter.aside(searcher, aside, counted.total)

        if aside is None or not found.sure:  # how many match must be known before the others are counted
            return submit(both).result
        counted, hidden = submit(count), submit(counter.aside, searcher, aside, found.total)
        return lambda: (counted.result(), hidden.result())

    def _evidence(self, addresses: Sequence[Any], cards: Sequence[Card], least: int) -> Evidence:
        """See ``Evidence``."""
        first = addresses[: 0 if self._query.long else COMPARED]
        return Evidence(
            documents=self._documents,
            frequencies={wanted.term: wanted.frequency for wanted in self._wanted},
            briefs=tuple(bytes(self._searcher.doc(address)[STORED][0]).decode() for address in first),
            terms=tuple(wanted.term for wanted in self._wanted),
            present=self._present([card.id for card in cards[: len(first)]], least),
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
