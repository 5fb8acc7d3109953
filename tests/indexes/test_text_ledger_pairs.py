"""Pairs of neighbouring words by bucket and chunk, against looking at every text."""

import sqlite3
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from indexer.indexes.text_ledger_pairs import PAIR_TABLE, entries_with, put_pairs, text_pairs

Fields = Sequence[Sequence[int]]

PLACES = range(2)
IDS = st.integers(1_015, 1_035)  # of two chunks
TEXTS = st.lists(st.lists(st.integers(0, 4), max_size=12), min_size=2, max_size=2)


def stored(connection: sqlite3.Connection, before: Mapping[int, Fields], now: Mapping[int, Fields]) -> None:
    def pairs(fields: Fields) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
        return text_pairs([np.array(words, np.uint32) for words in fields])

    put_pairs(
        connection,
        {id_: pairs(before.get(id_, ((), ()))) for id_ in now},
        {id_: pairs(fields) for id_, fields in now.items()},
    )


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(IDS, TEXTS, max_size=8), max_size=4), st.integers(1, 4), st.integers(1, 4))
def test_those_with_a_pair_are_found(steps: list[Mapping[int, Fields]], first: int, second: int) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute(PAIR_TABLE)
    held: dict[int, Fields] = {}
    for step in steps:
        stored(connection, held, step)
        held |= step
    found = entries_with(connection, first, second, PLACES)
    assert {place: ids.tolist() for place, ids in found.items()} == {
        place: sorted(i for i, fields in held.items() if (first, second) in pairwise(fields[place]))
        for place in PLACES
    }
    connection.close()


def test_a_row_that_is_damaged_tells_nothing() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute(PAIR_TABLE)
    stored(connection, {}, {5: ((1, 2), ()), 2_000: ((1, 2), ())})
    connection.execute("UPDATE pair SET body = X'000102' WHERE place & 4294967295 = 0")
    assert entries_with(connection, 1, 2, (0,))[0].tolist() == [2_000]
    stored(connection, {}, {6: ((1, 2), ())})
    assert entries_with(connection, 1, 2, (0,))[0].tolist() == [6, 2_000]
    connection.close()
