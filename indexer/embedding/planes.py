"""Pixels to CIE Lab planes and to statistics of regions: the arithmetic under the weights-free descriptors.

Every statistic comes for five regions at once, as rows of a (5, n) array: the whole picture, then its upper
left, upper right, lower left and lower right quarter. What differs between the quarters of one picture is
what it shows, not how it is drawn: they tell a ``StyleSpace`` which directions to distrust.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Plane",
    "Regions",
    "binned",
    "half",
    "lab_planes",
    "length",
    "moments",
    "quarters",
    "region_histogram",
    "region_means",
    "region_sums",
    "root_shares",
    "shares",
    "soft_histogram",
]

Plane = NDArray[np.float32]  # (..., rows, columns)
Regions = NDArray[np.float64]  # (5, n)

LEVELS = 4096
# IEC 61966-2-1 (sRGB) to linear light; Rec. 709 primaries to XYZ over the D65 white point
_SRGB = np.arange(256) / 255.0
LINEAR = np.where(_SRGB > 0.04045, ((_SRGB + 0.055) / 1.055) ** 2.4, _SRGB / 12.92).astype(np.float32)
WHITE = np.array([0.95047, 1.0, 1.08883])
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
TO_WHITE_XYZ = (TO_XYZ / WHITE[:, None]).astype(np.float32)
# CIE 15: the cube root with its linear toe, as a table over 0..1
_STEPS = (np.arange(LEVELS + 1) + 0.5) / LEVELS
ROOT = np.where(_STEPS > 0.008856, np.cbrt(_STEPS), 7.787 * _STEPS + 16 / 116).astype(np.float32)


def lab_planes(rgb: NDArray[np.uint8]) -> Plane:
    """(rows, columns, 3) sRGB to (3, rows, columns) CIE L*a*b*: L 0..100, a and b about -100..100."""
    light = LINEAR[rgb].reshape(-1, 3) @ TO_WHITE_XYZ.T
    x, y, z = ROOT[np.minimum((light * LEVELS).astype(np.int32), LEVELS)].T.reshape(3, *rgb.shape[:2])
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def length(right: Plane, down: Plane) -> Plane:
    """Euclidean length; several times faster than ``np.hypot``, which guards against overflow."""
    return np.asarray(np.sqrt(right * right + down * down), np.float32)


def half(plane: Plane) -> Plane:
    """Half the rows and columns, each value the mean of four; an odd last row or column is dropped."""
    rows, columns = plane.shape[-2] // 2 * 2, plane.shape[-1] // 2 * 2
    even = plane[..., :rows, :columns]
    upper, lower = even[..., ::2, :], even[..., 1::2, :]
    total = upper[..., ::2] + upper[..., 1::2] + lower[..., ::2] + lower[..., 1::2]
    return np.asarray(total * np.float32(0.25), np.float32)


@lru_cache(maxsize=64)
def quarters(rows: int, columns: int) -> NDArray[np.intp]:
    """(rows, columns) of 0..3: which quarter a pixel is in. Shared: do not change it."""
    down, right = np.arange(rows) * 2 // rows, np.arange(columns) * 2 // columns
    quarter = (down[:, None] * 2 + right[None, :]).astype(np.intp)
    quarter.setflags(write=False)
    return quarter


def _with_whole(four: NDArray[Any]) -> Regions:
    return np.concatenate([four.sum(0, keepdims=True), four]).astype(np.float64)


def region_histogram(index: NDArray[np.integer], size: int, weight: Plane | None = None) -> Regions:
    """(5, size) counts, or sums of ``weight``, of ``index`` values 0..size-1 (rows, columns)."""
    place = quarters(*index.shape) * size + index
    flat = None if weight is None else weight.ravel()
    return _with_whole(np.bincount(place.ravel(), flat, 4 * size).reshape(4, size))


def region_means(index: NDArray[np.integer], size: int, values: Plane) -> Regions:
    """(5, size) means of ``values`` over the pixels of each ``index`` value; 0 where there are none."""
    return region_histogram(index, size, values) / (region_histogram(index, size) + 1.0)


def binned(values: Plane, low: float, high: float, size: int) -> NDArray[np.intp]:
    """Which of ``size`` equal bins of low..high each value falls in; outliers count for the last bins."""
    place = (values - np.float32(low)) * np.float32(size / (high - low))
    index: NDArray[np.intp] = np.clip(place, 0, size - 1).astype(np.intp)
    return index


def soft_histogram(values: Plane, low: float, high: float, size: int) -> Regions:
    """(5, size): like a histogram, but each value shared between its two nearest bin centres."""
    place = np.clip((values - np.float32(low)) * np.float32((size - 1) / (high - low)), 0, size - 1.001)
    left = place.astype(np.intp)
    part = place - left
    return region_histogram(left, size, 1 - part) + region_histogram(left + 1, size, part)


def shares(histogram: Regions) -> Regions:
    """Rows scaled to sum to 1; an empty row stays 0."""
    return np.asarray(histogram / np.maximum(histogram.sum(1, keepdims=True), 1e-9))


def root_shares(histogram: Regions) -> Regions:
    """Square roots of ``shares``, whose Euclidean distance is Hellinger's."""
    return np.asarray(np.sqrt(shares(histogram)))


def region_sums(values: Plane) -> Regions:
    """(5, 1) sums, by the same quarters as ``quarters`` gives, without an index."""
    down, right = (values.shape[0] + 1) // 2, (values.shape[1] + 1) // 2
    upper, lower = values[:down], values[down:]
    parts = (upper[:, :right], upper[:, right:], lower[:, :right], lower[:, right:])
    return _with_whole(np.array([[part.sum(dtype=np.float64)] for part in parts]))


def moments(values: Plane) -> Regions:
    """(5, 4): mean, standard deviation, skewness within 6, and log of kurtosis + 1."""
    middle = float(values.mean())
    once = values - np.float32(middle)
    square = once * once
    counts = region_sums(np.ones_like(once))
    powers = (once, square, square * once, square * square)
    m1, m2, m3, m4 = (region_sums(power)[:, 0] / counts[:, 0] for power in powers)
    variance = np.maximum(m2 - m1 * m1, 1e-3)
    skewness = (m3 - 3 * m1 * m2 + 2 * m1**3) / variance**1.5
    kurtosis = (m4 - 4 * m1 * m3 + 6 * m1 * m1 * m2 - 3 * m1**4) / variance**2
    columns = [m1 + middle, np.sqrt(variance), np.clip(skewness, -6, 6), np.log(np.maximum(kurtosis, 0) + 1)]
    return np.stack(columns, 1)
