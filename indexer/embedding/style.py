"""How a picture is drawn, measured without any model weights: ``StyleDescriptor``.

Blocks of statistics of colour, of edges and fine structure at five scales, of lines, grain and frame. None is
new: Lab histograms and moments; local binary patterns (Ojala 2002); basic image features (Crosier & Griffin
2010); gradient and Laplacian statistics (Torralba & Oliva 2003). ``StyleSpace`` makes them comparable.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.embedding.encoders import VectorIdentity
from indexer.embedding.layout import LayoutDescriptor
from indexer.embedding.planes import (
    Plane,
    Regions,
    binned,
    half,
    lab_planes,
    length,
    moments,
    region_histogram,
    region_means,
    region_sums,
    root_shares,
    shares,
    soft_histogram,
)

__all__ = ["BLOCKS", "LayoutDescriptor", "StyleDescriptor"]

VERSION = 1
SMALLEST, LARGEST = 96, 512  # sides described, in pixels
SCALES = 5
RING = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
PATTERNS = 59
PI = float(np.pi)


def _uniform_patterns() -> NDArray[np.intp]:
    """Table of 256: the 58 patterns with at most two changes around the ring get a number, the rest 58."""
    table = np.full(256, PATTERNS - 1, np.intp)
    numbers = iter(range(PATTERNS - 1))
    for value in range(256):
        bits = [value >> place & 1 for place in range(8)]
        if sum(bits[place] != bits[place - 1] for place in range(8)) <= 2:
            table[value] = next(numbers)
    return table


UNIFORM = _uniform_patterns()


class _Scale:
    """One step of the pyramid: Lab planes, and what several blocks need of them."""

    def __init__(self, planes: Plane) -> None:
        self.planes = planes
        self.lightness: Plane = planes[0]
        # right and down differences of (3, rows - 2, columns - 2), and the log of their length
        self.right = (planes[:, 1:-1, 2:] - planes[:, 1:-1, :-2]) * np.float32(0.5)
        self.down = (planes[:, 2:, 1:-1] - planes[:, :-2, 1:-1]) * np.float32(0.5)
        self.steepness = np.log(length(self.right, self.down) + np.float32(0.1))


class StyleDescriptor:
    """An ``Encoder`` of space "style": raw statistics, deterministic, no weights.

    ``encode`` gives (n, 3 * D): D statistics (mean of the whole picture's and of its quarters'), then how
    they differ between upper and lower half, then between left and right. Only ``StyleSpace`` should compare
    them. Values fit float16.
    """

    @property
    def identity(self) -> VectorIdentity:
        """Fixed: the descriptor has no parameters."""
        return VectorIdentity("style", "statistics", "", f"lab{LARGEST}", VERSION, 3 * sum(BLOCKS.values()))

    def encode(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, dimension) of images (rows, columns, 3) uint8 RGB."""
        if not images:
            return np.zeros((0, self.identity.dimension), np.float32)
        return np.stack([_describe(image) for image in images])

    @staticmethod
    def split(vectors: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """Of (n, 3 * D): the statistics (n, D), and all differences within pictures (2 * n, D)."""
        statistics, *differences = np.split(vectors, 3, axis=1)
        return statistics, np.concatenate(differences)

    @staticmethod
    def weights() -> NDArray[np.float64]:
        """(D): each block of statistics counts alike, whatever its size."""
        return np.concatenate([np.full(size, size**-0.5) for size in BLOCKS.values()])


def _describe(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    regions = np.concatenate(list(_blocks(_scaled(image)).values()), axis=1)
    whole, (upper_left, upper_right, lower_left, lower_right) = regions[0], regions[1:]
    statistics = (whole + regions[1:].mean(0)) / 2
    down = (upper_left + upper_right - lower_left - lower_right) / 2
    right = (upper_left + lower_left - upper_right - lower_right) / 2
    return np.concatenate([statistics, down, right]).astype(np.float32)


def _scaled(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Sides within bounds, so that every scale has pixels and cost is bounded."""
    rows, columns = image.shape[:2]
    factor = min(LARGEST / max(rows, columns), 1.0)
    size = max(SMALLEST, round(columns * factor)), max(SMALLEST, round(rows * factor))
    if size == (columns, rows):
        return image
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0))


def _blocks(image: NDArray[np.uint8]) -> dict[str, Regions]:
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
    thirds = _ranks(lightness, (33, 67))
    return [
        root_shares(soft_histogram(lightness, 0, 100, 16)),
        root_shares(soft_histogram(chroma, 0, 100, 12)),
        root_shares(region_histogram(binned(hue, -PI, PI, 18), 18, chroma)),
        root_shares(region_histogram(binned(a, -64, 64, 9) * 9 + binned(b, -64, 64, 9), 81)),
        *(moments(plane) for plane in (lightness, a, b, chroma)),
        *(region_means(thirds, 3, plane) for plane in (a, b, chroma)),
    ]


def _ranks(plane: Plane, percents: tuple[int, ...]) -> NDArray[np.intp]:
    """0 for pixels below the first percentile, 1 below the second, and so on."""
    bounds = np.percentile(plane[::2, ::2], percents)
    rank: NDArray[np.intp] = np.sum([plane > bound for bound in bounds], axis=0, dtype=np.intp)
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
        code |= (ring > centre).astype(np.uint8) << np.uint8(bit)
    return root_shares(region_histogram(UNIFORM[code], PATTERNS))


def _gradients(scales: list[_Scale]) -> list[Regions]:
    """How steep, at each scale and in each channel; how directed, in lightness."""
    found: list[Regions] = []
    for scale in scales:
        for channel in scale.steepness:
            found.append(shares(soft_histogram(channel, np.log(0.1), np.log(40), 10)))
            found.append(moments(channel))
        right, down = scale.right[0], scale.down[0]
        angle = np.arctan2(down, right)
        direction = binned(np.where(angle < 0, angle + np.float32(PI), angle), 0, PI, 8)
        directions = shares(region_histogram(direction, 8, length(right, down)))
        entropy = -(directions * np.log(directions + 1e-9)).sum(1, keepdims=True)
        found += [np.sqrt(directions), entropy]
    return found


def _laplacian(scales: list[_Scale]) -> list[Regions]:
    """Lines and grain: each pixel against the mean of its four neighbours; dark lines are negative."""
    found: list[Regions] = []
    for scale in scales[:4]:
        planes = scale.planes
        ring = planes[:, :-2, 1:-1] + planes[:, 2:, 1:-1] + planes[:, 1:-1, :-2] + planes[:, 1:-1, 2:]
        for channel in planes[:, 1:-1, 1:-1] - ring * np.float32(0.25):
            bound = 8 * (float(channel.std()) + 0.05)
            found.append(shares(soft_histogram(np.sign(channel) * np.log1p(np.abs(channel) * 2), -3, 3, 11)))
            found.append(moments(np.clip(channel, -bound, bound)))
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
    for scale in scales[:3]:
        fifths = _ranks(scale.lightness[1:-1, 1:-1], (20, 40, 60, 80))
        found += [region_means(fifths, 5, channel) for channel in scale.steepness]
        found += [_agreement(scale, one, other) for one, other in ((0, 1), (0, 2), (1, 2))]
    return found


def _agreement(scale: _Scale, one: int, other: int) -> Regions:
    """(5, 1): correlation of the gradients of two channels."""
    both, first, second = (_product(scale, *pair) for pair in ((one, other), (one, one), (other, other)))
    return np.asarray(both / np.sqrt(first * second + 1e-6))


def _product(scale: _Scale, one: int, other: int) -> Regions:
    return region_sums(scale.right[one] * scale.right[other] + scale.down[one] * scale.down[other])


def _features(scales: list[_Scale]) -> list[Regions]:
    """Shares of flat, slope, dark or light spot, dark or light line, saddle, at four scales."""
    return [root_shares(region_histogram(_basic_features(scale.lightness), 7)) for scale in scales[:4]]


def _basic_features(plane: Plane, flat: float = 1.5) -> NDArray[np.intp]:
    """Which of seven symmetries fits best, after Crosier & Griffin, on 3 x 3 derivative masks."""
    smooth = _binomial(plane)
    here = smooth[1:-1, 1:-1]
    right, left = smooth[1:-1, 2:], smooth[1:-1, :-2]
    lower, upper = smooth[2:, 1:-1], smooth[:-2, 1:-1]
    slope = length(right - left, lower - upper)
    across, along = right + left - 2 * here, lower + upper - 2 * here
    mixed = (smooth[2:, 2:] - smooth[2:, :-2] - smooth[:-2, 2:] + smooth[:-2, :-2]) * np.float32(0.25)
    spot, saddle = across + along, np.sqrt((across - along) ** 2 + 4 * mixed * mixed)
    root = np.float32(2**-0.5)
    ground = np.full_like(slope, flat)
    strengths = [ground, slope, spot, -spot, (saddle + spot) * root, (saddle - spot) * root, saddle]
    best: NDArray[np.intp] = np.argmax(strengths, axis=0).astype(np.intp)
    return best


def _binomial(plane: Plane) -> Plane:
    """Smoothed with weights 1 2 1 in both directions; borders are dropped."""
    rows = plane[:-2] + 2 * plane[1:-1] + plane[2:]
    return np.asarray((rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) * np.float32(1 / 16), np.float32)


def _block_sizes() -> dict[str, int]:
    blank = np.zeros((SMALLEST, SMALLEST, 3), np.uint8)
    return {name: block.shape[1] for name, block in _blocks(blank).items()}


BLOCKS = _block_sizes()  # statistics in each block, in the order in which they stand
