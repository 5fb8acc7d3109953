"""Entries that a query lets pass, asked for in the way that costs least: all of them, or some of a few."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.domain.filters import Filter
from indexer.indexes.text import TextIndex, TextQuery

__all__ = ["Fixed", "Narrowed", "Passing"]

Ids = NDArray[np.int64]
_MOST = 1_000_000
_MANY = 5_000
"""Of more entries than this it is quicker to ask for all that pass."""


class Narrowed(Protocol):
    """What limits a search by pictures to some entries."""

    def ids(self) -> Ids:
        """All ids that pass, ascending."""
        ...

    def among(self, ids: Iterable[int]) -> Ids:
        """Those of some ids that pass, ascending."""
        ...

    def extent(self) -> tuple[int, int]:
        """How many entries pass, of how many."""
        ...


class Fixed:
    """Entries that are known one by one."""

    def __init__(self, ids: Sequence[int]) -> None:
        self._ids = np.unique(np.asarray(ids, np.int64))

    def ids(self) -> Ids:
        """See ``Narrowed.ids``."""
        return self._ids

    def among(self, ids: Iterable[int]) -> Ids:
        """See ``Narrowed.among``."""
        return np.intersect1d(self._ids, np.fromiter(ids, np.int64))

    def extent(self) -> tuple[int, int]:
        """See ``Narrowed.extent``: as good as none, as all of them are here already."""
        return 0, 1


class Passing:
    """Entries that pass a filter, and have the words ``said`` if any, as the text index knows them."""

    def __init__(self, text: TextIndex, where: Filter, said: TextQuery | None = None) -> None:
        self._text = text
        self._asked = TextQuery((), where=where) if said is None else replace(said, where=where)

    def ids(self) -> Ids:
        """See ``Narrowed.ids``."""
        return np.unique(np.asarray(self._matching(_MOST), np.int64))

    def among(self, ids: Iterable[int]) -> Ids:
        """See ``Narrowed.among``."""
        some = sorted(set(ids))
        if len(some) > _MANY:
            return np.intersect1d(self.ids(), np.array(some, np.int64))
        return np.unique(np.asarray(self._matching(max(1, len(some)), some), np.int64))

    def extent(self) -> tuple[int, int]:
        """See ``Narrowed.extent``."""
        return self._text.search(self._asked, 1).total, max(1, self._text.count())

    def _matching(self, limit: int, among: Sequence[int] | None = None) -> Sequence[int]:
        if self._asked.spoken:
            return self._text.ids_of(self._asked, limit, among)
        return self._text.matching(self._asked.where, limit, among)
