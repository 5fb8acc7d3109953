"""Which vectors belong to which entries."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.indexes.vector_owners import Owners

PAIRS = st.dictionaries(
    st.integers(0, 30), st.integers(0, 12) | st.sampled_from([10**9, 10**12]), max_size=20
)


@given(PAIRS, st.lists(st.integers(-3, 14) | st.just(10**12), max_size=9))
def test_owners_agree_with_a_dictionary(pairs: dict[int, int], wanted: list[int]) -> None:
    owners = Owners(np.array(sorted(pairs.items(), reverse=True), np.int64).reshape(-1, 2))
    some = np.array(wanted, np.int64)
    assert owners.vectors_of(some).tolist() == sorted(id_ for id_, owner in pairs.items() if owner in wanted)
    assert owners.of(some).tolist() == [pairs.get(id_, -1) for id_ in wanted]
    assert len(owners) == len(pairs)


@pytest.mark.parametrize("highest", [10, 10**15])
def test_no_table_is_made_for_a_huge_id(highest: int) -> None:
    owners = Owners(np.array([[1, highest], [2, 3]], np.int64))
    assert owners.vectors_of(np.array([highest, 99], np.int64)).tolist() == [1]
