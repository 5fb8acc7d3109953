"""What is counted beside the hits of a query: in other threads, by its words and filters alone, remembered.

How many match must be told alike on every page, so nothing here knows which page is asked for.
"""

import os
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from indexer.indexes.text_facets import Among, Counted, FacetCounter

__all__ = ["Census", "Counter", "Counts"]

_COUNTS_KEPT = 256

Counts = tuple[Counted, Counted]
"""Of the matches, and of those that are kept back."""


@dataclass(frozen=True, slots=True)
class Census:
    """What to count: values of the fields ``names`` among those that are ``shown``, and who is kept ``aside``
    if any are. ``most`` match at most; ``total`` is how many do where that is known, ``about`` a guess."""

    shown: Among
    aside: Among | None
    names: Sequence[str]
    most: int
    total: int | None = None
    about: int | None = None


class Counter:
    """Counts beside what the caller does. Many threads may share it."""

    def __init__(self, schema: Any) -> None:
        self._counter = FacetCounter(schema)
        self._counts: dict[Hashable, Counts] = {}
        threads = os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(2 * threads, "pinakes-count")
        # What waits for another count never stands in that one's way.
        self._last = ThreadPoolExecutor(threads, "pinakes-aside")

    def is_few(self, most: int) -> bool:
        """Whether so many are counted one by one."""
        return self._counter.is_few(most)

    def counted(self, key: Hashable, searcher: Any, census: Callable[[], Census]) -> Callable[[], Counts]:
        """Begin to count; what is answered waits for it. The same ``key`` is counted once: the next page, or
        another order, need not count again."""
        known = self._counts.pop(key, None)
        counts = self._begin(searcher, census()) if known is None else lambda: known
        return lambda: self._keep(key, counts())

    def _keep(self, key: Hashable, found: Counts) -> Counts:
        self._counts[key] = found
        while len(self._counts) > _COUNTS_KEPT:
            self._counts.pop(next(iter(self._counts), None), None)
        return found

    def _begin(self, searcher: Any, census: Census) -> Callable[[], Counts]:
        counter, total = self._counter, census.total
        if total is None and not counter.is_few(census.most):
            return self._pool.submit(self._estimated, searcher, census).result
        least = self._pool.submit(counter.known, searcher, census.shown, census.names, total).result
        beside = self._beside(searcher, census, total or 0)
        return lambda: (least(), beside())

    def _estimated(self, searcher: Any, census: Census) -> Counts:
        counter, shown, names = self._counter, census.shown, census.names
        found = counter.estimated(searcher, shown, names, census.most, census.about)
        beside = self._beside(searcher, census, 0 if found is None else found.total)
        return found or counter.known(searcher, shown, names), beside()

    def _beside(self, searcher: Any, census: Census, total: int) -> Callable[[], Counted]:
        if census.aside is None:
            return Counted
        return self._last.submit(self._counter.aside, searcher, census.aside, total).result
