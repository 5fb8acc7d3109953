"""Ratings of all shapes as one cautious number: a lower confidence bound, in stars 0..5.

Three fives must not beat a thousand 4.8s, so what counts is what the true mean exceeds with 95% confidence.
"""

from math import sqrt

__all__ = ["stars_lower_bound", "thumbs_lower_bound"]

_Z = 1.96
_PRIOR_STARS = 3.5
_PRIOR_COUNT = 5.0
_SPREAD = 1.1
"""Standard deviation of a single star rating, taken as that of a five-point scale with a positive skew."""


def stars_lower_bound(mean: float, count: int) -> float:
    """Mean of ``count`` ratings shrunk towards a prior of five ratings at 3.5, less 1.96 standard errors."""
    if count <= 0:
        return 0.0
    total = count + _PRIOR_COUNT
    centre = (mean * count + _PRIOR_STARS * _PRIOR_COUNT) / total
    return max(0.0, min(5.0, centre - _Z * _SPREAD / sqrt(total)))


def thumbs_lower_bound(up: int, down: int) -> float:
    """Wilson's lower bound of the share of thumbs up (E. B. Wilson, JASA 22, 1927), times five."""
    n = up + down
    if n <= 0:
        return 0.0
    share = up / n
    centre = share + _Z * _Z / (2 * n)
    margin = _Z * sqrt((share * (1 - share) + _Z * _Z / (4 * n)) / n)
    return 5 * max(0.0, (centre - margin) / (1 + _Z * _Z / n))
