"""What is counted beside the hits: facets, and entries that are kept back.

Meilisearch counts a facet of few values in no time, whatever matches. Of a facet of many values (tags,
creators) it goes through all values of the index, unless 3,000 entries or fewer match: those it looks at one
by one. So such facets are counted in parts of that size, and of many matches from one part.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from itertools import pairwise
from math import ceil
from typing import Any

from indexer.indexes.text import EXACT_FACETS
from indexer.indexes.text_codes import CODED
from indexer.indexes.text_meilisearch_documents import plain_value
from indexer.indexes.text_meilisearch_reader import Reader
from indexer.indexes.text_meilisearch_settings import DRAWS, MAX_VALUES, drawn

__all__ = ["Beside", "closed_counts", "closed_facets", "count_beside"]

PART = 2_700
"""Entries of a part: below Meilisearch's 3,000 also where chance puts more into one."""

SAMPLED = 1_500
"""Of so many an estimate is told: a share of a tenth to within a sixtieth."""

_LEAST = 3
"""A value that fewer of a sample have is not told: it may as well be ten times as rare."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Beside:
    """Facets of many values, whether they are estimates, and who is kept back, in all and by flag."""

    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    estimated: bool = False
    hidden: int = 0
    hidden_by: Mapping[str, int] = field(default_factory=dict)


def closed_facets(names: Sequence[str]) -> list[str]:
    """Facets of few values, which a query may count beside its hits."""
    return [name for name in names if name not in CODED]


def closed_counts(answer: Row, names: Sequence[str]) -> dict[str, dict[str, int]]:
    """Counts that an answer tells, by the values as they are, the most frequent first."""
    counts = answer.get("facetDistribution", {})
    return {name: _most(counts.get(name, {}), 1.0) for name in names}


def count_beside(
    reader: Reader, query: Row, names: Sequence[str], total: int, aside: str, flags: Sequence[str]
) -> Beside:
    """Counts of those of ``names`` that have many values over the ``total`` matches of a query, and of who
    matches it with the filter ``aside`` instead, by ``flags``; all in one request."""
    many = [name for name in names if name in CODED]
    asked = {key: query[key] for key in ("q", "filter", "matchingStrategy") if key in query}
    asked |= {"hitsPerPage": 0, "page": 1}
    parts, scale = _parts(total) if many and total else ([], 1.0)
    queries = [asked | {"facets": many, "filter": _both(asked.get("filter"), part)} for part in parts]
    if flags:
        queries.append(asked | {"facets": ["is"], "filter": aside})
    answers = reader.ask_together(queries)
    sums: dict[str, Counter[str]] = {name: Counter() for name in many}
    for answer in answers[: len(parts)]:
        for name, counts in answer.get("facetDistribution", {}).items():
            sums[name].update(counts)
    facets = {name: _most(counts, scale) for name, counts in sums.items()}
    if not flags:
        return Beside(facets, scale > 1.0)
    told = answers[-1].get("facetDistribution", {}).get("is", {})
    by = {flag: int(told[flag]) for flag in flags if told.get(flag)}
    return Beside(facets, scale > 1.0, int(answers[-1].get("totalHits", 0)), by)


def _parts(total: int) -> tuple[list[str], float]:
    """Filters of parts of the matches, and how many matches each entry of them stands for."""
    if total > EXACT_FACETS:
        share = SAMPLED / total
        return [drawn(0, round(share * DRAWS))], 1 / share
    count = ceil(total / PART)
    if count == 1:
        return [""], 1.0
    bounds = [DRAWS * place // count for place in range(count + 1)]
    return [drawn(low, high) for low, high in pairwise(bounds)], 1.0


def _both(expression: str | None, part: str) -> str | None:
    if not part:
        return expression
    return f"({expression}) AND {part}" if expression else part


def _most(counts: Mapping[str, int], scale: float) -> dict[str, int]:
    least = _LEAST if scale > 1.0 else 1
    often = ((kept, n) for kept, n in counts.items() if n >= least)
    first = nsmallest(2 * MAX_VALUES, often, key=lambda pair: (-pair[1], pair[0]))
    named = ((plain_value(kept), round(n * scale)) for kept, n in first)
    return dict([(value, n) for value, n in named if value is not None][:MAX_VALUES])
