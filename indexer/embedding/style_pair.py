"""The weights-free descriptor and a style network of one's own, side by side in one vector."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.embedding.encoders import Encoder, ImageEncoder, VectorIdentity

__all__ = ["StylePair"]


class StylePair:
    """An ``Encoder`` of space "style": raw statistics, then the network's unit vector. ``StyleSpace`` weighs
    the two."""

    def __init__(self, statistics: Encoder, network: ImageEncoder) -> None:
        self.statistics, self.network = statistics, network

    @property
    def identity(self) -> VectorIdentity:
        """Follows both: another network is another space."""
        one, other = self.statistics.identity, self.network.identity
        return VectorIdentity(
            one.space,
            f"{one.model}+{other.model}",
            other.weights,
            f"{one.preprocessing}+{other.preprocessing}",
            100 * other.version + one.version,
            one.dimension + other.dimension,
        )

    def encode(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, dimension) of images (rows, columns, 3) uint8 RGB."""
        return np.concatenate([self.statistics.encode(images), self.network.encode(images)], axis=1)
