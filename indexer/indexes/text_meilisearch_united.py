"""Who is found by any of several texts, counted: more than their hits, of which only the first are fetched.

The server lists who matches each text, and the lists are put together: all of them where those are few, else
those of a sample.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.indexes.text import EXACT_FACETS
from indexer.indexes.text_meilisearch_reader import Reader
from indexer.indexes.text_meilisearch_settings import both, ids_of, listed, listing, parts

__all__ = ["United", "unite"]

MAX_UNITED = 2 * EXACT_FACETS
"""Where texts find more, one after the other, a sample of them is counted."""

SAMPLED = 2_000


@dataclass(frozen=True, slots=True)
class United:
    """Ids (n,), ascending, each of which stands for ``scale`` entries: 1.0, or a sample."""

    ids: NDArray[np.int64]
    scale: float = 1.0

    @property
    def total(self) -> int:
        """How many entries there are."""
        return round(len(self.ids) * self.scale)


def unite(
    reader: Reader, texts: Sequence[str], totals: Sequence[int], filters: Sequence[str]
) -> list[United]:
    """Who passes each of some filters and is found by any of the texts; ``totals`` tell how many each finds,
    whichever of the filters they pass."""
    every = sum(totals)
    share = 1.0 if every <= MAX_UNITED else SAMPLED / every
    asked = [
        (place, listing(text, both(some, part)))
        for place, some in enumerate(filters)
        for text, total in zip(texts, totals, strict=True)
        for part in parts(total, share)
    ]
    answers = reader.ask_halved([query for _, query in asked])
    lists: list[list[NDArray[np.int64]]] = [[np.zeros(0, np.int64)] for _ in filters]
    for (place, _), answer in zip(asked, answers, strict=True):
        lists[place].append(ids_of(listed(answer)))
    return [United(np.unique(np.concatenate(found)), 1 / share) for found in lists]
