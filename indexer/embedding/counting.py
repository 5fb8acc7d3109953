"""Fine histograms of regions, and what follows from them: every pixel is touched once, not once a statistic.

A histogram of some hundred bins tells soft histograms and moments as well as the pixels do, at the cost of
one pass. ``Line`` says which value each bin stands for.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from indexer.embedding.planes import Plane, Regions, binned, region_histogram

__all__ = ["Counted", "Line", "count_line", "log_bins", "log_centres"]

LOG_STEPS = 6  # bits of a float's mantissa that are kept: 64 bins to an octave
LOG_SHIFT = np.int32(23 - LOG_STEPS)


@dataclass(frozen=True, slots=True)
class Line:
    """``size`` equal bins from ``low`` to ``high``; what lies outside counts for the outermost."""

    low: float
    high: float
    size: int

    @property
    def centres(self) -> NDArray[np.float64]:
        """(size): the value each bin stands for."""
        places: NDArray[np.float64] = np.arange(self.size, dtype=np.float64) + 0.5
        return places * ((self.high - self.low) / self.size) + self.low


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """``counts`` (5, n) of the regions' pixels over bins that stand for ``values`` (n), ascending."""

    counts: Regions
    values: NDArray[np.float64]

    def soft(self, low: float, high: float, size: int) -> Regions:
        """(5, size) histogram over low..high, each value shared between its two nearest bin centres."""
        return np.asarray(self.counts @ _sharing(self.values.tobytes(), low, high, size))

    def deviation(self) -> float:
        """Standard deviation over the whole picture."""
        return float(self.moments()[0, 1])

    def clipped(self, bound: float) -> "Counted":
        """The same, with values beyond -bound..bound taken for the bound."""
        return Counted(self.counts, np.clip(self.values, -bound, bound))

    def moments(self) -> Regions:
        """(5, 4): mean, standard deviation, skewness within 6, and log of kurtosis + 1."""
        middle = float(self.counts[0] @ self.values / max(float(self.counts[0].sum()), 1.0))
        powers = np.empty((5, len(self.values)))
        powers[0], powers[1] = 1, self.values - middle
        for power in (2, 3, 4):
            np.multiply(powers[power - 1], powers[1], out=powers[power])
        sums = powers @ self.counts.T
        m1, m2, m3, m4 = sums[1:] / np.maximum(sums[0], 1)
        variance = np.maximum(m2 - m1 * m1, 1e-3)
        skewness = (m3 - 3 * m1 * m2 + 2 * m1**3) / variance**1.5
        kurtosis = (m4 - 4 * m1 * m3 + 6 * m1 * m1 * m2 - 3 * m1**4) / variance**2
        tail = np.log(np.maximum(kurtosis, 0) + 1)
        return np.stack([m1 + middle, np.sqrt(variance), np.clip(skewness, -6, 6), tail], 1)


@lru_cache(maxsize=16)
def _sharing(values: bytes, low: float, high: float, size: int) -> NDArray[np.float64]:
    """(n, size): how much of each value goes to each bin."""
    centres = np.frombuffer(values)
    place = np.clip((centres - low) * ((size - 1) / (high - low)), 0, size - 1)
    return np.asarray(np.maximum(0, 1 - np.abs(place[:, None] - np.arange(size))), np.float64)


def count_line(plane: Plane, line: Line) -> Counted:
    """The values of ``plane`` (rows, columns) over the bins of ``line``."""
    index = binned(plane, line.low, line.high, line.size)
    return Counted(region_histogram(index, line.size), line.centres)


def log_bins(values: Plane, low: float) -> NDArray[np.int32]:
    """Bins of equal ratio from ``low`` up, for values of at least ``low`` > 0, without a logarithm.

    The upper bits of an IEEE 754 float are its exponent and the start of its mantissa: read as an integer,
    they are a logarithm in steps, here of 1/64 octave.
    """
    index: NDArray[np.int32] = (values.view(np.int32) >> LOG_SHIFT) - _first(low)
    return index


def log_centres(low: float, size: int) -> NDArray[np.float64]:
    """(size): natural logarithms of the middles of the bins of ``log_bins``."""
    bits = ((np.arange(size, dtype=np.int32) + _first(low)) << LOG_SHIFT) + (np.int32(1) << (LOG_SHIFT - 1))
    return np.log(bits.astype(np.int32).view(np.float32).astype(np.float64))


def _first(low: float) -> np.int32:
    return np.float32(low).view(np.int32) >> LOG_SHIFT
