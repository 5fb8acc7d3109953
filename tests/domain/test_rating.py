"""Lower bounds of ratings."""

from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.rating import stars_lower_bound, thumbs_lower_bound

counts = st.integers(0, 10**6)


def test_three_fives_do_not_beat_a_thousand_good_ones() -> None:
    assert stars_lower_bound(5.0, 3) < stars_lower_bound(4.8, 1000)
    assert thumbs_lower_bound(3, 0) < thumbs_lower_bound(960, 40)


def test_nobody_asked_is_zero() -> None:
    assert stars_lower_bound(5.0, 0) == thumbs_lower_bound(0, 0) == 0.0


@given(counts, counts)
def test_thumbs_stay_below_the_share(up: int, down: int) -> None:
    bound = thumbs_lower_bound(up, down)
    assert 0.0 <= bound <= 5.0 * up / max(1, up + down) + 1e-9


@given(st.floats(0, 5), st.integers(1, 10**6))
def test_more_votes_of_the_same_mean_never_lower_the_bound(mean: float, count: int) -> None:
    if mean >= 3.5:
        assert stars_lower_bound(mean, count + 10) >= stars_lower_bound(mean, count) - 1e-9
