"""Several segments into one on disk, words a range at a time, so that memory does not grow with them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.errors import CatalogError
from indexer.indexes.gist_files import Stored, new_folder, seal
from indexer.indexes.gist_rows import ARRAYS, Array, Segment, inverted

__all__ = ["live_rows", "merge", "one_naming"]

_PAIRS = 4_000_000
"""Pairs of words and rows that are sorted at once, about: 64 MB."""
_ALL_WORDS = 1 << 32

Mask = NDArray[np.bool_]


def live_rows(segments: Sequence[Segment]) -> list[Mask]:
    """Of each segment the rows that no later one replaces or takes out."""
    later: NDArray[np.int64] = np.zeros(0, np.int64)
    found: list[Mask] = []
    for segment in reversed(segments):
        found.append(~np.isin(segment.ids, later))
        later = np.concatenate([later, segment.ids, segment.gone])
    return found[::-1]


def merge(folder: Path, segments: Sequence[Segment], *, first: bool) -> Stored:
    """Write what is live of the segments as one; nobody sees it yet. ``first``: nothing lies before them, so
    what was taken out need not be remembered. Raises ``CatalogError``."""
    live = live_rows(segments)
    names = one_naming(segment.names for segment in segments)
    flag_names = one_naming(segment.flag_names for segment in segments)
    gone = np.unique(np.concatenate([segment.gone for segment in segments]))
    alive = np.concatenate([segment.ids[mask] for segment, mask in zip(segments, live, strict=True)])
    name = new_folder(folder)
    path = folder / name
    try:
        _write(path, "gone", [] if first else [gone[~np.isin(gone, alive)]])
        _write_columns(path, segments, live, names, flag_names)
        for starts, flat in (("called_starts", "called"), ("tag_starts", "tags")):
            _write_sets(path, segments, live, starts, flat)
        _write_words(path, segments, live)
    except OSError as error:
        raise CatalogError(
            "gist_index",
            f"The index of gists in {folder} cannot be written ({error.strerror or error}). Free some space.",
        ) from error
    seal(path, names, flag_names)
    return Stored(name, len(alive))


def one_naming(every: Iterator[Sequence[str]] | Sequence[Sequence[str]]) -> list[str]:
    """All names, each once, in the order in which they come."""
    return list(dict.fromkeys(name for names in every for name in names))


def _write(path: Path, column: str, pieces: Sequence[Array]) -> None:
    with (path / column).open("wb") as stream:
        for piece in pieces:
            stream.write(np.ascontiguousarray(piece, ARRAYS[column]).tobytes())


def _write_columns(
    path: Path, segments: Sequence[Segment], live: Sequence[Mask], names: list[str], flag_names: list[str]
) -> None:
    pairs = list(zip(segments, live, strict=True))
    for column in ("ids", "models", "ratings", "creators", "titles", "lengths"):
        _write(path, column, [getattr(segment, column)[mask] for segment, mask in pairs])
    for column in ("kinds", "architectures", "families", "categories"):
        codes = [_codes(segment.names, names)[getattr(segment, column)[mask]] for segment, mask in pairs]
        _write(path, column, codes)
    _write(path, "flags", [turned(s.flags[mask], s.flag_names, flag_names) for s, mask in pairs])


def _codes(mine: Sequence[str], every: Sequence[str]) -> Array:
    place = {name: number for number, name in enumerate(every)}
    return np.array([place[name] for name in mine], "<u4")


def turned(flags: Array, mine: Sequence[str], every: Sequence[str]) -> Array:
    """Bits of ``mine`` as bits of ``every``; those beyond 64 are lost."""
    found = np.zeros(len(flags), "<u8")
    for place, name in enumerate(mine):
        to = every.index(name)
        if to < 64:
            found |= ((flags >> np.uint64(place)) & np.uint64(1)) << np.uint64(to)
    return found


def _write_sets(
    path: Path, segments: Sequence[Segment], live: Sequence[Mask], starts: str, flat: str
) -> None:
    counts, pieces = [], []
    for segment, mask in zip(segments, live, strict=True):
        lengths = np.diff(getattr(segment, starts))
        counts.append(lengths[mask])
        pieces.append(getattr(segment, flat)[np.repeat(mask, lengths)])
    _write(path, starts, [np.zeros(1, np.int64), np.cumsum(np.concatenate(counts))])
    _write(path, flat, pieces)


def _write_words(path: Path, segments: Sequence[Segment], live: Sequence[Mask]) -> None:
    """The words of all, a range of their numbers at a time; these are spread evenly."""
    moved = _moved(live)
    ranges = 1 + sum(len(segment.rows) for segment in segments) // _PAIRS
    bounds = [_ALL_WORDS * number // ranges for number in range(ranges + 1)]
    done = 0
    with ExitStack() as stack:
        write: dict[str, Callable[[Any], object]] = {
            name: stack.enter_context((path / name).open("wb")).write for name in ("words", "starts", "rows")
        }
        write["starts"](np.zeros(1, "<i8").tobytes())
        for low, high in pairwise(bounds):
            words, starts, rows = _range(segments, live, moved, low, high)
            write["words"](words.tobytes())
            write["starts"]((starts[1:] + done).tobytes())
            write["rows"](rows.tobytes())
            done += len(rows)


def _moved(live: Sequence[Mask]) -> list[Array]:
    """Row of a segment -> row of all, of live ones."""
    found, before = [], 0
    for mask in live:
        found.append((np.cumsum(mask) - 1 + before).astype("<i8"))
        before += int(np.count_nonzero(mask))
    return found


def _range(
    segments: Sequence[Segment], live: Sequence[Mask], moved: Sequence[Array], low: int, high: int
) -> tuple[Array, Array, Array]:
    words, rows = [], []
    for segment, mask, to in zip(segments, live, moved, strict=True):
        first, last = (int(np.searchsorted(segment.words, np.uint64(end))) for end in (low, high))
        begin, end = int(segment.starts[first]), int(segment.starts[last])
        mine = segment.rows[begin:end]
        kept = mask[mine]
        lengths = np.diff(segment.starts[first : last + 1])
        words.append(np.repeat(segment.words[first:last], lengths)[kept])
        rows.append(to[mine][kept].astype("<u4"))
    return inverted(np.concatenate(words), np.concatenate(rows))
