"""Do two adapters pull the same way? Inner products of their changes, weight by weight.

Of two low-rank changes ``a·U₁V₁`` and ``b·U₂V₂`` the inner product is ``ab·sum((U₁ᵀU₂) ∘ (V₁V₂ᵀ))``: exact,
and the changes themselves are never formed. Of other algorithms (LoHa, LoKr, OFT, whole differences) it is
estimated from the sketches of ``adapter_delta``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite, sqrt
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.domain.factors import ModuleFactors
from indexer.embedding.adapter_delta import (
    Broken,
    Product,
    Tensors,
    low_rank_products,
    measure_module,
    sketch_of,
)

__all__ = ["Meeting", "Piece", "Sums", "add_meeting", "meet", "pieces_of"]

_MOST_PIECES: Final = 16
_NOT_ADDED: Final = frozenset({"oft", "ia3"})


class Piece(NamedTuple):
    """The change of one weight: as a product, or by its sketch (64, 8) alone. ``sort`` is ``added``, or the
    algorithm of what is not added to a weight (``oft``, ``ia3``)."""

    product: Product | None
    sketch: NDArray[np.float64] | None
    norm: float
    sort: str = "added"


class Meeting(NamedTuple):
    """Two adapters change one weight: inner product and norms of the changes; ``exact`` or estimated."""

    inner: float
    first: float
    second: float
    exact: bool


@dataclass(slots=True)
class Sums:
    """Meetings added up: of a block, or of all."""

    inner: float = 0.0
    first: float = 0.0
    second: float = 0.0
    compared: int = 0
    estimated: int = 0
    blocks: dict[str, "Sums"] = field(default_factory=dict)

    @property
    def cosine(self) -> float:
        """Of what both change, -1..1; 0 where one changes nothing."""
        length = sqrt(self.first * self.second)
        return max(-1.0, min(1.0, self.inner / length)) if length > 0.0 else 0.0


def add_meeting(sums: Sums, block: str, meeting: Meeting) -> None:
    """Count one weight, in all and in its block. What is no number is left out."""
    inner, first, second, exact = meeting
    if not (isfinite(inner) and isfinite(first) and isfinite(second)):
        return
    for one in (sums, sums.blocks.setdefault(block, Sums())):
        one.inner += inner
        one.first += first * first
        one.second += second * second
        one.compared += 1
        one.estimated += not exact


def pieces_of(
    module: ModuleFactors, tensors: Tensors, keys: Sequence[str], rows: Sequence[int | None]
) -> Mapping[str, Piece]:
    """The changes that a module makes, by weight. ``keys`` are the weights that it stands for, several where
    it is fused, ``rows`` their heights where they are known.

    Empty where the factors cannot be read, hold values that are no numbers, or cannot be cut into the
    weights. Raises what ``tensors`` raises.
    """
    if not 0 < len(keys) <= _MOST_PIECES:
        return {}
    try:
        with np.errstate(all="ignore"):
            products = low_rank_products(module, tensors)
            if products is not None:
                cut = list(_cut(products, len(keys), rows))
                return {key: _piece(one) for key, one in zip(keys, cut, strict=True)} if cut else {}
            deltas = measure_module(module, tensors) if len(keys) == 1 else None
    except Broken:
        return {}
    if not deltas:
        return {}
    sketch = np.sum([delta.sketch for delta in deltas], axis=0)
    sort = module.algorithm if module.algorithm in _NOT_ADDED else "added"
    return {keys[0]: Piece(None, sketch, _root(sum(delta.energy for delta in deltas)), sort)}


def _root(energy: float) -> float:
    return sqrt(max(0.0, energy)) if isfinite(energy) else inf


def _cut(products: Sequence[Product], count: int, rows: Sequence[int | None]) -> Iterator[Product]:
    """One product a weight; nothing where they cannot be told apart."""
    if len(products) == count:
        yield from products
        return
    if len(products) > 1:
        return
    (whole,) = products
    heights = [height for height in rows if height is not None]
    if len(heights) != count or sum(heights) != len(whole.up):
        if len(whole.up) % count:
            return
        heights = [len(whole.up) // count] * count
    start = 0
    for height in heights:
        yield Product(whole.up[start : start + height], whole.down, whole.scale)
        start += height


def _piece(product: Product) -> Piece:
    return Piece(product, None, _root(_inner(product, product)))


def _inner(one: Product, other: Product) -> float:
    left = np.asarray(one.up.T @ other.up, np.float64)
    right = np.asarray(one.down @ other.down.T, np.float64)
    return float((left * right).sum()) * one.scale * other.scale


def meet(one: Piece, other: Piece) -> Meeting | None:
    """How two changes of one weight lie to each other; ``None`` where they cannot be compared."""
    if one.sort != other.sort:
        return None
    if one.product is not None and other.product is not None:
        same = len(one.product.up) == len(other.product.up)
        if not same or one.product.down.shape[1] != other.product.down.shape[1]:
            return None
        return Meeting(_inner(one.product, other.product), one.norm, other.norm, exact=True)
    first, second = _sketch(one), _sketch(other)
    lengths = float(np.linalg.norm(first) * np.linalg.norm(second))
    cosine = float((first * second).sum()) / lengths if lengths > 0.0 and isfinite(lengths) else 0.0
    return Meeting(cosine * one.norm * other.norm, one.norm, other.norm, exact=False)


def _sketch(piece: Piece) -> NDArray[np.float64]:
    if piece.sketch is not None:
        return piece.sketch
    assert piece.product is not None  # a piece is one or the other
    return sketch_of(piece.product)
