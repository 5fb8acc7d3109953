"""Strangers' JSON is cut to bounds; what is small is known to be so without being copied."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.parsers import table_claims
from indexer.parsers.fields import MAX_TEXT, MAX_WORDS
from indexer.parsers.table_claims import Warnings, bounded

TEXTS = st.sampled_from(["", "ink", "a,b,c", "\ud800", "x" * MAX_TEXT, "x" * (MAX_TEXT + 1), "," * MAX_WORDS])
LONG = st.integers(MAX_WORDS - 1, MAX_WORDS + 2).map(lambda count: [0] * count)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS | LONG,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@given(VALUES)
def test_the_fast_way_equals_the_slow_one(value: Any) -> None:
    fast, slow = Warnings(), Warnings()
    assert bounded(value, fast) == table_claims._cut(value, slow)
    assert list(fast) == list(slow)


@pytest.mark.parametrize("keys", [10_000, 10_001])
def test_objects_of_many_keys(keys: int) -> None:
    warnings = Warnings()
    assert len(bounded({str(key): 0 for key in range(keys)}, warnings)) == 10_000
    assert bool(list(warnings)) is (keys > 10_000)


def test_a_small_value_is_not_copied() -> None:
    value = {"tags": ["ink"], "id": 7}
    assert bounded(value, Warnings()) is value
