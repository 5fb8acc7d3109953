"""Asking the ledger: counts of facets of many values, words, cards. Many threads may share it."""

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from indexer.domain.cards import Card
from indexer.indexes.following import connected
from indexer.indexes.text_codes import CODED
from indexer.indexes.text_ledger import entry_rows, signed_for
from indexer.indexes.text_ledger_pairs import entries_with
from indexer.indexes.text_ledger_rows import (
    BLOCK,
    FIELD_BITS,
    LONG_FIELDS,
    has_phrase,
    present_bits,
    read_block,
    read_card,
    word_numbers,
)

__all__ = ["Ledger", "Values"]

_AT_ONCE = 500
_REMEMBERED = 200_000
_MAPPED = 1 << 36

_PROVED = 2_000
"""Where so few have a pair of words, their texts are looked at: of a million, one in ten pairs finds one more
than have it."""

_PROVED_LONG = 20_000
"""The same of phrases of three words and more, whose pairs may be apart: of more, nobody is told exactly."""

_MOST_PAIRS = 8

_T = TypeVar("_T")

Ids = Sequence[int] | NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Values:
    """The values of all entries as numbers: those of entry ``ids[i]`` are
    ``numbers[starts[i]:starts[i + 1]]``, each with the place of its field in ``CODED`` above its code."""

    ids: NDArray[np.int64]
    starts: NDArray[np.int64]
    numbers: NDArray[np.int64]

    @classmethod
    def of(cls, blocks: Iterable[tuple[int, bytes]]) -> "Values":
        """All blocks put together; they come by number."""
        owners, numbers = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for number, body in blocks:
            some, more = read_block(body)
            owners.append(some.astype(np.int64) + number * BLOCK)
            numbers.append(more)
        whole = np.concatenate(owners)
        starts = np.flatnonzero(np.diff(whole, prepend=-1))
        return cls(whole[starts], np.append(starts, len(whole)), np.concatenate(numbers))

    def count(self, ids: Ids) -> dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Codes and how many of the entries have each, by field of ``CODED``."""
        asked = np.asarray(ids, np.int64)
        places = np.searchsorted(self.ids, asked)
        known = places < len(self.ids)
        known[known] = self.ids[places[known]] == asked[known]
        starts, ends = self.starts[places[known]], self.starts[places[known] + 1]
        lengths = ends - starts
        into = np.repeat(starts - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
        found, counts = np.unique(self.numbers[into + np.arange(len(into))], return_counts=True)
        bounds = np.searchsorted(found, np.arange(len(CODED) + 1) << FIELD_BITS)
        mask = (1 << FIELD_BITS) - 1
        return {
            name: (found[bounds[i] : bounds[i + 1]] & mask, counts[bounds[i] : bounds[i + 1]])
            for i, name in enumerate(CODED)
        }


class Ledger:
    """The ledger at ``path``, as of one state of the server's index at a time.

    A file that is missing, damaged, of another format or of another state answers None: then the server is to
    be asked.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._stamp = ""
        self._values = Values.of(())
        self._names: dict[int, str] = {}

    def knows(self, stamp: str) -> bool:
        """Whether the file speaks for that state of the index; reads its values where they changed."""
        try:
            return self._of(stamp) is not None
        except sqlite3.Error:
            return False

    def counts(
        self, stamp: str, ids: Ids, names: Sequence[str], most: int
    ) -> dict[str, dict[str, int]] | None:
        """How many of the entries have which value of fields ``names``, as the server keeps values: of each
        field the ``most`` frequent ones."""
        try:
            values = self._of(stamp)
            if values is None:
                return None
            told = {name: dict(_most(*counted, most)) for name, counted in values.count(ids).items()}
            known = self._named([code for name in names for code in told[name]])
        except sqlite3.Error:
            return None
        return {
            name: {known[code]: count for code, count in told[name].items() if code in known}
            for name in names
        }

    def having(
        self, stamp: str, terms: Sequence[str], fields: Sequence[str]
    ) -> dict[str, NDArray[np.int64]] | None:
        """Ids (n,) of entries that have the words, two or more, one after the other, by field, each
        of ``LONG_FIELDS``."""
        wanted = word_numbers(terms)
        places = [LONG_FIELDS.index(field) for field in fields]
        found = self._asked(stamp, lambda connection: _having(connection, wanted, places))
        return None if found is None else dict(zip(fields, found, strict=True))

    def present(self, stamp: str, terms: Sequence[str], ids: Sequence[int]) -> list[int] | None:
        """For each entry a bit for each of the words (bit 0 the first) that it has in any searched field."""
        wanted = [word_numbers([term]) for term in terms]
        rows = self._asked(stamp, lambda connection: entry_rows(connection, "words", ids))
        return None if rows is None else [present_bits(rows.get(id_, b""), wanted) for id_ in ids]

    def cards(self, stamp: str, ids: Sequence[int]) -> list[Card] | None:
        """The cards of entries, in no order."""
        rows = self._asked(stamp, lambda connection: entry_rows(connection, "card", ids))
        if rows is None:
            return None
        return [card for card in map(read_card, rows.values()) if card is not None]

    def _asked(self, stamp: str, look: Callable[[sqlite3.Connection], _T]) -> _T | None:
        """What a look into the file tells; None where it does not speak for that state of the index."""
        if not stamp or not self._path.is_file():
            return None
        try:
            with connected(self._path) as connection:
                connection.execute(f"PRAGMA mmap_size = {_MAPPED}")  # spares copying each page
                connection.execute("BEGIN")  # so that what is signed and what is read belong together
                return look(connection) if signed_for(connection) == stamp else None
        except sqlite3.Error:
            return None

    def _of(self, stamp: str) -> Values | None:
        """The values as of that state, read again where they changed. Raises ``sqlite3.Error``."""
        with self._lock:
            if stamp and self._stamp != stamp and self._path.is_file():
                with connected(self._path) as connection:
                    connection.execute("BEGIN")
                    if signed_for(connection) == stamp:
                        rows = connection.execute("SELECT number, body FROM block ORDER BY number")
                        self._values, self._names, self._stamp = Values.of(rows), {}, stamp
            return self._values if stamp and self._stamp == stamp else None

    def _named(self, codes: Iterable[int]) -> Mapping[int, str]:
        """The values that have the codes. Raises ``sqlite3.Error``."""
        new = [code for code in codes if code not in self._names]
        if new:
            if len(self._names) > _REMEMBERED:
                self._names = {}
            with connected(self._path) as connection:
                for some in _parts(new):
                    marks = ",".join("?" * len(some))
                    rows = connection.execute(f"SELECT code, value FROM name WHERE code IN ({marks})", some)
                    self._names |= dict(rows)
        return self._names


def _having(connection: sqlite3.Connection, wanted: bytes, places: Sequence[int]) -> list[NDArray[np.int64]]:
    """Ids (n,) of entries that have some words one after the other, by place of the field."""
    pairs = list(dict.fromkeys(pairwise(np.frombuffer(wanted, np.uint32).tolist())))
    found = entries_with(connection, *pairs[0], places)
    for first, second in pairs[1:_MOST_PAIRS]:
        if all(len(ids) <= _PROVED for ids in found.values()):
            break
        more = entries_with(connection, first, second, places)
        found = {place: np.intersect1d(found[place], more[place]) for place in places}
    most = _PROVED if len(pairs) == 1 else _PROVED_LONG
    proved = []
    for place in places:
        ids = found[place]
        if len(ids) <= most:
            rows = entry_rows(connection, "words", ids.tolist())
            ids = np.array([i for i, row in rows.items() if has_phrase(row, place, wanted)], np.int64)
        proved.append(ids)
    return proved


def _most(codes: NDArray[np.int64], counts: NDArray[np.int64], most: int) -> Iterator[tuple[int, int]]:
    order = np.argsort(-counts, kind="stable")[:most]
    return zip(codes[order].tolist(), counts[order].tolist(), strict=True)


def _parts(items: Sequence[int]) -> Iterator[Sequence[int]]:
    return (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))
