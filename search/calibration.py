"""What a cosine means: how rare so high a one is among pictures of the index. Pure numpy.

Cosines of one space cannot be compared with those of another, nor those of one query with another's: words
and pictures of CLIP meet around 0.25, two pictures around 0.6. A score says how few pictures come as near:
0.25 is one in ten, 0.5 one in a hundred, 1 one in ten thousand or rarer, or the same picture.
"""

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEAST", "SAME", "calibrated"]

LEAST = 20
"""Fewer pictures tell nothing of what is rare; the cosine itself stands then."""

SAME = 0.999
"""Cosine from which two vectors are of one picture; vectors are kept in 16 bits."""

RARITY = 4.0  # powers of ten of rarity that make a full score
LOWER = 15.87  # per cent of a normal distribution that lie one deviation below its middle


def calibrated(
    cosines: NDArray[np.floating], at_large: NDArray[np.floating], same: float = SAME
) -> NDArray[np.float64]:
    """Scores 0..1 of ``cosines`` (n), against the cosines ``at_large`` (m) of the same query.

    From ``same`` on two vectors are of one picture. The spread is measured below the middle: pictures that
    fit, however many, lie above and do not count.
    """
    cosines = np.asarray(cosines, np.float64)
    if len(at_large) < LEAST:
        return np.clip(cosines, 0.0, 1.0)
    middle, low = np.percentile(at_large, (50, LOWER))
    places = (cosines - middle) / max(float(middle - low), 1e-3)
    tails = np.array([0.5 * math.erfc(place / math.sqrt(2)) for place in places], np.float64)
    scores = -np.log10(np.maximum(tails, 10.0**-RARITY)) / RARITY
    return np.where(cosines >= same, 1.0, np.clip(scores, 0.0, 1.0))
