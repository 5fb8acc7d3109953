"""Who has two words one after the other in a long field? Pairs of words as numbers, by bucket and by chunk.

A row holds, for 1,024 entries and the pairs of one bucket, numbers of 32 bits in order: which of the entries
(10 bits above) and what else is known of the pair (22 bits). A pair is looked up by reading the rows of its
bucket, one for each chunk: some 4 bytes for every pair that an entry has, once, whatever is looked for.
Bucket and number make 31 bits, so that of a million texts one is found by chance for every ten pairs or so.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = ["PAIR_TABLE", "entries_with", "put_pairs", "text_pairs"]

PAIR_TABLE = "CREATE TABLE pair (place INTEGER PRIMARY KEY, body BLOB NOT NULL)"

CHUNK = 1_024
"""Entries of a row; their number takes 10 bits."""

BUCKETS = 512

_TAG_BITS = 22
_TAG = (1 << _TAG_BITS) - 1
_CHUNK_BITS = 32
_GAP = 0

Numbers = NDArray[np.uint32]


def text_pairs(fields: Iterable[Numbers]) -> Numbers:
    """The pairs of neighbours in the words of some fields, each once, as numbers below 2**31: (n,) ascending.
    0 stands between two values, whose words are no neighbours."""
    found = [_mixed(place, words[:-1], words[1:]) for place, words in enumerate(fields)]
    return np.unique(np.concatenate([np.zeros(0, np.uint32), *found]))


def _mixed(place: int, first: Numbers, second: Numbers) -> Numbers:
    """Two words and their field in 31 bits, the lowest 9 of the words alone: one bucket has a pair of all
    fields. The constants are those of MurmurHash3's finalizer."""
    near = (first != _GAP) & (second != _GAP)
    a, b = first[near].astype(np.uint64), second[near].astype(np.uint64)
    mixed = a << np.uint64(32) | b
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        mixed = (mixed ^ mixed >> np.uint64(33)) * np.uint64(factor)
    mixed ^= mixed >> np.uint64(33)
    buckets = mixed % np.uint64(BUCKETS)
    tags = ((mixed >> np.uint64(9)) + np.uint64(place * 0x9E3779B1)) & np.uint64(_TAG)
    pairs: Numbers = (tags * np.uint64(BUCKETS) + buckets).astype(np.uint32)
    return pairs


def put_pairs(
    connection: sqlite3.Connection, before: Mapping[int, Numbers], now: Mapping[int, Numbers]
) -> None:
    """Store what pairs entries have ``now``; ``before`` are those they had, both by the same ids."""
    chunks: dict[int, list[int]] = {}
    for id_ in now:
        chunks.setdefault(id_ // CHUNK, []).append(id_)
    for chunk, ids in chunks.items():
        offsets = np.array([id_ % CHUNK for id_ in ids], np.uint32)
        gone = np.concatenate([before[id_] for id_ in ids])
        pairs = np.concatenate([now[id_] for id_ in ids])
        owners = np.repeat(offsets, [len(now[id_]) for id_ in ids])
        added = dict(
            _by_bucket(pairs % BUCKETS, owners << np.uint32(_TAG_BITS) | pairs // np.uint32(BUCKETS))
        )
        touched = {*np.unique(gone % BUCKETS).tolist(), *added}
        places = {bucket << _CHUNK_BITS | chunk: bucket for bucket in touched}
        kept = dict(_kept(connection, places, offsets))
        rows = [(place, _merged(kept.get(place), added.get(bucket))) for place, bucket in places.items()]
        connection.executemany("INSERT OR REPLACE INTO pair VALUES (?, ?)", sorted(rows))


def _by_bucket(buckets: Numbers, numbers: Numbers) -> Iterator[tuple[int, Numbers]]:
    order = np.lexsort((numbers, buckets))
    buckets, numbers = buckets[order], numbers[order]
    starts = np.flatnonzero(np.diff(buckets, prepend=BUCKETS))
    for start, some in zip(starts.tolist(), np.split(numbers, starts[1:]), strict=False):
        yield int(buckets[start]), some


def _kept(
    connection: sqlite3.Connection, places: Iterable[int], offsets: Numbers
) -> Iterator[tuple[int, Numbers]]:
    """What rows hold of other entries than those at the offsets."""
    for place in places:
        row = connection.execute("SELECT body FROM pair WHERE place = ?", (place,)).fetchone()
        if row and len(row[0]) % 4 == 0:
            numbers = np.frombuffer(row[0], np.uint32)
            yield place, numbers[~np.isin(numbers >> np.uint32(_TAG_BITS), offsets)]


def _merged(kept: Numbers | None, added: Numbers | None) -> bytes:
    parts = [some for some in (kept, added) if some is not None]
    return np.sort(np.concatenate([np.zeros(0, np.uint32), *parts])).tobytes()


def entries_with(
    connection: sqlite3.Connection, first: int, second: int, places: Iterable[int]
) -> dict[int, NDArray[np.int64]]:
    """Ids (n,), ascending, of entries that have the words with two numbers one after the other, by place of
    the field. Raises ``sqlite3.Error``."""
    one, two = np.array([first], np.uint32), np.array([second], np.uint32)
    wanted = {place: int(_mixed(place, one, two)[0]) for place in places}
    bucket = next(iter(wanted.values()), 0) % BUCKETS
    rows = connection.execute(
        "SELECT place, body FROM pair WHERE place BETWEEN ? AND ?",
        (bucket << _CHUNK_BITS, (bucket + 1 << _CHUNK_BITS) - 1),
    ).fetchall()
    rows = [(place, body) for place, body in rows if len(body) % 4 == 0]  # others are damaged
    chunks = np.array([place & (1 << _CHUNK_BITS) - 1 for place, _ in rows], np.int64)
    numbers = np.frombuffer(b"".join(body for _, body in rows), np.uint32)
    owners = np.repeat(chunks * CHUNK, [len(body) // 4 for _, body in rows])
    tags = numbers & np.uint32(_TAG)
    found = {place: np.flatnonzero(tags == pair // BUCKETS) for place, pair in wanted.items()}
    return {place: owners[some] + (numbers[some] >> np.uint32(_TAG_BITS)) for place, some in found.items()}
