"""Long queries, pasted prompts for instance, of which Meilisearch itself reads ten words.

The words that tell most are looked up one by one, in one request; who has the rarest and most of them is a
candidate, and the candidates' own words then tell exactly which they have.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.domain.evidence import pick_terms, rarity
from indexer.indexes.text_meilisearch_reader import Reader, exactly
from indexer.indexes.text_meilisearch_settings import (
    DRAWS,
    MAX_LISTED,
    SIZED,
    drawn,
    ids_of,
    lengths_of,
    listed,
)

__all__ = ["LongFound", "find_text"]

MAX_TERMS = 24
"""So many of the words are looked for."""

COMPARED = 100
"""So many candidates are compared by all their words."""

_MAX_ASKED = 200
_COMMON = 5  # who has a word that one in five has is not listed, where rarer words remain
_LENGTH, _STEEP = 250, 2.0


@dataclass(frozen=True, slots=True)
class LongFound:
    """Ids with scores 0..1, best first. ``terms`` are the words looked for; ``present`` has a bit for each of
    them (bit 0 the first). ``cut``: others may match as well."""

    scores: Mapping[int, float]
    present: Mapping[int, int]
    terms: tuple[str, ...]
    frequencies: Mapping[str, int]
    documents: int
    cut: bool
    aside: Collection[int] = ()


def find_text(
    reader: Reader, terms: Sequence[str], expression: str, aside: str | None, limit: int
) -> LongFound:
    """Entries that pass the expression and have some of the words that tell most, those with the most telling
    ones first; and the ids of those that pass ``aside`` instead, who are only counted."""
    asked = list(terms)[:_MAX_ASKED]
    documents, *totals = reader.totals(["", *map(exactly, asked)])
    frequencies = dict(zip(asked, totals, strict=True))
    picked = tuple(t for t in pick_terms(asked, frequencies, MAX_TERMS) if frequencies[t])
    telling = _telling(picked, frequencies, documents)
    queries = [
        {"q": exactly(term), "hitsPerPage": 0, "facets": [SIZED], "filter": _some(passing, frequencies[term])}
        for passing in ([expression] if aside is None else [expression, aside])
        for term in telling
    ]
    answers = reader.ask_halved(queries)
    heap = _Heap(answers[: len(telling)], telling, picked)
    worth = [rarity(frequencies[term], documents) for term in picked]
    first = heap.ranked(worth)[:COMPARED]
    heap.bits[first] = reader.present(heap.ids[first].tolist(), picked)
    order = heap.ranked(worth)
    told, best = heap.scores(worth), order[:limit]
    return LongFound(
        dict(zip(heap.ids[best].tolist(), told[best].tolist(), strict=True)),
        dict(zip(heap.ids.tolist(), heap.bits.tolist(), strict=True)),
        picked,
        frequencies,
        documents,
        heap.cut or len(telling) < len(picked) or len(order) > limit,
        set(ids_of(_sized(answers[len(telling) :])).tolist()),
    )


def _telling(picked: Sequence[str], totals: Mapping[str, int], documents: int) -> Sequence[str]:
    """The words of which is listed who has them."""
    common = max(MAX_LISTED, documents // _COMMON)
    return [term for term in picked if totals[term] <= common] or picked


class _Heap:
    """Who has which of the words: ``ids`` (n,) and as many ``bits``, one for each of the words that were
    picked. Frequent words list a part of those who have them; ``cut`` tells whether one did."""

    def __init__(
        self, answers: Sequence[Mapping[str, Any]], telling: Sequence[str], picked: Sequence[str]
    ) -> None:
        sized = np.unique(_sized(answers))
        self.ids = ids_of(sized)
        self._shares = 1 / (1 + _STEEP * np.log1p(lengths_of(sized) / _LENGTH))
        self.bits = np.zeros(len(sized), np.int64)
        self.cut = False
        for term, answer in zip(telling, answers, strict=True):
            some = _sized([answer])
            self.bits[np.searchsorted(sized, some)] |= 1 << picked.index(term)
            self.cut = self.cut or len(some) < int(answer.get("totalHits", 0)) or len(some) > MAX_LISTED

    def scores(self, worth: Sequence[float]) -> NDArray[np.float64]:
        """What the words that an entry has are worth, as a share of all, less in long texts: they have any
        word by chance."""
        sums = sum(((self.bits >> i & 1) * each for i, each in enumerate(worth)), np.zeros(len(self.bits)))
        scores: NDArray[np.float64] = sums / max(1e-9, sum(worth)) * self._shares
        return scores

    def ranked(self, worth: Sequence[float]) -> NDArray[np.int64]:
        """Places of the entries, best first."""
        return np.lexsort((self.ids, -self.scores(worth)))


def _sized(answers: Sequence[Mapping[str, Any]]) -> NDArray[np.int64]:
    """What the facet ``SIZED`` lists."""
    lists = [listed(answer.get("facetDistribution", {}).get(SIZED, {})) for answer in answers]
    return np.concatenate([np.zeros(0, np.int64), *lists])


def _some(expression: str, total: int) -> str | None:
    """The filter that lists ``MAX_LISTED`` of so many: of all words the same entries, so that who has several
    is seen to have them."""
    if total <= MAX_LISTED:
        return expression or None
    part = drawn(0, DRAWS * MAX_LISTED // total)
    return f"({expression}) AND {part}" if expression else part
