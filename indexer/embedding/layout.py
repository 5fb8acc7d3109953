"""What lies where in a picture, measured without any model weights: ``LayoutDescriptor``.

Histograms of edge directions in a grid of cells (Dalal & Triggs 2005), at two scales. Pictures of one subject
fall together by it, which is all that content-centring of style vectors needs where no CLIP vectors exist.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.embedding.encoders import VectorIdentity
from indexer.embedding.planes import Plane, half, lab_planes

__all__ = ["LayoutDescriptor"]

VERSION = 1
SIDE = 128
DIRECTIONS = 8
FINE, COARSE = 8, 6  # cells in a row, at full and at half size
SOFTENING = 0.3


class LayoutDescriptor:
    """An ``Encoder`` of space "content": raw, deterministic, no weights; for ``StyleSpace``."""

    @property
    def identity(self) -> VectorIdentity:
        """Fixed: the descriptor has no parameters."""
        dimension = DIRECTIONS * (FINE**2 + COARSE**2)
        return VectorIdentity("content", "layout", "", f"lab{SIDE}", VERSION, dimension)

    def encode(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, dimension) of images (rows, columns, 3) uint8 RGB."""
        if not images:
            return np.zeros((0, self.identity.dimension), np.float32)
        return np.stack([_describe(image) for image in images])


def _describe(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    square = Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BOX)
    lightness = lab_planes(np.asarray(square))[0]
    fine = _cells(lightness, FINE)
    coarse = _cells(half(lightness), COARSE)
    lengths = np.linalg.norm(coarse, axis=1, keepdims=True)
    even = coarse / (lengths + SOFTENING * lengths.mean() + 1e-6) / COARSE
    return np.concatenate([(fine / (np.linalg.norm(fine) + 1e-6)).ravel(), even.ravel()]).astype(np.float32)


def _cells(plane: Plane, grid: int) -> NDArray[np.float64]:
    """(grid * grid, DIRECTIONS): square root of edge strength by undirected direction, in each cell."""
    right = plane[1:-1, 2:] - plane[1:-1, :-2]
    down = plane[2:, 1:-1] - plane[:-2, 1:-1]
    angle = np.mod(np.arctan2(down, right), np.pi)
    direction = np.minimum((angle * (DIRECTIONS / np.pi)).astype(np.int32), DIRECTIONS - 1)
    rows, columns = right.shape
    cell = (np.arange(rows) * grid // rows)[:, None] * grid + (np.arange(columns) * grid // columns)[None, :]
    strength = np.sqrt(np.hypot(right, down))
    place = (cell * DIRECTIONS + direction).ravel()
    sums = np.bincount(place, strength.ravel(), grid * grid * DIRECTIONS)
    return np.asarray(sums.reshape(grid * grid, DIRECTIONS), np.float64)
