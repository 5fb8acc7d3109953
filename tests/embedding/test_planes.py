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
    index = planes.binned(values, -50, 50, 5)
    counts = [np.bincount(part.ravel(), minlength=5) for part in slow_quarters(index)]
    np.testing.assert_array_equal(planes.region_histogram(index, 5), counts)
    pair = np.stack([values, values * 2])
    products = [(part.astype(np.float64) ** 2).sum() for part in slow_quarters(values)]
    np.testing.assert_allclose(
        planes.region_products(pair)[:, 0, 1], 2 * np.array(products), rtol=1e-3, atol=1e-2
    )


def test_half_averages_and_drops_the_odd_edge() -> None:
    plane = np.arange(15, dtype=np.float32).reshape(3, 5)
    np.testing.assert_allclose(planes.half(plane), [[3, 5]])


def test_shares_of_nothing_are_nothing() -> None:
    assert planes.shares(np.zeros((5, 3))).sum() == 0
    np.testing.assert_allclose((planes.root_shares(np.ones((5, 4))) ** 2).sum(1), 1)
