"""Typing errors: counted, and undone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.typos import distance, edits, tolerance

words = st.text("abcd", min_size=0, max_size=7)


@pytest.mark.parametrize(
    ("one", "other", "errors"),
    [
        ("harbour", "harbour", 0),
        ("harbour", "harbor", 1),
        ("harbour", "harbuor", 1),  # swapped
        ("harbour", "jarboor", 2),
        ("harbour", "harvest", 3),  # more than two
        ("", "ab", 2),
        ("ab", "ba", 1),
    ],
)
def test_distance(one: str, other: str, errors: int) -> None:
    assert distance(one, other, 2) == distance(other, one, 2) == errors


def slowly(one: str, other: str) -> int:
    """The whole table of optimal string alignment, as it is defined."""
    if not one or not other:
        return len(one) + len(other)
    cost = min(
        slowly(one[:-1], other) + 1,
        slowly(one, other[:-1]) + 1,
        slowly(one[:-1], other[:-1]) + (one[-1] != other[-1]),
    )
    if len(one) > 1 and len(other) > 1 and one[-1] == other[-2] and one[-2] == other[-1]:
        cost = min(cost, slowly(one[:-2], other[:-2]) + 1)
    return cost


@given(st.text("abc", max_size=5), st.text("abc", max_size=5), st.integers(0, 3))
def test_distance_is_the_smallest_number_of_errors(one: str, other: str, most: int) -> None:
    assert distance(one, other, most) == min(slowly(one, other), most + 1)


@given(words)
def test_edits_are_one_error_away(word: str) -> None:
    assert all(distance(word, edit, 1) <= 1 for edit in edits(word, len(word)))


@pytest.mark.parametrize(
    ("word", "meant"),
    [("hrabour", "harbour"), ("arbour", "harbour"), ("hharbour", "harbour"), ("jarbour", "harbour")],
)
def test_edits_undo_an_error_among_the_first_letters(word: str, meant: str) -> None:
    assert meant in set(edits(word, 4))


@pytest.mark.parametrize(
    ("word", "errors"), [("xl", 0), ("2024", 0), ("ink", 1), ("tattoo", 1), ("harbour", 2)]
)
def test_short_words_and_numbers_are_taken_as_typed(word: str, errors: int) -> None:
    assert tolerance(word) == errors
