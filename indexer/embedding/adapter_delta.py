"""What an adapter changes in one module, measured on its factors: the change itself is never formed.

Of the change ``D`` (rows x columns) three things are kept. Its *energy*, the squared Frobenius norm. Its
leading singular values. And its *sketch*: ``D`` times 8 fixed columns of signs, its rows then added up modulo
64. The sketch is linear in ``D``, so an adapter merged at another weight has the same one up to a factor.
The signs depend on the number of columns alone and rows are folded, so neither the module's name nor the
fusing of query, key and value into one matrix (their sizes are multiples of 64 in all models) makes a
difference.

How factors make a change: LyCORIS (https://github.com/KohakuBlueleaf/LyCORIS, ``lycoris/functional``).
"""

from collections.abc import Iterator
from functools import lru_cache
from math import inf, isfinite, prod
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.domain.factors import ModuleFactors

__all__ = [
    "FOLD",
    "PROBES",
    "SINGULAR",
    "Broken",
    "Delta",
    "Product",
    "Tensors",
    "low_rank_products",
    "measure_module",
    "sketch_of",
]

FOLD: Final = 64
PROBES: Final = 8
SINGULAR: Final = 8

_MOST_COLUMNS: Final = 200_000
_MOST_DENSE: Final = 16 << 20
_MOST_RANK: Final = 1_024
_MOST_EXACT: Final = 160
"""Rank up to which singular values are exact; of others they are estimated."""
_Matrix = NDArray[np.float32]


class Delta(NamedTuple):
    """The change of one module. ``energy`` is the squared norm, ``sketch`` is (64, 8), ``singular`` are the
    eight largest singular values; ``cells`` counts the elements of the weight."""

    energy: float
    sketch: NDArray[np.float64]
    singular: NDArray[np.float64]
    cells: int


class Broken(Exception):
    """A factor holds a value that is no number: ``nan`` or ``infinite``."""

    def __init__(self, sort: str, tensor: str) -> None:
        super().__init__(f"{tensor}: {sort}")
        self.sort = sort
        self.tensor = tensor


class Tensors(Protocol):
    """Where values come from: float32, or ``None`` for what cannot be read."""

    def shape(self, name: str) -> tuple[int, ...] | None: ...
    def read(self, name: str) -> _Matrix | None: ...
    def rows(self, name: str) -> Iterator[_Matrix]: ...


@lru_cache(maxsize=16)
def _signs(columns: int) -> _Matrix:
    """(columns, 8) signs, a pure function of place and number of columns (splitmix64, Steele et al. 2014)."""
    state = np.arange(1, columns + 1, dtype=np.uint64) + np.uint64(columns << 32)
    state *= np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    state ^= state >> np.uint64(31)
    bits = (state[:, None] >> np.arange(PROBES, dtype=np.uint64)) & np.uint64(1)
    return (1.0 - 2.0 * bits).astype(np.float32)


def _fold(matrix: NDArray[np.floating]) -> NDArray[np.float64]:
    """Rows added up modulo 64."""
    rows = matrix.shape[0]
    if rows % FOLD:
        matrix = np.concatenate([matrix, np.zeros((-rows % FOLD, matrix.shape[1]), matrix.dtype)])
    return np.asarray(matrix.reshape(-1, FOLD, matrix.shape[1]).sum(0), np.float64)


def measure_module(module: ModuleFactors, tensors: Tensors) -> list[Delta] | None:
    """The changes that a module's factors make (several where a factor is split); ``None`` where they cannot
    be read or do not fit each other. A bias counts as a column. Raises ``Broken``."""
    factors = _Factors(module, tensors)
    with np.errstate(all="ignore"):
        found = _MEASURES.get(module.algorithm, _whole)(factors)
        if found is not None and module.algorithm != "full" and "diff_b" in module.tensors:
            found += _differences(factors, ("diff_b",)) or []
    return found


class _Factors:
    def __init__(self, module: ModuleFactors, tensors: Tensors) -> None:
        self.names = module.tensors
        self.stated = module.stated
        self.tensors = tensors

    def get(self, slot: str) -> _Matrix | None:
        """A factor, checked; ``None`` where there is none, or an empty one."""
        name = self.names.get(slot)
        values = None if name is None else self.tensors.read(name)
        if name is None or values is None or 0 in values.shape:
            return None
        _check(values, name)
        return values

    def matrix(self, slot: str) -> _Matrix | None:
        """A factor with a kernel's axes made columns."""
        values = self.get(slot)
        if values is None or values.ndim < 2:
            return None
        return values.reshape(values.shape[0], -1)

    def scale(self, rank: int) -> float:
        """Alpha / rank, or what a configuration states; 1 without either, as programs take it."""
        alpha = self.get("alpha")
        if rank and alpha is not None and alpha.size == 1:
            return float(alpha.reshape(())) / rank
        return self.stated.at(rank) if rank and alpha is None and self.stated is not None else 1.0


def _check(values: _Matrix, name: str) -> None:
    flat = values.reshape(-1)
    # One pass over sound values; a sum that overflows is looked at again.
    if np.isfinite(np.dot(flat, flat)) or np.isfinite(flat).all():
        return
    raise Broken("nan" if np.isnan(flat).any() else "infinite", name)


class Product(NamedTuple):
    """A change that is ``scale`` times ``up`` (rows, rank) @ ``down`` (rank, columns)."""

    up: _Matrix
    down: _Matrix
    scale: float


def low_rank_products(module: ModuleFactors, tensors: Tensors) -> list[Product] | None:
    """The factors of a LoRA's module, several where they are split, each a stretch of the rows; ``None`` for
    other algorithms and where they cannot be read or do not fit each other. Raises ``Broken``."""
    return _products(_Factors(module, tensors)) if module.algorithm == "lora" else None


def _low_rank(factors: _Factors) -> list[Delta] | None:
    products = _products(factors)
    return None if products is None else [_of_pair(*product) for product in products]


def _products(factors: _Factors) -> list[Product] | None:
    """LoRA and what is saved like it: ``up @ down``, in between a core where a kernel has one."""
    split = sorted(slot for slot in factors.names if slot.startswith("lora_up."))
    if split:
        pairs = [(factors.matrix(s), factors.matrix(s.replace("up", "down"))) for s in split]
    else:
        down = factors.get("down")
        if down is not None and "mid" in factors.names:
            down = _core(factors.get("mid"), down.reshape(down.shape[0], -1) if down.ndim > 1 else None)
        pairs = [
            (factors.matrix("up"), None if down is None or down.ndim < 2 else down.reshape(len(down), -1))
        ]
    found = []
    for up, down in pairs:
        if up is None or down is None or up.shape[1] != down.shape[0] or not _possible(up, down):
            return None
        found.append(Product(up, down, factors.scale(down.shape[0])))
    return found


def _possible(up: _Matrix, down: _Matrix) -> bool:
    return 0 < down.shape[0] <= _MOST_RANK and 0 < down.shape[1] <= _MOST_COLUMNS and len(up) > 0


def _of_pair(up: _Matrix, down: _Matrix, scale: float) -> Delta:
    cells = up.shape[0] * down.shape[1]
    left = np.asarray(up.T @ up, np.float64)
    if not np.trace(left):
        return Delta(0.0, np.zeros((FOLD, PROBES)), np.zeros(SINGULAR), cells)
    right = np.asarray(down @ down.T, np.float64)
    energy = float((left * right).sum()) * scale * scale
    seen = np.asarray(down @ _signs(down.shape[1]), np.float64)
    sketch = _fold(up) @ seen * scale
    # Eigenvalues take the third power of the rank, and some files are made to be slow.
    roots = _roots(left, right) if len(down) <= _MOST_EXACT else _probed(up @ seen, cells).singular
    return Delta(_sound(energy), sketch, roots * abs(scale), cells)


def sketch_of(product: Product) -> NDArray[np.float64]:
    """The sketch (64, 8) of a product alone."""
    seen = np.asarray(product.down @ _signs(product.down.shape[1]), np.float64)
    return _fold(product.up) @ seen * product.scale


def _sound(energy: float) -> float:
    """Rounding may leave a little less than nothing; what overflowed is beyond all measure."""
    return max(0.0, energy) if isfinite(energy) else inf


def _roots(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Leading singular values of ``up @ down`` from the two Gram matrices of its factors."""
    trace = float(np.trace(left))
    found = np.zeros(SINGULAR)
    if trace <= 0.0 or not np.isfinite(left).all() or not np.isfinite(right).all():
        return found
    half = np.linalg.cholesky(left + np.eye(len(left)) * (1e-6 * trace))
    values = np.linalg.eigvalsh(half.T @ right @ half)[::-1][:SINGULAR]
    found[: len(values)] = np.sqrt(np.maximum(values, 0.0))
    return found


def _core(core: _Matrix | None, side: _Matrix | None) -> _Matrix | None:
    """A Tucker core (rank, rank, kernel) times the factor on its second axis: (rank, columns x kernel)."""
    if core is None or side is None or core.ndim < 3 or core.shape[1] != side.shape[0]:
        return None
    if core.shape[0] * prod(core.shape[2:]) * side.shape[1] > _MOST_DENSE:
        return None
    joined = np.moveaxis(np.tensordot(core, side, axes=([1], [0])), -1, 1)
    return np.ascontiguousarray(joined).reshape(core.shape[0], -1)


def _probed(answer: NDArray[np.floating], cells: int, energy: float | None = None) -> Delta:
    """From the change times the signs. Energy and singular values are estimates: signs have variance 1."""
    values = np.zeros(SINGULAR)
    wide = np.asarray(answer, np.float64)
    if np.isfinite(wide).all():
        gram = wide.T @ wide / PROBES
        roots = np.sqrt(np.maximum(np.linalg.eigvalsh(gram)[::-1][:SINGULAR], 0.0))
        values[: len(roots)] = roots
        energy = float(np.trace(gram)) if energy is None else energy
    return Delta(inf if energy is None else _sound(energy), _fold(answer), values, cells)


def _hadamard(factors: _Factors) -> list[Delta] | None:
    """LoHa: the product, element by element, of two low-rank products."""
    sides = []
    for number in "12":
        first, second = factors.matrix(f"hada_w{number}_a"), factors.matrix(f"hada_w{number}_b")
        if f"hada_t{number}" in factors.names and first is not None:
            first, second = np.ascontiguousarray(first.T), _core(factors.get(f"hada_t{number}"), second)
        if first is None or second is None or first.shape[1] != second.shape[0]:
            return None
        sides.append((first, second))
    (one, other), (two, another) = sides
    if len(one) != len(two) or other.shape[1] != another.shape[1] or not _possible(one, other):
        return None
    scale = factors.scale(other.shape[0])
    answer = np.empty((len(one), PROBES), np.float64)
    for column, signs in enumerate(_signs(other.shape[1]).T):
        answer[:, column] = np.einsum("ij,ij->i", one @ ((other * signs) @ another.T), two)
    return [_probed(answer * scale, len(one) * other.shape[1])]


class _Side(NamedTuple):
    """One matrix of a Kronecker product: whole, or ``first @ second`` of some rank."""

    first: _Matrix
    second: _Matrix | None

    @property
    def rows(self) -> int:
        return len(self.first)

    @property
    def columns(self) -> int:
        return int((self.first if self.second is None else self.second).shape[1])

    @property
    def rank(self) -> int | None:
        return None if self.second is None else len(self.second)

    def times(self, values: _Matrix) -> NDArray[np.floating]:
        return self.first @ (values if self.second is None else self.second @ values)

    def energy(self) -> float:
        if self.second is None:
            return float(np.square(self.first, dtype=np.float64).sum())
        left, right = self.first.T @ self.first, self.second @ self.second.T
        return float((np.asarray(left, np.float64) * right).sum())


def _side(factors: _Factors, number: str) -> _Side | None:
    whole = factors.get(f"lokr_w{number}")
    if whole is not None:
        return _Side(whole.reshape(len(whole), -1), None) if whole.ndim > 1 and whole.size else None
    first, second = factors.matrix(f"lokr_w{number}_a"), factors.matrix(f"lokr_w{number}_b")
    if f"lokr_t{number}" in factors.names and first is not None:
        first, second = np.ascontiguousarray(first.T), _core(factors.get(f"lokr_t{number}"), second)
    if first is None or second is None or first.shape[1] != len(second) or len(second) > _MOST_RANK:
        return None
    return _Side(first, second)


def _kronecker(factors: _Factors) -> list[Delta] | None:
    """LoKr: the Kronecker product of two matrices; scale 1 where neither is factored."""
    one, two = _side(factors, "1"), _side(factors, "2")
    if one is None or two is None or one.columns * two.columns > _MOST_COLUMNS:
        return None
    if max(one.rows, one.columns) * two.rows > _MOST_COLUMNS:
        return None  # so large a product of so little data is no adapter's
    rank = one.rank if two.rank is None else two.rank
    scale = factors.scale(rank) if rank else 1.0
    signs = _signs(one.columns * two.columns).reshape(one.columns, two.columns, PROBES)
    inner = np.asarray(two.times(signs), np.float32).reshape(one.columns, -1)
    answer = one.times(inner).reshape(-1, PROBES) * scale
    cells = one.rows * one.columns * two.rows * two.columns
    return [_probed(answer, cells, one.energy() * two.energy() * scale**2)]


def _generalised(factors: _Factors) -> list[Delta] | None:
    """GLoRA: ``b1 @ b2`` is what it adds; what it multiplies needs the base model's weights."""
    up, down = factors.matrix("b1.weight"), factors.matrix("b2.weight")
    if up is None or down is None or up.shape[1] != down.shape[0] or not _possible(up, down):
        return None
    return [_of_pair(up, down, factors.scale(down.shape[0]))]


def _rotation(factors: _Factors) -> list[Delta] | None:
    """OFT: blocks along the diagonal. Kept is their skew-symmetric part, which generates the rotation."""
    found = []
    for slot in sorted(set(factors.names) - {"alpha", "rescale", "magnitude", "diff_b"}):
        blocks = factors.get(slot)
        if blocks is None or blocks.ndim < 2 or not blocks.size:
            return None
        if blocks.ndim > 2 and blocks.shape[-1] == blocks.shape[-2]:
            turned = blocks - np.swapaxes(blocks, -1, -2)
            turned = turned.reshape(-1, *turned.shape[-2:])
            signs = _signs(min(turned.shape[-1], _MOST_COLUMNS))
            if len(signs) != turned.shape[-1]:
                return None
            found.append(_probed((turned @ signs).reshape(-1, PROBES), blocks.size))
            continue
        flat = blocks.reshape(len(blocks), -1)
        if flat.shape[1] > _MOST_COLUMNS:
            return None
        found.append(_probed(flat @ _signs(flat.shape[1]), blocks.size))
    return found or None


def _whole(factors: _Factors) -> list[Delta] | None:
    """Whole differences of weight and bias, read a few rows at a time."""
    return _differences(factors, ("diff", "diff_b"))


def _differences(factors: _Factors, slots: tuple[str, ...]) -> list[Delta] | None:
    found = []
    for name in (factors.names[slot] for slot in slots if slot in factors.names):
        shape = factors.tensors.shape(name)
        if not shape or not prod(shape) or prod(shape[1:]) > _MOST_COLUMNS or shape[0] > 4 * _MOST_COLUMNS:
            return None
        answers, energy = [], 0.0
        for rows in factors.tensors.rows(name):
            _check(rows, name)
            energy += float(np.square(rows, dtype=np.float64).sum())
            answers.append(rows @ _signs(rows.shape[1]))
        found.append(_probed(np.concatenate(answers), prod(shape), energy))
    return found or None


_MEASURES = {
    "lora": _low_rank,
    "loha": _hadamard,
    "lokr": _kronecker,
    "glora": _generalised,
    "oft": _rotation,
    "full": _whole,
    "ia3": _whole,
}
