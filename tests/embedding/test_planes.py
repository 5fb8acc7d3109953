"""Lab conversion and region statistics, against their definitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from indexer.embedding import planes

PLANES = arrays.arrays(
    np.float32,
    st.tuples(st.integers(2, 20), st.integers(2, 20)),
    elements=st.floats(-50, 50, width=32),
)
# CIE L*a*b* (D65) of sRGB colours as published in colour tables
KNOWN = {
    (255, 255, 255): (100.0, 0.0, 0.0),
    (0, 0, 0): (0.0, 0.0, 0.0),
    (255, 0, 0): (53.24, 80.09, 67.20),
    (0, 255, 0): (87.73, -86.18, 83.18),
    (0, 0, 255): (32.30, 79.19, -107.86),
    (119, 119, 119): (50.03, 0.0, 0.0),
}


@pytest.mark.parametrize("colour", KNOWN)
def test_known_colours_have_their_lab_values(colour: tuple[int, int, int]) -> None:
    found = planes.lab_planes(np.array([[colour]], np.uint8))[:, 0, 0]
    np.testing.assert_allclose(found, KNOWN[colour], atol=0.7)


def slow_quarters(values: np.ndarray) -> list[np.ndarray]:
    """The whole, then the four quarters, the upper and left ones taking an odd middle."""
    rows, columns = (values.shape[0] + 1) // 2, (values.shape[1] + 1) // 2
    return [
        values,
        values[:rows, :columns],
        values[:rows, columns:],
        values[rows:, :columns],
        values[rows:, columns:],
    ]


@settings(max_examples=40, deadline=None)
@given(values=PLANES)
def test_region_statistics_equal_those_of_slices(values: np.ndarray) -> None:
    slices = slow_quarters(values)
    sums = [[part.sum(dtype=np.float64)] for part in slices]
    np.testing.assert_allclose(planes.region_sums(values), sums, atol=1e-3)
    index = planes.binned(values, -50, 50, 5)
    counts = [np.bincount(part.ravel(), minlength=5) for part in slow_quarters(index)]
    np.testing.assert_array_equal(planes.region_histogram(index, 5), counts)
    soft = planes.soft_histogram(values, -50, 50, 7)
    np.testing.assert_allclose(soft.sum(1), [part.size for part in slices], rtol=1e-5)


@settings(max_examples=40, deadline=None)
@given(values=PLANES)
def test_moments_equal_numpy(values: np.ndarray) -> None:
    found = planes.moments(values)
    for row, part in zip(found, slow_quarters(values), strict=True):
        assert row[0] == pytest.approx(part.mean(dtype=np.float64), abs=1e-3)
        assert row[1] == pytest.approx(max(part.std(dtype=np.float64), 1e-3**0.5), abs=0.05)
    assert np.isfinite(found).all()


def test_skewness_has_the_sign_of_the_tail() -> None:
    plane = np.zeros((40, 40), np.float32)
    plane[::5, ::5] = 10
    assert (planes.moments(plane)[:, 2] > 1).all()
    assert (planes.moments(-plane)[:, 2] < -1).all()


def test_half_averages_and_drops_the_odd_edge() -> None:
    plane = np.arange(15, dtype=np.float32).reshape(3, 5)
    np.testing.assert_allclose(planes.half(plane), [[3, 5]])


def test_shares_of_nothing_are_nothing() -> None:
    assert planes.shares(np.zeros((5, 3))).sum() == 0
    np.testing.assert_allclose((planes.root_shares(np.ones((5, 4))) ** 2).sum(1), 1)
