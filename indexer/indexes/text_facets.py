"""How many matches have which value? Exact up to ``EXACT_FACETS`` matches, beyond from samples of entries."""

from collections.abc import Sequence
from math import ceil
from typing import Any

import tantivy

from indexer.indexes.text import EXACT_FACETS
from indexer.indexes.text_schema import SAMPLE, SAMPLES

__all__ = ["MAX_VALUES", "SAMPLED", "count_facets"]

MAX_VALUES = 100
"""So many values of a field are told, the most frequent."""

SAMPLED = 5_000
"""So many matches are counted for an estimate: a share of a tenth is told to within a hundredth."""

_MUST = tantivy.Occur.Must


def count_facets(
    schema: Any, searcher: Any, query: Any, names: Sequence[str], total: int
) -> tuple[dict[str, dict[str, int]], bool]:
    """Counts of fields' values over all ``total`` matches of a query, and whether they are estimates."""
    if not names or not total:
        return {name: {} for name in names}, False
    if total <= EXACT_FACETS:
        return _count(searcher, query, names, EXACT_FACETS), False
    chosen = min(SAMPLES, ceil(SAMPLES * SAMPLED / total))
    sample = tantivy.Query.term_set_query(schema, SAMPLE, list(range(chosen)))
    within = tantivy.Query.boolean_query([(_MUST, sample), (_MUST, query)])
    met = int(searcher.search(within, limit=1, count=True).count or 0)
    scale = total / max(1, met)
    counts = _count(searcher, within, names, MAX_VALUES)
    return {n: {v: round(c * scale) for v, c in found.items()} for n, found in counts.items()}, True


def _count(searcher: Any, query: Any, names: Sequence[str], depth: int) -> dict[str, dict[str, int]]:
    """``depth`` values of each part of the index are added up; with all there can be, the sums are exact."""
    wanted = {name: {"terms": {"field": name, "size": MAX_VALUES, "segment_size": depth}} for name in names}
    answer = searcher.aggregate(query, wanted)
    return {name: {str(b["key"]): int(b["doc_count"]) for b in answer[name]["buckets"]} for name in names}
