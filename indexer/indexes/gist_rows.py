"""Columns of many entries: what a move plan compares, a row an entry, and which rows have a word.

Words are numbers of 32 bits (CRC-32): of a million some share theirs by chance, which a likeness survives.
Sets of words that are looked at row by row lie behind each other with their starts (compressed sparse rows);
words that are looked for lie turned round: each word with its rows, ascending.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from hashlib import blake2b
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from indexer.domain.filters import keyword
from indexer.domain.gist import called, shared_tags, spoken, title_words
from indexer.domain.records import Document

__all__ = ["ARRAYS", "NO_RATING", "Segment", "build_segment", "digest", "inverted", "term"]

Array = NDArray[Any]

NO_RATING = -1.0
_TERMS = 500_000
"""Words whose numbers are remembered while a segment is made."""
_FLAGS = 64


@dataclass(frozen=True, slots=True)
class Segment:
    """The columns of some entries, in the order in which they were read.

    Codes are places in ``names``, 0 for nothing; bit ``n`` of ``flags`` is the ``n``-th of ``flag_names``.
    ``gone`` are ids that are entries no more. Ratings are stars, -1 unknown. ``creators`` and ``titles`` are
    ``digest`` numbers, 0 for none; ``lengths`` are words of the title.
    """

    names: tuple[str, ...]
    flag_names: tuple[str, ...]
    gone: Array
    ids: Array
    models: Array
    kinds: Array
    architectures: Array
    families: Array
    categories: Array
    flags: Array
    ratings: Array
    creators: Array
    titles: Array
    lengths: Array
    called_starts: Array
    called: Array
    tag_starts: Array
    tags: Array
    words: Array
    starts: Array
    rows: Array

    def __len__(self) -> int:
        return len(self.ids)


ARRAYS: Mapping[str, str] = {
    **dict.fromkeys(("gone", "ids", "models", "starts", "called_starts", "tag_starts"), "<i8"),
    **dict.fromkeys(("kinds", "architectures", "families", "categories"), "<u4"),
    **dict.fromkeys(("flags", "creators", "titles"), "<u8"),
    "ratings": "<f4",
    "lengths": "<u2",
    **dict.fromkeys(("called", "tags", "words", "rows"), "<u4"),
}
"""Column -> its numbers, as numpy names them."""

assert set(ARRAYS) == {field.name for field in fields(Segment)} - {"names", "flag_names"}


def term(word: str) -> int:
    """The number of a word or a tag."""
    return crc32(word.encode("utf-8", "surrogatepass"))


def digest(*parts: str) -> int:
    """The number of a title or a creator, 64 bits; never 0."""
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "little") or 1


class _Terms(dict[str, int]):
    """Numbers of words, remembered."""

    def __missing__(self, word: str) -> int:
        if len(self) > _TERMS:
            self.clear()
        value = self[word] = term(word)
        return value


class _Codes(dict[str, int]):
    """Strings, numbered as they come."""

    def __missing__(self, name: str) -> int:
        value = self[name] = len(self)
        return value


def build_segment(changes: Iterable[tuple[int, Document | None]]) -> Segment:
    """The segment of what entries became; None: an entry no more. Of several of one id the last counts."""
    last = dict(changes)
    documents = [document for document in last.values() if document is not None]
    terms, names, flags = _Terms(), _Codes({"": 0}), _Codes()
    titles = [tuple(sorted(title_words(document.name))) for document in documents]
    said = [[terms[word] for word in spoken(document)] for document in documents]
    called_starts, called_words = _flat([[terms[word] for word in called(d)] for d in documents])
    tag_starts, tags = _flat([[terms[tag] for tag in shared_tags(d)] for d in documents])
    words, starts, rows = inverted(*_pairs(said))
    columns: dict[str, Iterable[float]] = {
        "gone": [id_ for id_, document in last.items() if document is None],
        "ids": [document.id for document in documents],
        "models": [document.model_id for document in documents],
        "kinds": [names[document.kind] for document in documents],
        "architectures": [names[document.architecture or ""] for document in documents],
        "families": [names[document.family or ""] for document in documents],
        "categories": [names[document.category or ""] for document in documents],
        "flags": [_bits(flags[flag] for flag in document.flags) for document in documents],
        "ratings": [NO_RATING if d.rating is None else d.rating for d in documents],
        "creators": [digest(keyword(d.creator)) if d.creator else 0 for d in documents],
        "titles": [digest(*title) if title else 0 for title in titles],
        "lengths": [len(title) for title in titles],
    }
    made = {name: np.array(values, ARRAYS[name]) for name, values in columns.items()}
    return Segment(
        tuple(names),
        tuple(flags)[:_FLAGS],
        called_starts=called_starts,
        called=called_words,
        tag_starts=tag_starts,
        tags=tags,
        words=words,
        starts=starts,
        rows=rows,
        **made,
    )


def _bits(places: Iterable[int]) -> int:
    return sum({1 << place for place in places if place < _FLAGS})


def _flat(lists: Sequence[Sequence[int]]) -> tuple[Array, Array]:
    """Starts (n + 1) and the numbers themselves, those of each list ascending."""
    starts = np.zeros(len(lists) + 1, "<i8")
    np.cumsum([len(one) for one in lists], out=starts[1:])
    flat = array("I")
    for one in lists:
        flat.extend(sorted(one))
    return starts, np.array(flat, "<u4")


def _pairs(lists: Sequence[Sequence[int]]) -> tuple[Array, Array]:
    """Words, and the row of each."""
    flat = array("I")
    for one in lists:
        flat.extend(one)
    counts = np.array([len(one) for one in lists], np.int64)
    return np.array(flat, "<u4"), np.repeat(np.arange(len(lists), dtype="<u4"), counts)


def inverted(words: Array, rows: Array) -> tuple[Array, Array, Array]:
    """Pairs of words and rows turned round: words ascending, starts (n + 1), and rows, ascending a word."""
    keys = np.sort((words.astype("<u8") << np.uint64(32)) | rows.astype("<u8"))
    every = (keys >> np.uint64(32)).astype("<u4")
    firsts = np.flatnonzero(np.diff(every, prepend=every[:1] ^ np.uint32(1))) if len(every) else keys[:0]
    starts = np.append(firsts, len(every)).astype("<i8")
    return every[firsts.astype(np.int64)], starts, (keys & np.uint64(0xFFFFFFFF)).astype("<u4")
