"""Ratings of all shapes as one lower bound."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.rating import NEUTRAL, rated, stars_lower_bound, thumbs_lower_bound

counts = st.integers(0, 10**6)
claims = st.fixed_dictionaries(
    {},
    optional={
        "rating": st.one_of(st.none(), st.floats(0, 5)),
        "rating_count": st.one_of(st.none(), counts),
        "thumbs_up": st.one_of(st.none(), counts),
        "thumbs_down": st.one_of(st.none(), counts),
    },
)
sources = st.sampled_from(("civitai", "sidecar:civitai.info", "huggingface", "list"))


def test_three_fives_do_not_beat_a_thousand_good_ones() -> None:
    assert stars_lower_bound(5.0, 3) < stars_lower_bound(4.8, 1000)
    assert thumbs_lower_bound(3, 0) < thumbs_lower_bound(960, 40)


def test_nobody_asked_is_neither_good_nor_bad() -> None:
    assert stars_lower_bound(1.0, 1) < NEUTRAL < stars_lower_bound(5.0, 1)
    assert thumbs_lower_bound(0, 1) < NEUTRAL < thumbs_lower_bound(1, 0)
    assert stars_lower_bound(5.0, 0) == thumbs_lower_bound(0, 0) == NEUTRAL


def test_stars_and_thumbs_speak_of_the_same_scale() -> None:
    assert thumbs_lower_bound(950, 50) == pytest.approx(stars_lower_bound(4.75, 1000), abs=0.01)


def test_ups_without_any_down_are_not_taken_for_perfection() -> None:
    assert thumbs_lower_bound(10_000, None) == thumbs_lower_bound(10_000, 0) < 4.9
    assert thumbs_lower_bound(10_000, 0) < stars_lower_bound(5.0, 10_000)


@given(counts, counts)
def test_an_up_never_lowers_and_a_down_never_raises(up: int, down: int) -> None:
    bound = thumbs_lower_bound(up, down)
    assert 0.0 <= bound <= 5.0
    assert thumbs_lower_bound(up + 1, down) >= bound - 1e-12
    assert thumbs_lower_bound(up, down + 1) <= bound + 1e-12


@given(st.floats(3.5, 5), counts)
def test_more_votes_of_the_same_good_mean_never_lower_the_bound(mean: float, count: int) -> None:
    assert stars_lower_bound(mean, count + 10) >= stars_lower_bound(mean, count) - 1e-9


@given(st.floats(0, 5), st.floats(0, 5), counts)
def test_more_stars_from_as_many_never_lower_the_bound(one: float, other: float, count: int) -> None:
    low, high = sorted((one, other))
    assert 0.0 <= stars_lower_bound(low, count) <= stars_lower_bound(high, count) <= 5.0


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        ([], None),
        ([("civitai", {"rating": 5.0, "rating_count": 0})], None),
        ([("civitai", {"thumbs_up": 0})], None),
        ([("civitai", {"rating": 4.0, "rating_count": 12})], 12),
        # A sidecar repeats its hub; a model's word stands in where its version has no votes.
        ([("civitai", {"thumbs_up": 50}), ("sidecar:civitai.info", {"thumbs_up": 49})], 50),
        ([("civitai", {"thumbs_up": 0}), ("civitai", {"thumbs_up": 900, "thumbs_down": 9})], 909),
        ([("civitai", {"thumbs_up": 8}), ("civitai", {"thumbs_up": 900, "thumbs_down": 9})], 8),
        # Stars that a hub turned into thumbs are the same people.
        ([("civitai", {"rating": 4.9, "rating_count": 7, "thumbs_up": 70})], 70),
        ([("civitai", {"thumbs_up": 5}), ("list", {"rating": 4.0, "rating_count": 6})], 11),
    ],
)
def test_each_hub_is_heard_once(rows: list[tuple[str, dict[str, Any]]], count: int | None) -> None:
    found = rated(rows)
    assert (found and found.count) == count


def test_downs_of_a_model_are_not_held_against_the_ups_of_a_version() -> None:
    rows = [("civitai", {"thumbs_up": 50}), ("civitai", {"thumbs_up": 9000, "thumbs_down": 400})]
    found = rated(rows)
    assert found is not None
    assert found.stars == pytest.approx(thumbs_lower_bound(50, None), abs=1e-4)


def test_two_hubs_that_agree_are_surer_than_one() -> None:
    one = ("civitai", {"rating": 4.8, "rating_count": 20})
    bounds = [rated(rows) for rows in ([one], [one, ("list", dict(one[1]))])]
    assert all(low and high and low.stars < high.stars for low, high in pairwise(bounds))


@given(st.lists(st.tuples(sources, claims), max_size=4))
def test_a_rating_is_stars_by_people(rows: list[tuple[str, dict[str, Any]]]) -> None:
    found = rated(rows)
    assert found is None or (0.0 <= found.stars <= 5.0 and found.count > 0)
