"""Scores that say how rare a cosine is."""

import numpy as np
import pytest

from search.calibration import LEAST, calibrated

RNG = np.random.default_rng(0)
AT_LARGE = RNG.normal(0.2, 0.05, 20_000)


@pytest.mark.parametrize(("share", "score"), [(0.1, 0.25), (0.01, 0.5), (0.001, 0.75)])
def test_a_score_is_the_rarity(share: float, score: float) -> None:
    cosine = np.quantile(AT_LARGE, 1 - share)
    assert calibrated(np.array([cosine]), AT_LARGE)[0] == pytest.approx(score, abs=0.02)


def test_many_that_fit_do_not_hide_each_other() -> None:
    mixed = np.concatenate([AT_LARGE, RNG.normal(0.5, 0.02, 6_000)])
    assert calibrated(np.array([0.5]), mixed)[0] > 0.9


def test_scores_rise_with_cosines_within_bounds() -> None:
    scores = calibrated(np.linspace(-1, 1, 201), AT_LARGE)
    assert (np.diff(scores) >= 0).all()
    assert scores[0] == pytest.approx(0, abs=1e-6) and scores[-1] == 1


def test_the_same_picture_is_a_full_score_even_where_all_are_alike() -> None:
    assert calibrated(np.array([0.9995]), RNG.normal(0.99, 0.02, 100))[0] == 1


def test_few_pictures_tell_nothing_of_rarity() -> None:
    np.testing.assert_allclose(calibrated(np.array([-0.2, 0.3]), np.zeros(LEAST - 1)), [0, 0.3])
