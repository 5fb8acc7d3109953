"""Orders of answers."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.ordering import shuffled, sort_key
from indexer.domain.records import Document
from indexer.indexes.text import ORDERS
from tests.strategies import documents


def in_order(found: list[Document], order: str, seed: int = 0) -> list[int]:
    return [document.id for document in sorted(found, key=lambda d: sort_key(d, order, seed))]


@given(found=st.lists(documents(), max_size=6), data=st.data())
def test_an_order_does_not_depend_on_where_one_begins(found: list[Document], data: st.DataObject) -> None:
    mixed = data.draw(st.permutations(found))
    for order in ORDERS:
        assert in_order(found, order) == in_order(mixed, order), order


@pytest.mark.parametrize(
    ("order", "attribute", "low", "high"),
    [
        ("newest", "created", "2023-12-31", "2024-01-01"),
        ("updated", "updated", "2023-12-31", "2024-01-01"),
        ("rating", "rating", 0.0, 4.5),
        ("downloads", "downloads", 0, 1),
        ("size", "size", 1, 10**12),
    ],
)
def test_most_first_unknown_last_ties_by_id(order: str, attribute: str, low: object, high: object) -> None:
    values = {1: None, 2: low, 3: high, 4: high}
    found = [Document(id_, id_, "x", **{attribute: value}) for id_, value in values.items()]  # type: ignore[arg-type]
    assert in_order(found, order) == [3, 4, 2, 1]


def test_names_are_ordered_as_people_read_them() -> None:
    names = ("zebra", "Éclair", "ink", "Ink 2", "apple")
    found = [Document(id_, id_, name) for id_, name in enumerate(names)]
    assert [names[id_] for id_ in in_order(found, "name")] == ["apple", "Éclair", "ink", "Ink 2", "zebra"]


@given(st.sets(st.integers(0, 2**62), max_size=50), st.integers(0, 2**31))
def test_shuffled_is_the_random_order_and_holds_whatever_else_is_there(ids: set[int], seed: int) -> None:
    mixed = shuffled(ids, seed)
    assert mixed == in_order([Document(id_, id_, "x") for id_ in ids], "random", seed)
    some = {id_ for id_ in ids if id_ % 2}
    assert shuffled(sorted(some, reverse=True), seed) == [id_ for id_ in mixed if id_ in some]


def test_each_seed_gives_another_even_order() -> None:
    orders = [shuffled(range(1000), seed) for seed in range(50)]
    assert len({tuple(order) for order in orders}) == 50
    firsts = [order.index(7) for order in orders]
    assert 350 < sum(firsts) / len(firsts) < 650
    assert orders[0] != sorted(orders[0], key=lambda id_: random.Random(id_).random())


def test_an_unknown_order_is_told() -> None:
    with pytest.raises(ValueError, match="No order is called 'best'"):
        sort_key(Document(1, 1, "x"), "best")
