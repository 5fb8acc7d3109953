"""The quick shuffle against the slow one."""

from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.ordering import shuffled
from search.shuffling import shuffled_places

IDS = st.lists(st.integers(0, 2**63 - 1), unique=True, max_size=50)


@given(IDS, st.integers(0, 2**63 - 1))
def test_both_give_the_same_order(ids: list[int], seed: int) -> None:
    assert [ids[place] for place in shuffled_places(ids, seed)] == shuffled(ids, seed)
