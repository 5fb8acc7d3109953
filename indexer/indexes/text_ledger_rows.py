"""Layout of the ledger: blocks of 256 entries with the numbers of their values; words in order, as numbers.

A block is a sequence of pairs, by entry: which of the block's entries (1 byte), and a number of 64 bits that
holds the place of the field in ``CODED`` above the value's code. A text is a count of numbers for each field
of ``LONG_FIELDS`` and for all other searched fields together, and then the numbers, 32 bits each.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from indexer.domain.cards import CARD_FIELDS, WHOLE, Card, card_of
from indexer.domain.fields import FIELDS
from indexer.domain.filters import values_of
from indexer.domain.records import Document
from indexer.domain.text import words
from indexer.indexes.text_meilisearch_documents import coded_word

__all__ = [
    "BLOCK",
    "FIELD_BITS",
    "FORMAT",
    "LONG_FIELDS",
    "block_of",
    "card_row",
    "has_phrase",
    "long_numbers",
    "merged_block",
    "present_bits",
    "read_block",
    "read_card",
    "text_row",
    "word_numbers",
]

FORMAT = 3
BLOCK = 256
FIELD_BITS = 52
LONG_FIELDS = ("description", "prompt", "training")
"""Fields whose words are kept in order; of others the server itself knows phrases of two words."""

MAX_WORDS = 20_000
"""Words of a field that are kept, as many as the server gets."""

_HEAD = struct.Struct(f"<{len(LONG_FIELDS) + 1}I")
_SHORT_FIELDS = tuple(f.name for f in FIELDS.values() if f.weight is not None and f.name not in LONG_FIELDS)
_CARD = struct.Struct(f"<{WHOLE}q{len(CARD_FIELDS) - WHOLE}d")
_PAIR = 9
_GAP = 0
_GAP_BYTES = bytes(4)

Codes = Sequence[Sequence[int]]


def block_of(id_: int) -> int:
    """The block that an entry is in."""
    return id_ // BLOCK


def merged_block(body: bytes, number: int, entries: Mapping[int, Codes]) -> bytes:
    """A block with what ``entries`` became: codes by field of ``CODED``, none for those that are gone."""
    owners, numbers = read_block(body)
    places = np.fromiter((id_ % BLOCK for id_ in entries), np.uint8, len(entries))
    kept = ~np.isin(owners, places)
    more = [
        (id_ % BLOCK, place << FIELD_BITS | code)
        for id_, codes in entries.items()
        for place, some in enumerate(codes)
        for code in some
    ]
    all_owners = np.concatenate([owners[kept], np.array([owner for owner, _ in more], np.uint8)])
    all_numbers = np.concatenate([numbers[kept], np.array([one for _, one in more], np.int64)])
    order = np.lexsort((all_numbers, all_owners))
    return all_owners[order].tobytes() + all_numbers[order].tobytes()


def read_block(body: bytes) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Owners and numbers of a block, both (n,), by owner."""
    count = len(body) // _PAIR
    owners = np.frombuffer(body, np.uint8, count)
    return owners, np.frombuffer(body[count : count * _PAIR], np.int64, count)


def text_row(document: Document) -> bytes:
    """The words of an entry's long fields, and of the others."""
    parts = [b"".join(_numbers(values_of(document, FIELDS[name]))) for name in LONG_FIELDS]
    others = (value for name in _SHORT_FIELDS for value in values_of(document, FIELDS[name]))
    parts.append(b"".join(_numbers(tuple(others))))
    return _HEAD.pack(*(len(part) // 4 for part in parts)) + b"".join(parts)


def _numbers(values: Sequence[object]) -> Iterator[bytes]:
    left = MAX_WORDS
    for value in values:
        found = words(str(value))[:left]
        left -= len(found)
        yield from map(_number, map(coded_word, found))
        yield _GAP_BYTES


def word_numbers(terms: Sequence[str]) -> bytes:
    """What ``has_phrase`` looks for; of words as ``coded_word`` makes them."""
    return b"".join(map(_number, terms))


@lru_cache(100_000)
def _number(word: str) -> bytes:
    return max(1, crc32(word.encode("utf-8", "replace"))).to_bytes(4, "little")


def long_numbers(row: bytes) -> list[NDArray[np.uint32]]:
    """The words of each of ``LONG_FIELDS`` as numbers, 0 between two values; nothing of what is no row."""
    if len(row) < _HEAD.size:
        return []
    counts = _HEAD.unpack_from(row)
    ends = np.cumsum([_HEAD.size // 4, *counts[:-1]])
    if 4 * ends[-1] > len(row):
        return []
    return np.split(np.frombuffer(row, np.uint32, int(ends[-1])), ends[:-1])[1:]


def has_phrase(row: bytes, place: int, wanted: bytes) -> bool:
    """Whether an entry's field, by its place in ``LONG_FIELDS``, has numbers one after the other. Two words
    of one number are one in four thousand million."""
    if len(row) < _HEAD.size:
        return False
    counts = _HEAD.unpack_from(row)
    start = _HEAD.size + 4 * sum(counts[:place])
    end = start + 4 * counts[place]
    at = row.find(wanted, start, end)
    while at >= 0 and (at - start) % 4:
        at = row.find(wanted, at + 1, end)
    return at >= 0


def present_bits(row: bytes, wanted: Sequence[bytes]) -> int:
    """A bit for each of the numbers (bit 0 the first) that an entry has in any field."""
    have = set(memoryview(row[_HEAD.size :]).cast("I")) if len(row) % 4 == 0 else ()
    return sum(1 << place for place, number in enumerate(wanted) if int.from_bytes(number, "little") in have)


def card_row(document: Document) -> bytes:
    """A card as it is kept."""
    return _CARD.pack(*card_of(document).to_row())


def read_card(row: bytes) -> Card | None:
    """The card back; None for what is none."""
    return Card(*_CARD.unpack(row)) if len(row) == _CARD.size else None
