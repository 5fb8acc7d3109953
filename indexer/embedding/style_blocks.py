"""The blocks of statistics of a ``StyleDescriptor``: each a function of the picture's pyramid to ``Regions``.

None is new: Lab histograms and moments; local binary patterns (Ojala 2002); basic image features (Crosier &
Griffin 2010); gradient and Laplacian statistics (Torralba & Oliva 2003).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from indexer.embedding.counting import Counted, Line, count_line, log_bins, log_centres
from indexer.embedding.planes import (
    Plane,
    Regions,
    binned,
    half,
    lab_planes,
    length,
    region_histogram,
    region_means,
    region_products,
    root_shares,
    shares,
)

__all__ = ["measure_blocks"]

SCALES = 5
RING = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
PATTERNS = 59
PI = float(np.pi)
LIGHTNESS, CHROMA, OPPONENT = Line(0, 100, 512), Line(0, 140, 512), Line(-128, 128, 1025)
EDGE = Line(-82, 82, 2051)  # an odd number: nothing, the commonest value, is the middle of a bin
FLAT = 0.1  # added to steepness, in units of L*, so that its logarithm exists
STEEP = 704  # bins of steepness: Lab differences stay below 150, ten and a half octaves above FLAT
DIRECTIONS = 8
# Tangents of 22.5, 45 and 67.5 degrees: borders of the directions within a right angle
BORDERS = tuple(np.float32(np.tan(PI / DIRECTIONS * step)) for step in (1, 2, 3))


def _uniform_patterns() -> NDArray[np.float64]:
    """(256, 59): columns of the 58 patterns with at most two changes around the ring, and of the rest."""
    table = np.zeros((256, PATTERNS))
    columns = iter(range(PATTERNS - 1))
    for value in range(256):
        bits = [value >> place & 1 for place in range(8)]
        uniform = sum(bits[place] != bits[place - 1] for place in range(8)) <= 2
        table[value, next(columns) if uniform else PATTERNS - 1] = 1
    return table


UNIFORM = _uniform_patterns()


class _Scale:
    """One step of the pyramid: Lab planes, and what several blocks need of them."""

    def __init__(self, planes: Plane) -> None:
        self.planes = planes
        self.lightness: Plane = planes[0]
        # Twice the right and down differences, (3, rows - 2, columns - 2)
        self.right = planes[:, 1:-1, 2:] - planes[:, 1:-1, :-2]
        self.down = planes[:, 2:, 1:-1] - planes[:, :-2, 1:-1]
        steepness = length(self.right, self.down)
        steepness *= np.float32(0.5)
        steepness += np.float32(FLAT)
        self.steep = np.minimum(log_bins(steepness, FLAT), STEEP - 1)


def measure_blocks(image: NDArray[np.uint8]) -> dict[str, Regions]:
    """Name of each block to its statistics (5, n) of ``image`` (rows, columns, 3), sides at least 96."""
    scales = [_Scale(lab_planes(image))]
    while len(scales) < SCALES:
        scales.append(_Scale(half(scales[-1].planes)))
    parts: dict[str, Callable[[list[_Scale]], list[Regions]]] = {
        "colour": _colour,
        "patterns": _patterns,
        "gradients": _gradients,
        "laplacian": _laplacian,
        "frame": _frame,
        "tones": _tones,
        "features": _features,
    }
    return {name: np.concatenate(measure(scales), axis=1) for name, measure in parts.items()}


def _colour(scales: list[_Scale]) -> list[Regions]:
    """Histograms of lightness, chroma, hue and (a, b); moments; mean colour of dark to light parts."""
    lightness, a, b = scales[1].planes
    chroma, hue = length(a, b), np.arctan2(b, a)
    light, strong = count_line(lightness, LIGHTNESS), count_line(chroma, CHROMA)
    counted = (light, count_line(a, OPPONENT), count_line(b, OPPONENT), strong)
    thirds = _ranks(lightness, (33, 67))
    return [
        root_shares(light.soft(0, 100, 16)),
        root_shares(strong.soft(0, 100, 12)),
        root_shares(region_histogram(binned(hue, -PI, PI, 18), 18, chroma)),
        root_shares(region_histogram(binned(a, -64, 64, 9) * 9 + binned(b, -64, 64, 9), 81)),
        *(channel.moments() for channel in counted),
        *(region_means(thirds, 3, plane) for plane in (a, b, chroma)),
    ]


def _ranks(plane: Plane, percents: tuple[int, ...]) -> NDArray[np.uint8]:
    """0 for pixels below the first percentile, 1 below the second, and so on."""
    step = max(1, min(plane.shape) // 128)
    rank = np.zeros(plane.shape, np.uint8)
    for bound in np.percentile(plane[::step, ::step], percents).astype(np.float32):
        rank += (plane > bound).view(np.uint8)
    return rank


def _patterns(scales: list[_Scale]) -> list[Regions]:
    """Uniform local binary patterns of lightness: (scale, radius in pixels, threshold in L*)."""
    settings = ((0, 1, 1), (0, 2, 2), (1, 1, 1), (1, 2, 2), (1, 4, 2), (2, 2, 2))
    return [_binary_patterns(scales[scale].lightness, radius, least) for scale, radius, least in settings]


def _binary_patterns(plane: Plane, radius: int, least: float) -> Regions:
    rows, columns = plane.shape
    centre = plane[radius:-radius, radius:-radius] + np.float32(least)
    code = np.zeros(centre.shape, np.uint8)
    for bit, (down, right) in enumerate(RING):
        top, left = radius + down * radius, radius + right * radius
        ring = plane[top : top + rows - 2 * radius, left : left + columns - 2 * radius]
        code |= (ring > centre).view(np.uint8) << np.uint8(bit)
    return root_shares(region_histogram(code, 256) @ UNIFORM)


def _gradients(scales: list[_Scale]) -> list[Regions]:
    """How steep, at each scale and in each channel; how directed, in lightness."""
    found: list[Regions] = []
    centres = log_centres(FLAT, STEEP)
    for scale in scales:
        directed = _directed(scale)
        plain = (region_histogram(steep, STEEP) for steep in scale.steep[1:])
        for counts in (directed.sum(1), *plain):
            counted = Counted(counts, centres)
            found += [shares(counted.soft(np.log(0.1), np.log(40), 10)), counted.moments()]
        directions = shares(directed @ (np.exp(centres) - FLAT))
        entropy = -(directions * np.log(directions + 1e-9)).sum(1, keepdims=True)
        found += [np.sqrt(directions), entropy]
    return found


def _directed(scale: _Scale) -> NDArray[np.float64]:
    """(5, DIRECTIONS, STEEP): pixels by the direction of the lightness gradient, and by its steepness."""
    index = scale.steep[0] + _direction(scale.right[0], scale.down[0]) * np.int32(STEEP)
    return region_histogram(index, DIRECTIONS * STEEP).reshape(5, DIRECTIONS, STEEP)


def _direction(right: Plane, down: Plane) -> NDArray[np.int32]:
    """Undirected, in eight equal steps from 0 to half a turn; by comparisons, since an arctangent is slow."""
    across, along = np.abs(right), np.abs(down)
    step = np.zeros(right.shape, np.int8)
    for border in BORDERS:
        step += (along >= across * border).view(np.int8)
    falling = (right < 0) != (down < 0)
    mirrored = np.where(falling, np.int8(DIRECTIONS - 1) - step, step)
    return mirrored.astype(np.int32)


def _laplacian(scales: list[_Scale]) -> list[Regions]:
    """Lines and grain: each pixel against the mean of its four neighbours; dark lines are negative."""
    found: list[Regions] = []
    folded = np.sign(EDGE.centres) * np.log1p(np.abs(EDGE.centres) * 2)
    for scale in scales[:4]:
        planes = scale.planes
        ring = planes[:, :-2, 1:-1] + planes[:, 2:, 1:-1]
        ring += planes[:, 1:-1, :-2]
        ring += planes[:, 1:-1, 2:]
        ring *= np.float32(-0.25)
        ring += planes[:, 1:-1, 1:-1]
        for channel in ring:
            counted = count_line(channel, EDGE)
            bound = 8 * (counted.deviation() + 0.05)
            found.append(shares(Counted(counted.counts, folded).soft(-3, 3, 11)))
            found.append(counted.clipped(bound).moments())
    return found


def _frame(scales: list[_Scale]) -> list[Regions]:
    """Vignettes, borders, bare grounds: mean and spread in four rings from the edge inwards."""
    planes = scales[2].planes
    rows, columns = planes.shape[1:]
    down = np.minimum(np.arange(rows), rows - 1 - np.arange(rows)) / rows
    right = np.minimum(np.arange(columns), columns - 1 - np.arange(columns)) / columns
    ring = np.digitize(np.minimum(down[:, None], right[None, :]), (0.03, 0.1, 0.22)).astype(np.intp)
    found: list[Regions] = []
    for channel in planes:
        mean = region_means(ring, 4, channel)
        variance = np.maximum(region_means(ring, 4, channel * channel) - mean * mean, 0)
        found += [mean - mean.mean(1, keepdims=True), np.log(np.sqrt(variance) + 1)]
    return found


def _tones(scales: list[_Scale]) -> list[Regions]:
    """Fine structure of dark to light parts (grain sits in the dark); do colour edges follow light?"""
    found: list[Regions] = []
    centres = log_centres(FLAT, STEEP)
    for scale in scales[:3]:
        fifths = _ranks(scale.lightness[1:-1, 1:-1], (20, 40, 60, 80)) * np.int32(STEEP)
        for steep in scale.steep:
            counts = region_histogram(steep + fifths, 5 * STEEP).reshape(5, 5, STEEP)
            found.append(counts @ centres / (counts.sum(2) + 1.0))
        found += _agreements(scale)
    return found


def _agreements(scale: _Scale) -> list[Regions]:
    """Three times (5, 1): correlation of the gradients of two channels."""
    products = (region_products(scale.right) + region_products(scale.down)) * 0.25
    pairs = ((0, 1), (0, 2), (1, 2))
    return [
        (products[:, one, other] / np.sqrt(products[:, one, one] * products[:, other, other] + 1e-6))[:, None]
        for one, other in pairs
    ]


def _features(scales: list[_Scale]) -> list[Regions]:
    """Shares of flat, slope, dark or light spot, dark or light line, saddle, at four scales."""
    return [root_shares(region_histogram(_basic_features(scale.lightness), 7)) for scale in scales[:4]]


def _basic_features(plane: Plane, flat: float = 1.5) -> NDArray[np.uint8]:
    """Which of seven symmetries fits best, after Crosier & Griffin, on 3 x 3 derivative masks."""
    smooth = _binomial(plane)
    centre = smooth[1:-1, 1:-1]
    right, left = smooth[1:-1, 2:], smooth[1:-1, :-2]
    lower, upper = smooth[2:, 1:-1], smooth[:-2, 1:-1]
    slope = length(right - left, lower - upper)
    sideways, upright, twice = right + left, lower + upper, 2 * centre
    spot = sideways + upright - 2 * twice
    mixed = (smooth[2:, 2:] - smooth[2:, :-2] - smooth[:-2, 2:] + smooth[:-2, :-2]) * np.float32(0.5)
    saddle = length(sideways - upright, mixed)
    size = np.abs(spot)
    strongest, best = np.full_like(slope, flat), np.zeros(slope.shape, np.uint8)
    rivals = {1: slope, 2: size, 4: (saddle + size) * np.float32(2**-0.5), 6: saddle}
    for number, rival in rivals.items():
        np.maximum(best, (rival > strongest).view(np.uint8) * np.uint8(number), out=best)
        np.maximum(strongest, rival, out=strongest)
    light = (spot < 0) & ((best == 2) | (best == 4))
    best += light.view(np.uint8)
    return best


def _binomial(plane: Plane) -> Plane:
    """Smoothed with weights 1 2 1 in both directions; borders are dropped."""
    rows = 2 * plane[1:-1]
    rows += plane[:-2]
    rows += plane[2:]
    smooth = 2 * rows[:, 1:-1]
    smooth += rows[:, :-2]
    smooth += rows[:, 2:]
    smooth *= np.float32(1 / 16)
    return np.asarray(smooth, np.float32)
