"""Fine histograms against the pixels they count."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from indexer.embedding.counting import Line, count_line, log_bins, log_centres
from tests.embedding.test_planes import slow_quarters

LINE = Line(-51, 51, 1021)
PLANES = arrays.arrays(
    np.float32, st.tuples(st.integers(2, 20), st.integers(2, 20)), elements=st.floats(-50, 50, width=32)
)


@settings(max_examples=40, deadline=None)
@given(values=PLANES)
def test_moments_equal_numpy_to_the_width_of_a_bin(values: np.ndarray) -> None:
    found = count_line(values, LINE).moments()
    for row, part in zip(found, slow_quarters(values), strict=True):
        assert row[0] == pytest.approx(part.mean(dtype=np.float64), abs=0.06)
        assert row[1] == pytest.approx(max(part.std(dtype=np.float64), 1e-3**0.5), abs=0.12)
    assert np.isfinite(found).all()


def test_skewness_has_the_sign_of_the_tail() -> None:
    plane = np.zeros((40, 40), np.float32)
    plane[::5, ::5] = 10
    assert (count_line(plane, LINE).moments()[:, 2] > 1).all()
    assert (count_line(-plane, LINE).moments()[:, 2] < -1).all()


@settings(max_examples=40, deadline=None)
@given(values=PLANES)
def test_a_soft_histogram_counts_every_pixel_near_its_value(values: np.ndarray) -> None:
    counted = count_line(values, LINE)
    soft = counted.soft(-50, 50, 11)
    np.testing.assert_allclose(soft.sum(1), [part.size for part in slow_quarters(values)])
    mean = soft[0] @ np.linspace(-50, 50, 11) / values.size
    assert mean == pytest.approx(values.mean(dtype=np.float64), abs=0.1)


def test_what_lies_outside_counts_for_the_last_bins() -> None:
    counts = count_line(np.array([[-1e6, 1e6], [0, 0]], np.float32), LINE).counts[0]
    assert (counts[0], counts[-1], counts[510]) == (1, 1, 2)


@given(value=st.floats(0.125, 1000, width=32))
def test_bins_of_equal_ratio_are_a_logarithm(value: float) -> None:
    (index,) = log_bins(np.array([value], np.float32), 0.125)
    assert log_centres(0.125, 1000)[index] == pytest.approx(np.log(value), abs=1 / 64)
