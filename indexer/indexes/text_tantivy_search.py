"""One query at one state of a tantivy index: what is found, and what is counted beside it.

What takes long in a large index is looking at every match, so it is done once and only where it tells
something. Words that a tenth of a million entries have are looked for among those that have one of them in a
short field, where they weigh most; how many match then is told by samples, as facets are.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import tantivy

from indexer.domain.cards import Card
from indexer.domain.evidence import NO_EVIDENCE, Evidence
from indexer.domain.filters import Filter
from indexer.domain.ordering import SAMPLES
from indexer.errors import UsageError
from indexer.indexes.text import COMPARED, TextHits, TextQuery
from indexer.indexes.text_bands import Bands
from indexer.indexes.text_beginnings import Beginnings
from indexer.indexes.text_counting import Census, Counter, Counts
from indexer.indexes.text_facets import Among, sample_query
from indexer.indexes.text_filters import FilterBuilder, Parts, all_of
from indexer.indexes.text_lookups import cards_of, largest_id, these
from indexer.indexes.text_queries import WordQuery, least_steps, plan
from indexer.indexes.text_schema import NAME_KEY, ORDER_COLUMNS, STORED
from indexer.indexes.text_vocabulary import Vocabulary

__all__ = ["Kept", "Search"]

COMMON = 100_000
"""Where more entries than this may match, not all of them are looked at."""

COMMON_PHRASE, MANY_SAID = 50_000, 1_000
"""Where more entries have each word of a phrase, and more than that seem to have the phrase, not all of those
are looked at."""

PILOT = 1 / 16
"""So large a part of the index, its newest entries, tells how many have a phrase."""

_ENOUGH = 500
"""With so many matches that are looked at first, the others come behind them."""

_STEADY = 10
"""What is kept of an index serves until it has grown or shrunk by such a part."""

_SPARE = 32
"""So many more are read around a page by name: names that begin alike are compared whole."""

_MUST, _SHOULD, _MUST_NOT = tantivy.Occur.Must, tantivy.Occur.Should, tantivy.Occur.MustNot
_RISING = tantivy.Order.Asc


@dataclass(frozen=True, slots=True)
class _Found:
    """Keys and addresses of hits; ``total``: how many were met, all that match unless there may be very many.
    ``least`` is how many of the words they have."""

    hits: Sequence[tuple[Any, Any]]
    total: int
    least: int = 0


class Kept:
    """What is kept of an index from one search to the next. Many threads may share it."""

    def __init__(self, schema: Any) -> None:
        self.counter = Counter(schema)
        self.beginnings = Beginnings()
        self.bands = Bands(schema)
        self._largest = (0, -1)

    def largest_id(self, searcher: Any) -> int:
        """About the largest id: as it was when the index was a tenth smaller or larger."""
        documents, known = int(searcher.num_docs), self._largest
        if abs(documents - known[0]) > known[0] // _STEADY:
            known = self._largest = (documents, largest_id(searcher))
        return known[1]


class Search:
    """One query under way; ``state`` names the state of the index that ``searcher`` reads."""

    def __init__(self, schema: Any, searcher: Any, state: Hashable, query: TextQuery, kept: Kept) -> None:
        vocabulary = Vocabulary(searcher, kept.beginnings)
        self._schema, self._searcher, self._query, self._kept = schema, searcher, query, kept
        self._state = state
        self._filters = FilterBuilder(schema)
        self._documents = vocabulary.documents
        self._wanted = plan(query, vocabulary)
        self._frequencies = sorted(sum(map(vocabulary.frequency, w.variants)) for w in self._wanted)
        self._words = WordQuery(schema, vocabulary, long=query.long)
        self._scored = query.order is None and query.spoken
        self._bound = self._words.bound(self._wanted, query.phrases)
        self._where = self._filters.parts(query.shown)
        self._said: dict[int, int] = {}
        kept.bands.prepare(searcher)

    def answer(self, limit: int, offset: int, facets: Sequence[str]) -> TextHits:
        """See ``TextIndex.search``."""
        first = self._steps()[0]
        counting = self._counting(first, facets) if self._is_counted_early(first, facets) else None
        found = self._find(limit, offset)
        if counting is None or found.least != first:
            counting = self._counting(found.least, facets, found.total)
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
            counted.total,
            counted.facets,
            tuple(cards),
            counted.estimated or hidden.estimated,
            evidence,
            hidden.total,
            {flag: n for flag in self._query.kept_back if (n := hidden.facets.get("is", {}).get(flag, 0))},
        )

    def _steps(self) -> list[int]:
        """How many of the words to ask for, the most first."""
        if not self._query.spoken:
            return [0]
        return list(least_steps(self._wanted, long=self._query.long))

    def conditions(self) -> Parts:
        """What those meet that ``answer`` finds; nothing is scored."""
        words: Parts = []
        if self._query.spoken:
            words = self._words.unscored(self._wanted, self._query.phrases, self._find(1, 0).least)
        return [*words, *self._filters.parts(self._query.shown)]

    def _find(self, limit: int, offset: int) -> _Found:
        """What matches while as many words as possible are asked for."""
        found = _Found((), 0)
        for least in self._steps():
            if self._scored:
                found = self._best(least, limit, offset)
            else:
                found = self._ordered([*self._unscored(least), *self._where], limit, offset, least)
            if found.total:
                break
        return found

    def _unscored(self, least: int, within: Any = None) -> Parts:
        if not self._query.spoken:
            return []
        return self._words.unscored(self._wanted, self._query.phrases, least, within)

    def _best(self, least: int, limit: int, offset: int) -> _Found:
        """The matches of the highest score; where there may be very many, a part of them goes first. Which
        part follows from the query alone, so that pages follow each other."""
        if self._about(least) >= MANY_SAID:
            return self._in_steps(self._by_phrase(least), least, limit, offset)
        parts = [*self._words.parts(self._wanted, self._query.phrases, least), *self._where]
        most = self._most(least)
        if most > COMMON and not self._query.long and not self._has_common_phrase():
            some = sample_query(self._schema, max(1, SAMPLES * COMMON // (2 * most)))
            for first in (self._words.briefly(self._wanted), some):
                hits, count = self._matches([*parts, (_MUST, first)], limit, offset)
                if count >= _ENOUGH:
                    rest = [*parts, (_MUST_NOT, first)]
                    return self._filled(_Found(hits, count, least), rest, limit, offset)
        return _Found(*self._matches(parts, limit, offset), least)

    def _by_phrase(self, least: int) -> Sequence[Parts]:
        """Conditions of entries that have common phrases: in a short field, of the newest as many as are
        enough, of the others."""
        words, phrases = self._words, self._query.phrases
        some = self._newest(1.5 * _ENOUGH / max(1, self._about(least)))
        first = words.said_briefly(phrases)
        return (
            [*words.parts(self._wanted, (), least), *self._where, (_MUST, first)],
            [*words.parts(self._wanted, phrases, least, some), *self._where, (_MUST_NOT, first)],
            [*words.parts(self._wanted, phrases, least), *self._where, (_MUST_NOT, first), (_MUST_NOT, some)],
        )

    def _newest(self, share: float) -> Any:
        """Entries with the highest ids, about such a part of all; scores nothing. They lie beside each other,
        so that looking among them takes about such a part of the time."""
        least = round(self._kept.largest_id(self._searcher) * (1 - min(1.0, share)))
        newest = tantivy.Query.range_query(self._schema, "id", tantivy.FieldType.Integer, least)
        return tantivy.Query.const_score_query(newest, 0.0)

    def _has_common_phrase(self) -> bool:
        """Whether very many may have the phrases, as far as their words tell."""
        phrases = self._query.phrases
        return bool(phrases) and self._words.phrase_frequency(phrases) >= COMMON_PHRASE

    def _about(self, least: int) -> int:
        """About how many match that have phrases of common words, as the newest tell; 0 where few can."""
        if not self._has_common_phrase():
            return 0
        if least not in self._said:
            pilot = self._unscored(least, self._newest(PILOT))
            self._said[least] = round(self._matches([*pilot, *self._where], 1, 0)[1] / PILOT)
        return self._said[least]

    def _in_steps(self, steps: Sequence[Parts], least: int, limit: int, offset: int) -> _Found:
        """Hits of one step after the other, as far as they are wanted."""
        found = _Found((), 0, least)
        for step in steps:
            found = self._filled(found, step, limit, offset)
        return found

    def _filled(self, found: _Found, parts: Parts, limit: int, offset: int) -> _Found:
        """Hits, and behind them those of further conditions unless there are enough."""
        wanted = limit - len(found.hits)
        if not wanted:
            return found
        hits, count = self._matches(parts, wanted, max(0, offset - found.total))
        return _Found([*found.hits, *hits], found.total + count, found.least)

    def _matches(self, parts: Parts, limit: int, offset: int) -> tuple[Sequence[tuple[Any, Any]], int]:
        found = self._searcher.search(tantivy.Query.boolean_query(parts), limit=limit, offset=offset)
        return found.hits, int(found.count or 0)

    def _most(self, least: int) -> int:
        """How many entries can match by their words and phrases, at most."""
        phrases = self._query.phrases
        said = self._words.phrase_frequency(phrases) if phrases else self._documents
        if not self._wanted:
            return said
        frequencies = self._frequencies
        if least >= len(frequencies):
            return min(said, frequencies[0])
        # Who has so many of the words has one of the rarest, however many are left out.
        rarest = frequencies[: len(frequencies) - least + 1]
        return min(said, sum(rarest), sum(frequencies) // max(1, least))

    def _is_partly_seen(self, least: int) -> bool:
        """Whether there may be so many matches that finding the first ones does not count them all."""
        if not self._scored:
            return self._kept.bands.is_large(self._searcher)
        if self._has_common_phrase():
            return self._about(least) >= MANY_SAID
        return self._most(least) > COMMON

    def _ordered(self, parts: Parts, limit: int, offset: int, least: int) -> _Found:
        order = self._query.order or "newest"
        if order not in ORDER_COLUMNS:
            known = ", ".join(ORDER_COLUMNS)
            raise UsageError("sort", f"The text index cannot sort by {order!r}. Choose one of: {known}.")
        in_order = self._by_name if order == "name" else self._by_value
        share = 1.0
        for band in self._kept.bands.of(self._searcher, order):
            if share * band.size < limit + offset:
                continue
            hits, count, last = in_order([*parts, (_MUST, band.query)], limit, offset)
            share = count / max(1, band.size)
            if len(hits) == limit and band.holds(last):
                return _Found(hits, count, least)
        hits, count, _ = in_order(parts, limit, offset)
        return _Found(hits, count, least)

    def _counted_out(self) -> int | None:
        """How many match conditions of which none must hold: all but those that are left out."""
        parts = self._where
        if self._query.spoken or any(occur != _MUST_NOT for occur, _ in parts):
            return None
        out = tantivy.Query.boolean_query([(_SHOULD, query) for _, query in parts])
        return self._documents - int(self._searcher.search(out, limit=1).count or 0)

    def _by_value(self, parts: Parts, limit: int, offset: int) -> tuple[Sequence[tuple[Any, Any]], int, int]:
        """Hits, the greatest value first, how many there are, and the key of the last."""
        column = ORDER_COLUMNS[self._query.order or "newest"]
        found = self._searcher.search(all_of(parts), limit=limit, offset=offset, order_by_field=column)
        return found.hits, int(found.count or 0), int(found.hits[-1][0]) if found.hits else 0

    def _by_name(self, parts: Parts, limit: int, offset: int) -> tuple[Sequence[tuple[Any, Any]], int, int]:
        """Hits by name, how many there are, and the key of the last. By the beginnings of names as numbers it
        is known between which names the page lies; then only those are compared by name, which costs more."""
        spare = min(_SPARE, offset)
        asked = {"limit": spare + limit + _SPARE, "offset": offset - spare}
        rough = self._searcher.search(all_of(parts), order_by_field=NAME_KEY, order=_RISING, **asked)
        count, keys = int(rough.count or 0), [int(key) for key, _ in rough.hits]
        page = keys[spare : spare + limit]
        if not page:
            return (), count, 0
        first, last = bisect_left(keys, page[0]), bisect_right(keys, page[-1])
        before = offset - spare + first
        if (first or spare == offset) and (last < len(keys) or len(keys) < asked["limit"]):
            addresses = [address for _, address in rough.hits[first:last]]
            among = [(_MUST, these(self._schema, self._searcher.fast_field_values("id", addresses)))]
        else:  # more names begin alike than were read
            among = [*parts, (_MUST, self._keys(page[0], page[-1]))]
            if offset:
                sooner = [*parts, (_MUST, self._keys(None, page[0]))]
                before = int(self._searcher.search(all_of(sooner), limit=1).count or 0)
        by_name = {"order_by_field": ORDER_COLUMNS["name"], "order": _RISING, "count": False}
        found = self._searcher.search(all_of(among), limit=limit, offset=offset - before, **by_name)
        return found.hits, count, page[-1]

    def _keys(self, low: int | None, high: int) -> Any:
        """Names whose beginnings lie between two, both included; below the upper one without a lower."""
        return tantivy.Query.range_query(
            self._schema, NAME_KEY, tantivy.FieldType.Integer, low, high, include_upper=low is not None
        )

    def _is_counted_early(self, least: int, facets: Sequence[str]) -> bool:
        """Whether to count before anything is found: where finding will not tell how many match, where they
        are surely few, or where it takes long to tell of each."""
        few = bool(facets) and self._kept.counter.is_few(self._most(least))
        return few or self._is_partly_seen(least) or self._has_common_phrase()

    def _counting(self, least: int, facets: Sequence[str], met: int | None = None) -> Callable[[], Counts]:
        """Begin to count who has so many of the words; ``met`` is how many were found, if anything was looked
        for yet."""
        query = self._query
        said = (query.terms, query.phrases, query.typing, query.long)
        key = (self._state, *said, query.where, query.kept_back, least, tuple(facets))
        total = None if self._is_partly_seen(least) else met
        return self._kept.counter.counted(key, self._searcher, partial(self._census, least, facets, total))

    def _census(self, least: int, facets: Sequence[str], total: int | None) -> Census:
        query = self._query
        flagged = self._filters.build(query.flagged) if query.phrases else None
        return Census(
            self._passing(query.shown, least),
            self._passing(query.aside, least, flagged) if query.kept_back else None,
            facets,
            self._most(least),
            self._counted_out() if total is None else total,
            self._guessed(least),
        )

    def _guessed(self, least: int) -> int | None:
        """About how many match, where that is known without counting."""
        if said := self._about(least):
            return said
        alone = len(self._wanted) == 1 and not self._query.phrases
        alone = alone and not self._filters.parts(self._query.where)
        return self._most(least) if alone else None

    def _passing(self, where: Filter, least: int, within: Any = None) -> Among:
        """The conditions of those who have so many of the words and pass a filter. ``within`` is a part of it
        that few pass: phrases are looked for among those alone."""
        passed = self._filters.parts(where)

        def parts(some: Any) -> Parts:
            both: Parts = [(_MUST, query) for query in (some, within) if query is not None]
            among = tantivy.Query.boolean_query(both) if both else None
            return [*self._unscored(least, among), *passed]

        return parts

    def _evidence(self, addresses: Sequence[Any], cards: Sequence[Card], least: int) -> Evidence:
        """See ``Evidence``."""
        first = addresses[: 0 if self._query.long else COMPARED]
        return Evidence(
            documents=self._documents,
            frequencies={wanted.term: wanted.frequency for wanted in self._wanted},
            briefs=tuple(bytes(self._searcher.doc(address)[STORED][0]).decode() for address in first),
            terms=tuple(wanted.term for wanted in self._wanted),
            present=self._present([card.id for card in cards[: len(first)]], least),
        )

    def _present(self, ids: Sequence[int], least: int) -> tuple[int, ...]:
        """Which of the words each entry has."""
        if not ids or not self._wanted:
            return ()
        known = sum(1 << place for place, wanted in enumerate(self._wanted) if wanted.frequency)
        if least >= known.bit_count():
            return (known,) * len(ids)
        parsed = tantivy.Query.boolean_query(
            [(_MUST, these(self._schema, ids)), (_SHOULD, self._words.bits(self._wanted))]
        )
        hits = self._searcher.search(parsed, limit=len(ids), count=False).hits
        found = self._searcher.fast_field_values("id", [address for _, address in hits])
        bits = {int(id_): int(score) for id_, (score, _) in zip(found, hits, strict=True)}
        return tuple(bits.get(id_, 0) for id_ in ids)
