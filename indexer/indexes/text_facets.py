"""How many matches have which value? Exact up to ``EXACT_FACETS`` matches, beyond from samples of entries."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any

import tantivy

from indexer.domain.ordering import SAMPLES
from indexer.indexes.text import EXACT_FACETS
from indexer.indexes.text_codes import CODED, NameBook, code_column
from indexer.indexes.text_filters import Parts, all_of
from indexer.indexes.text_schema import SAMPLE

__all__ = ["MAX_VALUES", "SAMPLED", "Among", "Counted", "FacetCounter", "sample_query"]

MAX_VALUES, MAX_CODED = 100, 50
"""So many values of a field are told, the most frequent; of fields in which people write as they like fewer,
since most of those stand for one entry."""

_LISTED = 96
"""Of so many samples lists of postings are put together; beyond, every entry is asked for its number."""

SAMPLED = 3_000
"""So many matches are counted for an estimate: a share of a tenth is told to within a hundredth."""

_DEPTH = 10 * EXACT_FACETS
"""So many values of each part of the index are added up; all that exact counts can meet."""

_ASIDE = 1_000
"""Of so many of them is told how many are kept back."""

_ROUGH_DEPTH = 300
_LEAST = 3
"""A value that fewer of a sample have is not told: it may as well be ten times as rare."""

_TELLING = 50
"""With fewer of a sample an estimate says nothing."""

_DOUBT, _MARGIN = 1.25, 1.1
"""How far a first guess, and a sample as large as it may be, can be above what is true."""

_ALL, _FLAGS = "all", ("is",)
_MUST = tantivy.Occur.Must

Counts = Mapping[str, Mapping[str, int]]

Among = Callable[[Any], Parts]
"""The conditions that match; told of a query when only entries that it finds too are asked for, else None."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How many match, and field -> value -> how many of them; ``estimated``: from a sample."""

    total: int = 0
    facets: Counts = field(default_factory=dict)
    estimated: bool = False


class FacetCounter:
    """Counts of an index; remembers names of values. Many threads may share it."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema
        self._book = NameBook()

    def is_few(self, most: int) -> bool:
        """Whether so many matches are counted one by one."""
        return most <= EXACT_FACETS

    def known(self, searcher: Any, parts: Among, names: Sequence[str], total: int | None = None) -> Counted:
        """Counts of fields' values over all that match, of which there are ``total``; None: few, which are
        counted too."""
        if total is not None and (not names or not total):
            return Counted(total, {name: {} for name in names})
        if total is None or total <= EXACT_FACETS:
            return self._exact(searcher, parts, names, total)
        _, found = self._within(searcher, parts, names, _samples(SAMPLED, total))
        return Counted(total, found.facets, True)

    def estimated(
        self, searcher: Any, parts: Among, names: Sequence[str], most: int, about: int | None = None
    ) -> Counted | None:
        """How many match, of ``most`` at most and ``about`` so many if that is known, and counts of fields'
        values, as samples tell. None where they may be so few that all are to be counted."""
        if about is None:
            about = self._within(searcher, parts, (), _samples(SAMPLED, most))[1].total
        if about <= EXACT_FACETS * _DOUBT:
            return None
        met, found = self._within(searcher, parts, names, _samples(SAMPLED, about))
        return found if met >= _TELLING and found.total > EXACT_FACETS * _MARGIN else None

    def aside(self, searcher: Any, parts: Among, beside: int) -> Counted:
        """How many match, and which flags they have: as exactly as the ``beside`` others are told."""
        if beside > EXACT_FACETS:
            for enough in (_ASIDE, SAMPLED):
                met, found = self._within(searcher, parts, _FLAGS, _samples(enough, beside))
                if met >= _TELLING:
                    return found
                if met * SAMPLED < _TELLING * _ASIDE:
                    break  # the larger sample would not tell either
        return self._exact(searcher, parts, _FLAGS)

    def _exact(self, searcher: Any, parts: Among, names: Sequence[str], total: int | None = None) -> Counted:
        found = _counted(searcher, parts(None), names, _DEPTH)
        exactly = round(found[_ALL]["value"]) if total is None else total
        return Counted(exactly, self._told(searcher, found, 1.0))

    def _within(self, searcher: Any, parts: Among, names: Sequence[str], chosen: int) -> tuple[int, Counted]:
        """How many of the first ``chosen`` samples match, and what that says of all."""
        some = sample_query(self._schema, chosen)
        within = [*parts(some), (_MUST, some)]
        found = _counted(searcher, within, names, _ROUGH_DEPTH)
        met, scale = round(found[_ALL]["value"]), SAMPLES / chosen
        return met, Counted(round(met * scale), self._told(searcher, found, scale), chosen < SAMPLES)

    def _told(self, searcher: Any, found: Mapping[str, Any], scale: float) -> Counts:
        return {
            name: dict(self._named(searcher, name, told["buckets"], scale))
            for name, told in found.items()
            if name != _ALL
        }

    def _named(
        self, searcher: Any, name: str, buckets: Sequence[Mapping[str, Any]], scale: float
    ) -> Iterable[tuple[str, int]]:
        for bucket in buckets:
            if scale > 1.0 and bucket["doc_count"] < _LEAST:
                continue
            key = bucket["key"]
            value = self._book.name(searcher, int(key)) if name in CODED else str(key)
            if value is not None:
                yield value, round(bucket["doc_count"] * scale)


def _samples(enough: int, total: int) -> int:
    """Of how many samples ``enough`` are met, where ``total`` are in all."""
    return min(SAMPLES, ceil(SAMPLES * enough / max(1, total)))


def sample_query(schema: Any, count: int) -> Any:
    """Entries of the first ``count`` samples; scores nothing."""
    if count <= _LISTED:
        listed = tantivy.Query.term_set_query(schema, SAMPLE, list(range(count)))
        return tantivy.Query.const_score_query(listed, 0.0)
    among = tantivy.Query.range_query(schema, SAMPLE, tantivy.FieldType.Unsigned, 0, count - 1)
    return tantivy.Query.const_score_query(among, 0.0)


def _counted(searcher: Any, parts: Parts, names: Sequence[str], depth: int) -> Mapping[str, Any]:
    wanted: dict[str, Any] = {_ALL: {"value_count": {"field": "id"}}}
    for name in names:
        column, size = (code_column(name), MAX_CODED) if name in CODED else (name, MAX_VALUES)
        wanted[name] = {"terms": {"field": column, "size": size, "segment_size": depth}}
    answer: Mapping[str, Any] = searcher.aggregate(all_of(parts), wanted)
    return answer
