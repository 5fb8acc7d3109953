"""The gists of all entries: columns over all segments, and which rows have a word. Disposable.

What a move plan compares of a million candidates without reading one of their documents. About 60 bytes an
entry are kept in memory; words are mapped from disk.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.domain.records import Document
from indexer.indexes.gist_files import (
    Manifest,
    Stored,
    open_segment,
    read_manifest,
    store,
    write_manifest,
)
from indexer.indexes.gist_merge import live_rows, merge, one_naming, turned
from indexer.indexes.gist_rows import NO_RATING, Array, Segment, build_segment, digest, term

__all__ = ["NO_RATING", "GistIndex", "GistWriter", "build_segment", "digest", "open_gists", "term"]

Rows = NDArray[np.int64]
Ids = NDArray[np.int64]
_LADDER = 4
"""Segments are merged when the newer ones together hold a quarter of one: so few are left, and a row is
written a handful of times."""
_RETRIES = 5


class GistIndex:
    """The entries of some segments, newer ones replacing older.

    A row is a place in the columns; ``live`` says which rows stand for an entry as it is now.
    """

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._segments = [segment for segment in segments if len(segment)]
        self._starts = np.cumsum([0, *map(len, self._segments)])
        live = dict(zip(map(id, segments), live_rows(segments), strict=True))
        self.live = _joined([live[id(one)] for one in self._segments], np.dtype(np.bool_))
        self.names = one_naming([("",), *(one.names for one in self._segments)])
        self.flag_names = one_naming([one.flag_names for one in self._segments])
        self.ids: Ids = self._column("ids", np.int64)
        self.models = self._column("models", np.int64)
        self.ratings = self._column("ratings", np.float32)
        self.creators = self._column("creators", np.uint64)
        self.titles = self._column("titles", np.uint64)
        self.lengths = self._column("lengths", np.uint16)
        self.kinds, self.architectures, self.families, self.categories = (
            self._coded(name) for name in ("kinds", "architectures", "families", "categories")
        )
        flags = [turned(np.asarray(one.flags), one.flag_names, self.flag_names) for one in self._segments]
        self.flags = _joined(flags, np.dtype(np.uint64))
        self._order: Rows = np.argsort(self.ids, kind="stable")
        self._sorted = self.ids[self._order]

    def __len__(self) -> int:
        return len(self.ids)

    def _column(self, name: str, kind: type[np.generic]) -> Array:
        return _joined([getattr(one, name) for one in self._segments], np.dtype(kind))

    def _coded(self, name: str) -> Array:
        place = {text: number for number, text in enumerate(self.names)}
        codes = [np.array([place[text] for text in one.names], np.uint32) for one in self._segments]
        found = [code[getattr(one, name)] for code, one in zip(codes, self._segments, strict=True)]
        return _joined(found, np.dtype(np.uint32))

    def code(self, name: str) -> int:
        """The number of a kind, architecture, family or category; -1 where no entry has it."""
        return self.names.index(name) if name in self.names else -1

    def flagged(self, flags: Iterable[str]) -> NDArray[np.bool_]:
        """Rows with any of these flags."""
        bits = sum(1 << self.flag_names.index(flag) for flag in set(flags) if flag in self.flag_names)
        found: NDArray[np.bool_] = (self.flags & np.uint64(bits)) != 0
        return found

    def rows_of(self, ids: Iterable[int]) -> Rows:
        """The live rows of those ``ids`` that are here, in the order of the ids asked for."""
        wanted = np.fromiter(ids, np.int64)
        if not len(self):
            return wanted[:0]
        # A later segment lies behind an earlier one, so the last of equal ids is the newest.
        places = np.searchsorted(self._sorted, wanted, "right") - 1
        found = self._order[np.maximum(places, 0)]
        there: Rows = found[(places >= 0) & (self.ids[found] == wanted) & self.live[found]]
        return there

    def with_word(self, word: int) -> list[tuple[int, Array]]:
        """The rows that are said to have a word, ascending, segment by segment: (first row of the segment,
        places in it). Dead rows are among them."""
        found = []
        for start, segment in zip(self._starts.tolist(), self._segments, strict=False):
            place = int(np.searchsorted(segment.words, np.uint32(word)))
            if place < len(segment.words) and segment.words[place] == word:
                found.append((start, segment.rows[segment.starts[place] : segment.starts[place + 1]]))
        return found

    def called(self, rows: Rows) -> tuple[Array, Rows]:
        """The words that rows are called by, and of each which of ``rows`` (a place in it) has it."""
        return self._sets(rows, "called_starts", "called")

    def tags(self, rows: Rows) -> tuple[Array, Rows]:
        """As ``called`` for tags."""
        return self._sets(rows, "tag_starts", "tags")

    def _sets(self, rows: Rows, starts: str, flat: str) -> tuple[Array, Rows]:
        values, owners = [np.zeros(0, np.uint32)], [np.zeros(0, np.int64)]
        for first, segment in zip(self._starts.tolist(), self._segments, strict=False):
            mine = np.flatnonzero((rows >= first) & (rows < first + len(segment)))
            if not len(mine):
                continue
            local = rows[mine] - first
            begin, end = (np.asarray(getattr(segment, starts)[local + step]) for step in (0, 1))
            lengths = end - begin
            ahead = np.cumsum(lengths) - lengths
            places = np.arange(int(lengths.sum())) + np.repeat(begin - ahead, lengths)
            values.append(getattr(segment, flat)[places])
            owners.append(np.repeat(mine, lengths))
        return np.concatenate(values), np.concatenate(owners)


def _joined(pieces: Sequence[Array], kind: np.dtype[np.generic]) -> Array:
    return np.concatenate([np.zeros(0, kind), *(np.asarray(piece, kind) for piece in pieces)])


def open_gists(folder: Path) -> tuple[Manifest, list[Segment]]:
    """What was written last, oldest segment first; a fresh manifest where there is nothing that can be
    used."""
    for _ in range(_RETRIES):
        manifest = read_manifest(folder)
        if manifest is None:
            break
        try:
            return manifest, [open_segment(folder / one.name) for one in manifest.segments]
        except FileNotFoundError:
            continue  # a writer was quicker; the manifest is another by now
        except (OSError, ValueError, TypeError, KeyError):
            break
    return Manifest.fresh(), []


class GistWriter:
    """Writes what entries became, segment by segment. One writer at a time (the catalog's lock)."""

    def __init__(self, folder: Path, *, afresh: bool = False) -> None:
        self._folder = folder
        self._manifest = Manifest.fresh() if afresh else open_gists(folder)[0]

    @property
    def generation(self) -> str:
        """Another one each time the index is started anew."""
        return self._manifest.generation

    @property
    def seq(self) -> int:
        """The number of the last change that is in."""
        return self._manifest.seq

    def put(self, changes: Iterable[tuple[int, Document | None]], seq: int) -> None:
        """Add what entries became, all up to change ``seq``. Raises ``CatalogError``."""
        stored = store(self._folder, build_segment(changes))
        before = tuple(one.name for one in self._manifest.segments)
        segments = self._merged((*self._manifest.segments, stored))
        self._manifest = replace(self._manifest, seq=seq, segments=segments, before=before)
        write_manifest(self._folder, self._manifest)

    def _merged(self, segments: tuple[Stored, ...]) -> tuple[Stored, ...]:
        """Newer segments are merged while together they are no longer small beside the one before them."""
        keep = len(segments) - 1
        rows = segments[keep].rows
        while keep > 0 and _LADDER * rows >= segments[keep - 1].rows:
            keep -= 1
            rows += segments[keep].rows
        if keep == len(segments) - 1:
            return segments
        opened = [open_segment(self._folder / one.name) for one in segments[keep:]]
        return (*segments[:keep], merge(self._folder, opened, first=keep == 0))
