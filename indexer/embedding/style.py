"""How a picture is drawn, measured without any model weights: ``StyleDescriptor``.

Blocks of statistics (``style_blocks``) of colour, of edges and fine structure at five scales, of lines, grain
and frame. ``StyleSpace`` makes them comparable.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.embedding.encoders import VectorIdentity
from indexer.embedding.layout import LayoutDescriptor
from indexer.embedding.style_blocks import measure_blocks

__all__ = ["BLOCKS", "LayoutDescriptor", "StyleDescriptor"]

VERSION = 2
SMALLEST, LARGEST = 96, 512  # sides described, in pixels


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
    regions = np.concatenate(list(measure_blocks(_scaled(image)).values()), axis=1)
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


def _block_sizes() -> dict[str, int]:
    blank = np.zeros((SMALLEST, SMALLEST, 3), np.uint8)
    return {name: block.shape[1] for name, block in measure_blocks(blank).items()}


BLOCKS = _block_sizes()  # statistics in each block, in the order in which they stand
