"""What is counted beside the hits: facets, and entries that are kept back.

Meilisearch counts a facet of few values in no time, whatever matches. Of a facet of many values (tags,
creators) it reads each entry's names, 10 microseconds each; the ledger knows them as numbers, and the server
only lists who matches, in 1.4. Either way it goes through all values of the index unless 3,000 entries or
fewer match. So matches are looked at in parts of that size, and of many matches in one part.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.indexes.text import EXACT_FACETS
from indexer.indexes.text_codes import CODED
from indexer.indexes.text_meilisearch_documents import plain_value
from indexer.indexes.text_meilisearch_filters import one_of
from indexer.indexes.text_meilisearch_reader import Reader
from indexer.indexes.text_meilisearch_settings import MAX_VALUES, PART, SIZED, both, ids_of, listed, parts

__all__ = [
    "Counts",
    "Hidden",
    "closed_counts",
    "closed_facets",
    "count_among",
    "count_coded",
    "hidden_among",
    "hidden_of",
]

SAMPLED = 1_500
"""Of so many an estimate is told: a share of a tenth to within a sixtieth."""

_LEAST = 3
"""A value that fewer of a sample have is not told: it may as well be ten times as rare."""

Row = Mapping[str, Any]
Counts = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Hidden:
    """How many are kept back, in all and by flag."""

    total: int = 0
    by: Mapping[str, int] = field(default_factory=dict)


def closed_facets(names: Sequence[str]) -> list[str]:
    """Facets of few values, which a query may count beside its hits."""
    return [name for name in names if name not in CODED]


def closed_counts(answer: Row, names: Sequence[str]) -> dict[str, dict[str, int]]:
    """Counts that an answer tells, by the values as they are, the most frequent first."""
    counts = answer.get("facetDistribution", {})
    return {name: _most(counts.get(name, {}), 1.0) for name in names}


def hidden_of(answer: Row, flags: Sequence[str]) -> Hidden:
    """Who is kept back, from the answer of a query for them with facet ``is``."""
    told = answer.get("facetDistribution", {}).get("is", {})
    by = {flag: int(told[flag]) for flag in flags if told.get(flag)}
    return Hidden(int(answer.get("totalHits", 0)), by)


def hidden_among(rows: Mapping[int, Row], flags: Sequence[str]) -> Hidden:
    """Who is kept back, from hits with their flags."""
    counts = Counter(flag for row in rows.values() for flag in row.get("is", ()))
    return Hidden(len(rows), {flag: counts[flag] for flag in flags if counts[flag]})


def count_coded(reader: Reader, query: Row, names: Sequence[str], total: int) -> tuple[Counts, bool]:
    """Counts of those of ``names`` that have many values over the ``total`` matches of a query, and whether
    they are estimates."""
    many = [name for name in names if name in CODED]
    if not many or not total:
        return {name: {} for name in many}, False
    asked = {key: query[key] for key in ("q", "filter", "matchingStrategy") if key in query}
    asked |= {"hitsPerPage": 0, "page": 1}
    some, scale = _parts(total)
    wanted = [SIZED] if reader.knows_values() else many
    answers = reader.ask_halved(
        [asked | {"facets": wanted, "filter": both(asked.get("filter"), part) or None} for part in some]
    )
    if wanted == [SIZED]:
        lists = [listed(answer) for answer in answers]
        counts = reader.counts(ids_of(np.concatenate(lists)), many)
    else:
        counts = {name: _summed(answers, name) for name in many}
    return {name: _most(some, scale) for name, some in counts.items()}, scale > 1.0


def count_among(reader: Reader, ids: NDArray[np.int64], scale: float, names: Sequence[str]) -> Counts:
    """Counts over entries by their ids, each of which stands for ``scale`` entries."""
    if not len(ids) or not names:
        return {name: {} for name in names}
    coded = [name for name in names if name in CODED and reader.knows_values()]
    asked = [name for name in names if name not in coded]
    some = [ids[start : start + PART].tolist() for start in range(0, len(ids), PART)] if asked else []
    answers = reader.ask_halved(
        [{"q": "", "filter": one_of(part), "hitsPerPage": 0, "facets": asked} for part in some]
    )
    counts = {**{name: _summed(answers, name) for name in asked}, **reader.counts(ids, coded)}
    return {name: _most(counts[name], scale) for name in names}


def _summed(answers: Sequence[Row], name: str) -> Mapping[str, int]:
    whole: Counter[str] = Counter()
    for answer in answers:
        whole.update(answer.get("facetDistribution", {}).get(name, {}))
    return whole


def _parts(total: int) -> tuple[Sequence[str], float]:
    """Filters of parts of the matches, and how many matches each entry of them stands for."""
    if total > EXACT_FACETS:
        return parts(total, SAMPLED / total), total / SAMPLED
    return parts(total), 1.0


def _most(counts: Mapping[str, int], scale: float) -> dict[str, int]:
    least = _LEAST if scale > 1.0 else 1
    often = ((kept, n) for kept, n in counts.items() if n >= least)
    first = nsmallest(2 * MAX_VALUES, often, key=lambda pair: (-pair[1], pair[0]))
    named = ((plain_value(kept), round(n * scale)) for kept, n in first)
    return dict([(value, n) for value, n in named if value is not None][:MAX_VALUES])
