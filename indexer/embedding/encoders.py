"""What every encoder of previews has in common: ``encode``, and an identity stored with its vectors."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from indexer.embedding.decoder_protocol import View

__all__ = ["Encoder", "ImageEncoder", "SemanticEncoder", "VectorIdentity", "unit_rows"]


@dataclass(frozen=True, slots=True)
class VectorIdentity:
    """Which space a vector lives in. Vectors of two identities are never compared.

    ``space``: semantic, style, content, style-encoder, prompt or weights. ``model``: architecture or
    descriptor. ``weights``: a published tag, ``sha256:`` and the start of a local file's digest, or "" where
    there are none.
    ``preprocessing``: what was done to the pixels. ``version``: ours, raised when values change.
    """

    space: str
    model: str
    weights: str
    preprocessing: str
    version: int
    dimension: int

    @property
    def key(self) -> str:
        """Short and stable: the space, and 16 hex digits of SHA-256 over all six fields."""
        text = "\x1f".join(str(value) for value in astuple(self))
        return f"{self.space}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


class Encoder(Protocol):
    """Turns previews into vectors of one identity; equal pixels give equal vectors."""

    @property
    def identity(self) -> VectorIdentity:
        """Which space the vectors live in."""
        ...

    def encode(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """``(n, dimension)`` for n images of shape (rows, columns, 3), uint8 RGB, each of its own size.

        Semantic vectors have unit length; style and content descriptors are raw, for ``StyleSpace`` to fit.
        """
        ...


class ImageEncoder(Encoder, Protocol):
    """A network that sees pictures as unit vectors."""

    @property
    def view(self) -> "View | None":
        """What the image tower sees of a picture; None where only ``encode`` knows."""
        ...

    @property
    def group(self) -> int:
        """So many pictures at a time keep the device busy."""
        ...

    def tune(self, views: Sequence[NDArray[np.uint8]], memory: Path) -> str:
        """Choose the fastest arithmetic that keeps the vectors, on real pictures; ``memory`` is a file."""
        ...

    def encode_views(self, views: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, dimension) of n views (side, side, 3)."""
        ...

    def begin_views(self, views: Sequence[NDArray[np.uint8]]) -> Callable[[], NDArray[np.float32]]:
        """The same, started; the answer waits for it."""
        ...


class SemanticEncoder(ImageEncoder, Protocol):
    """An encoder of pictures and of words into one space of unit vectors."""

    def encode_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, dimension) of n texts."""
        ...


def unit_rows(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Rows scaled to Euclidean length 1; a row of zeros stays zero."""
    wide = np.asarray(vectors, np.float64)
    lengths = np.linalg.norm(wide, axis=-1, keepdims=True)
    return np.asarray(wide / np.where(lengths > 0.0, lengths, 1.0), np.float32)
