"""Count which creators write which words (``prompt_makers``), from what ``prompt_cuts`` holds.

Runs of sorted counts go to a temporary file and are put together word by word: memory is bounded by the names
of creators and one run.
"""

import os
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from indexer.domain.prompt_cut import KINDS, MAX_PROMPTS
from indexer.errors import CatalogError
from indexer.indexes.prompt_columns import NUMBERS, Counts, Ints, columns_of, counts_of
from indexer.indexes.prompt_makers import FORMAT, MOST_READ, POSTING, TABLES

__all__ = ["count_makers"]

_AT_ONCE = 10_000
_WORDS_AT_ONCE = 1_024
_MOST = 0xFFFF
_MAKER, _WORD = np.uint64(16), np.uint64(48)
"""Bits of a run: the word stands from bit 48 on, the creator from 16 on, below in how many prompts."""

Numbers = NDArray[np.uint64]


def count_makers(cuts: Path, path: Path) -> int:
    """Make the file ``path`` anew of the whole of ``cuts``; answers of how many entries. Raises
    ``CatalogError``."""
    aside = path.with_name(f".{path.name}.tmp")
    try:
        aside.unlink(missing_ok=True)
        with tempfile.TemporaryFile(dir=path.parent) as spill, closing(_opened(cuts)) as source:
            counting = _Counting(spill)
            rows = source.execute("SELECT maker, numbers FROM entry ORDER BY id")
            for some in iter(lambda: rows.fetchmany(_AT_ONCE), []):
                counting.add([maker for maker, _ in some], [numbers for _, numbers in some])
            generation, seq = source.execute("SELECT generation, seq FROM state").fetchone()
            with closing(sqlite3.connect(aside)) as made:
                _write(made, counting, (generation, seq))
        with aside.open("rb+") as stream:
            os.fsync(stream.fileno())
        aside.replace(path)
    except (OSError, sqlite3.Error) as error:
        raise CatalogError(
            "prompt_makers",
            f"Words of creators cannot be counted into {path} ({error}). "
            "Free some space, or give back the right to write.",
        ) from error
    return counting.entries


def _opened(cuts: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{cuts.absolute().as_uri()}?mode=ro", uri=True)
    connection.execute("BEGIN")  # one state for all that is read
    return connection


class _Counting:
    """Counts of the entries that were added; what creators write lies in runs in ``spill``."""

    def __init__(self, spill: BinaryIO) -> None:
        self.entries = 0
        self.makers: dict[str, int] = {}
        self.lengths = np.zeros(0, np.int64)
        self.have = np.zeros(0, np.int64)
        self.counts = Counts(0, np.zeros((len(KINDS), NUMBERS), np.uint32))
        self._spill = spill
        self._ends = [0]

    def add(self, makers: Sequence[str], numbers: Sequence[bytes]) -> None:
        """Entries by their creators, empty where unknown, and their cuts."""
        columns = columns_of(numbers)
        self.entries += len(numbers)
        self.counts = self.counts.plus(counts_of(columns))
        coded = [self.makers.setdefault(maker, len(self.makers)) if maker else -1 for maker in makers]
        words, units = columns.parts(0)
        of = np.array(coded, np.int64)[units // MAX_PROMPTS]
        words, of = words[of >= 0], of[of >= 0]
        self.lengths = _grown(self.lengths, of, len(self.makers))
        self.have = _grown(
            self.have, np.array([code for code in coded if code >= 0], np.int64), len(self.makers)
        )
        keys, many = np.unique((words.astype(np.int64) << 32) | of, return_counts=True)
        run = (keys.astype(np.uint64) << _MAKER) | np.minimum(many, _MOST).astype(np.uint64)
        self._spill.write(run.tobytes())
        self._ends.append(self._ends[-1] + len(run))

    def words(self) -> Iterator[tuple[int, bytes]]:
        """Each word and its list of ``POSTING``, creators ascending."""
        self._spill.flush()
        every = np.memmap(self._spill, np.uint64, "r") if self._ends[-1] else np.zeros(0, np.uint64)
        runs = [every[first:end] for first, end in zip(self._ends, self._ends[1:], strict=False)]
        for first in range(0, NUMBERS, _WORDS_AT_ONCE):
            low, high = (np.uint64(word) << _WORD for word in (first, first + _WORDS_AT_ONCE - 1))
            high |= (np.uint64(1) << _WORD) - np.uint64(1)
            some = [r[np.searchsorted(r, low) : np.searchsorted(r, high, "right")] for r in runs]
            if any(map(len, some)):
                yield from self._lists(np.sort(np.concatenate(some)))

    def _lists(self, run: Numbers) -> Iterator[tuple[int, bytes]]:
        keys = run >> _MAKER
        starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
        many = np.add.reduceat((run & np.uint64(_MOST)).astype(np.int64), starts)
        makers = (keys[starts] & np.uint64(0xFFFF_FFFF)).astype(np.int64)
        postings = np.empty(len(starts), POSTING)
        postings["maker"] = makers
        postings["count"] = np.minimum(many, _MOST)
        postings["length"] = np.minimum(self.lengths[makers], _MOST)
        words = (run[starts] >> _WORD).astype(np.int64)
        found, places = np.unique(words, return_index=True)
        ends = [*places.tolist()[1:], len(words)]
        for word, start, end in zip(found.tolist(), places.tolist(), ends, strict=True):
            if end - start <= MOST_READ:
                yield word, postings[start:end].tobytes()


def _grown(counts: Ints, more: Ints, size: int) -> Ints:
    """Counts of numbers below ``size``, with ``more`` counted as well."""
    found = np.bincount(more, minlength=size)
    found[: len(counts)] += counts
    return found


def _write(made: sqlite3.Connection, counting: _Counting, state: tuple[str, int]) -> None:
    made.execute("PRAGMA journal_mode=OFF")
    made.execute("PRAGMA synchronous=OFF")  # nobody sees the file until it is whole
    with made:
        for table in TABLES:
            made.execute(table)
        lists = ((word, len(blob) // POSTING.itemsize, blob) for word, blob in counting.words())
        made.executemany("INSERT INTO word VALUES (?, ?, ?)", lists)
        told = zip(counting.makers.items(), counting.have.tolist(), counting.lengths.tolist(), strict=True)
        names = ((number, name, have, length) for (name, number), have, length in told)
        made.executemany("INSERT INTO maker VALUES (?, ?, ?, ?)", names)
        counts = counting.counts.table.astype("<u4").tobytes()
        row = (FORMAT, *state, counting.entries, counting.counts.prompts, counts)
        made.execute("INSERT INTO state VALUES (?, ?, ?, ?, ?, ?)", row)
