"""The descriptors that need no weights, by the space they fill: computed where pictures are decoded."""

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from indexer.embedding.encoders import Encoder
from indexer.embedding.layout import LayoutDescriptor
from indexer.embedding.style import StyleDescriptor

__all__ = ["DESCRIPTORS", "describe"]

DESCRIPTORS: Mapping[str, Encoder] = {"style": StyleDescriptor(), "content": LayoutDescriptor()}


def describe(rgb: Image.Image, names: Sequence[str]) -> bytes:
    """The vectors of ``names`` one after another, little-endian float32."""
    pixels = np.asarray(rgb)
    return b"".join(DESCRIPTORS[name].encode([pixels])[0].astype("<f4").tobytes() for name in names)
