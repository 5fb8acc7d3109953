"""Pixels to CIE Lab planes and to statistics of regions: the arithmetic under the weights-free descriptors.

Every statistic comes for five regions at once, as rows of a (5, n) array: the whole picture, then its upper
left, upper right, lower left and lower right quarter. What differs between the quarters of one picture is
what it shows, not how it is drawn: they tell a ``StyleSpace`` which directions to distrust.
"""

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
    "quarters",
    "region_histogram",
    "region_means",
    "region_products",
    "root_shares",
    "shares",
    "with_whole",
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
TO_WHITE_XYZ = (TO_XYZ / WHITE[:, None] * LEVELS).astype(np.float32)
# CIE 15: the cube root with its linear toe, as a table over 0..1
_STEPS = (np.arange(LEVELS + 1) + 0.5) / LEVELS
ROOT = np.where(_STEPS > 0.008856, np.cbrt(_STEPS), 7.787 * _STEPS + 16 / 116).astype(np.float32)


def lab_planes(rgb: NDArray[np.uint8]) -> Plane:
    """(rows, columns, 3) sRGB to (3, rows, columns) CIE L*a*b*: L 0..100, a and b about -100..100."""
    light = TO_WHITE_XYZ @ np.take(LINEAR, rgb.reshape(-1, 3).T)
    x, y, z = np.take(ROOT, light.astype(np.intp), mode="clip").reshape(3, *rgb.shape[:2])
    lab = np.empty((3, *rgb.shape[:2]), np.float32)
    np.subtract(np.multiply(y, 116, out=lab[0]), 16, out=lab[0])
    np.multiply(np.subtract(x, y, out=lab[1]), 500, out=lab[1])
    np.multiply(np.subtract(y, z, out=lab[2]), 200, out=lab[2])
    return lab


def length(right: Plane, down: Plane) -> Plane:
    """Euclidean length; several times faster than ``np.hypot``, which guards against overflow."""
    total = right * right
    total += down * down
    return np.asarray(np.sqrt(total, out=total), np.float32)


def half(plane: Plane) -> Plane:
    """Half the rows and columns, each value the mean of four; an odd last row or column is dropped."""
    rows, columns = plane.shape[-2] // 2 * 2, plane.shape[-1] // 2 * 2
    even = plane[..., :rows, :columns]
    lines = even[..., ::2, :] + even[..., 1::2, :]
    total = lines[..., ::2] + lines[..., 1::2]
    total *= np.float32(0.25)
    return np.asarray(total, np.float32)


def quarters(values: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Views of the four quarters of (..., rows, columns); the upper and left ones take an odd middle."""
    down, right = (values.shape[-2] + 1) // 2, (values.shape[-1] + 1) // 2
    upper, lower = values[..., :down, :], values[..., down:, :]
    return upper[..., :right], upper[..., right:], lower[..., :right], lower[..., right:]


def with_whole(four: NDArray[Any]) -> Regions:
    """(5, n) from what was counted in the quarters, (4, n): their sum goes first."""
    return np.concatenate([four.sum(0, keepdims=True), four]).astype(np.float64)


def region_histogram(index: NDArray[np.integer], size: int, weight: Plane | None = None) -> Regions:
    """(5, size) counts, or sums of ``weight``, of ``index`` values 0..size-1 (rows, columns)."""
    parts = quarters(index)
    weights = (None,) * 4 if weight is None else tuple(part.ravel() for part in quarters(weight))
    counts = [
        np.bincount(part.ravel(), mass, minlength=size) for part, mass in zip(parts, weights, strict=True)
    ]
    return with_whole(np.stack(counts))


def region_means(index: NDArray[np.integer], size: int, values: Plane) -> Regions:
    """(5, size) means of ``values`` over the pixels of each ``index`` value; 0 where there are none."""
    return region_histogram(index, size, values) / (region_histogram(index, size) + 1.0)


def region_products(channels: Plane) -> NDArray[np.float64]:
    """(5, c, c): sums over each region of the products of two of the ``channels`` (c, rows, columns)."""
    flat = (part.reshape(len(channels), -1) for part in quarters(channels))
    return with_whole(np.stack([rows @ rows.T for rows in flat]))


def binned(values: Plane, low: float, high: float, size: int) -> NDArray[np.int32]:
    """Which of ``size`` equal bins of low..high each value falls in; outliers count for the last bins."""
    place = (values - np.float32(low)) * np.float32(size / (high - low))
    index: NDArray[np.int32] = np.clip(place, 0, size - 1, out=place).astype(np.int32)
    return index


def shares(histogram: Regions) -> Regions:
    """Rows scaled to sum to 1; an empty row stays 0."""
    return np.asarray(histogram / np.maximum(histogram.sum(1, keepdims=True), 1e-9))


def root_shares(histogram: Regions) -> Regions:
    """Square roots of ``shares``, whose Euclidean distance is Hellinger's."""
    return np.asarray(np.sqrt(shares(histogram)))
