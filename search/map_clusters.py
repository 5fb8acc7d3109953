"""Neighbourhoods of a map, and what to call each: words frequent inside and rare outside."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from indexer.domain import vocabulary
from indexer.domain.filters import keyword
from indexer.domain.records import Document
from indexer.domain.text import words
from indexer.embedding.clusters import assign, kmeans

__all__ = ["cluster_count", "cluster_names", "clusters_of", "terms_of"]

SAMPLE = 4_000  # places that the centres are found from
FEWEST, MOST = 3, 40
WORDS = 3
SHARE = 0.15  # of a cluster's models must have a word that names it
PRIOR = 0.5  # of a model more inside and outside: one lucky word names nothing
LONGEST_TERM = 30  # characters; a longer tag is a sentence
STEM = 5  # letters
MANY_TAGS = 60  # of an entry are looked at

Places = NDArray[np.floating]


def cluster_count(entries: int) -> int:
    """How many neighbourhoods so many entries are told apart into: the root of half of them, 3 to 40."""
    return min(entries, max(FEWEST, min(MOST, round(math.sqrt(entries / 2)))))


def clusters_of(places: Places) -> NDArray[np.intp]:
    """(n) numbers from 0 for ``places`` (n, 2): the largest cluster is 0; none is empty. Deterministic."""
    if not len(places):
        return np.zeros(0, np.intp)
    rows = places.astype(np.float64)
    sample = rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), SAMPLE)).round().astype(np.int64))]
    raw = assign(rows, kmeans(sample, cluster_count(len(rows)), seed=0))
    _, found, sizes = np.unique(raw, return_inverse=True, return_counts=True)
    rank = np.empty(len(sizes), np.intp)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    return rank[found]


def terms_of(document: Document) -> set[str]:
    """Tags and words that could name what an entry looks like; no names of bases, formats or versions."""
    tags = {keyword(tag) for tag in document.tags[:MANY_TAGS] if len(tag) <= LONGEST_TERM}
    texts = (document.name, *document.trigger_words[:MANY_TAGS])
    return {
        term
        for term in (*tags, *(word for text in texts for word in words(text, glued=False)))
        if _says(term)
    }


def _says(term: str) -> bool:
    return len(term) > 2 and not any(c.isdigit() for c in term) and term not in _technical()


@cache
def _technical() -> frozenset[str]:
    """What everybody writes into names: bases, families, kinds, adapters."""
    tables = (
        vocabulary.architectures(),
        vocabulary.families(),
        vocabulary.kinds(),
        vocabulary.adapter_algorithms(),
    )
    texts = [text for table in tables for row in table.values() for text in (row.id, row.title)]
    return frozenset(word for text in texts for word in words(text)) | {"style", "model"}


def cluster_names(entries: Iterable[tuple[int, Document]], count: int) -> list[tuple[str, ...]]:
    """At most ``WORDS`` words for each of ``count`` clusters, the most telling first.

    ``entries`` are (cluster, document). The versions of one model in one cluster count once.
    """
    inside: list[Counter[str]] = [Counter() for _ in range(count)]
    models: list[dict[int, set[str]]] = [{} for _ in range(count)]
    for cluster, document in entries:
        models[cluster].setdefault(document.model_id, set()).update(terms_of(document))
    for counter, members in zip(inside, models, strict=True):
        for terms in members.values():
            counter.update(terms)
    everywhere: Counter[str] = Counter()
    for counter in inside:
        everywhere.update(counter)
    sizes = [len(members) for members in models]
    return [_named(inside[i], sizes[i], everywhere, sum(sizes)) for i in range(count)]


def _named(inside: Counter[str], size: int, everywhere: Counter[str], total: int) -> tuple[str, ...]:
    least = max(SHARE * size, min(2, size))
    scored = []
    for term, here in inside.items():
        surprise = _log_odds(here, size, everywhere[term] - here, total - size)
        if here >= least and surprise > 0:
            scored.append((-surprise, term))
    return tuple(_apart(term for _, term in sorted(scored)))


def _log_odds(here: int, size: int, elsewhere: int, others: int) -> float:
    """The log-odds ratio in its standard errors (Monroe, Colaresi & Quinn 2008)."""
    table = (here + PRIOR, size - here + PRIOR, elsewhere + PRIOR, others - elsewhere + PRIOR)
    odds = math.log(table[0] / table[1]) - math.log(table[2] / table[3])
    return odds / math.sqrt(sum(1 / cell for cell in table))


def _stems(term: str) -> set[str]:
    """What spellings and endings have in common: watercolor and watercolour, print and prints."""
    return {word[:STEM] for word in words(term)}


def _apart(terms: Iterator[str]) -> Sequence[str]:
    """The first few that do not repeat each other's words."""
    chosen: list[str] = []
    for term in terms:
        if not _stems(term) & {stem for other in chosen for stem in _stems(other)}:
            chosen.append(term)
        if len(chosen) == WORDS:
            break
    return chosen
