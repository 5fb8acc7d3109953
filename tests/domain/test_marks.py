"""A person's own marks: changing, merging, and their form as plain data."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.marks import (
    NO_MARKS,
    Change,
    Marks,
    Opinion,
    changed,
    from_data,
    merged,
    stars,
    to_data,
)

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)

STARS = st.none() | st.integers(0, 10).map(lambda half: half / 2)
OPINIONS = st.builds(Opinion, STARS, st.sampled_from(["", "good light", "too dark"])).filter(
    lambda opinion: opinion != Opinion()
)
MARKS = st.builds(
    Marks,
    st.none() | st.booleans(),
    st.none() | st.booleans(),
    st.dictionaries(st.sampled_from(["", "portrait", "landscape"]), OPINIONS),
    st.lists(st.sampled_from(["comic", "ink", "to try"]), unique=True).map(tuple),
    st.integers(0, 1000).map(lambda hours: NOON + timedelta(hours=hours)),
)


def test_a_change_touches_only_what_it_names() -> None:
    rated = changed(NO_MARKS, Change(rating=4.5, note="soft", purpose="portrait", tag=("Comic",)), NOON)
    assert rated.opinions == {"portrait": Opinion(4.5, "soft")}
    assert (rated.favourite, rated.seen, rated.tags, rated.at) == (None, None, ("Comic",), NOON)
    seen = changed(rated, Change(seen=True, rating=3.0, tag=("comic", "ink")), NOON)
    assert (seen.rating, seen.tags) == (3.75, ("Comic", "ink"))
    less = changed(seen, Change(unrate=True, note="", purpose="portrait", untag=("COMIC",)), NOON)
    assert (less.opinions, less.tags, less.rating) == ({"": Opinion(3.0)}, ("ink",), 3.0)


def test_a_change_that_changes_nothing_is_none() -> None:
    marks = changed(NO_MARKS, Change(favourite=True), NOON)
    assert changed(marks, Change(favourite=True), NOON + timedelta(days=1)) is marks
    assert changed(NO_MARKS, Change(untag=("x",)), NOON) is NO_MARKS


def test_the_later_word_counts_and_nothing_written_is_lost() -> None:
    early = Marks(True, True, {"": Opinion(2.0, "first"), "portrait": Opinion(5.0)}, ("a",), NOON)
    late = Marks(False, None, {"": Opinion(4.0, "second")}, ("b", "A"), NOON + timedelta(days=1))
    assert merged(early, late) == Marks(
        False,
        True,
        {"": Opinion(4.0, "first\n\nsecond"), "portrait": Opinion(5.0)},
        ("b", "A"),
        late.at,
    )


@given(MARKS, MARKS)
def test_merging_again_changes_nothing(one: Marks, other: Marks) -> None:
    both = merged(one, other)
    assert merged(both, one) == merged(both, other) == merged(both, both) == both
    assert merged(one, NO_MARKS) == one


@given(MARKS)
def test_marks_survive_json(marks: Marks) -> None:
    assert from_data(json.loads(json.dumps(to_data(marks)))) == marks


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"favourite": "yes"}, "favourite is 'yes', not true, false or null"),
        ({"opinions": [{"rating": 4.7}]}, "a rating is 4.7; it is 0 to 5 in steps of a half, such as 4.5"),
        ({"opinions": [{"rating": True}]}, "a rating is True; it is 0 to 5 in steps of a half, such as 4.5"),
        ({"opinions": {}, "tags": {"a": 1}}, "tags is {'a': 1}, not a list of at most 1,000"),
        ({"tags": [5]}, "a tag is 5, not a text"),
        ({"opinions": [{"note": "x" * 10_001}]}, "a note has 10,001 characters; at most 10,000 are kept"),
        ({"at": "soon"}, "at is 'soon', no moment such as 2026-01-31T12:00:00+00:00"),
    ],
)
def test_what_is_wrong_is_told(data: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError) as fault:
        from_data(data)
    assert str(fault.value) == told


@pytest.mark.parametrize("value", [-0.5, 5.5, float("nan"), float("inf"), "4", 4.25])
def test_stars_come_in_halves(value: Any) -> None:
    with pytest.raises(ValueError):
        stars(value)
