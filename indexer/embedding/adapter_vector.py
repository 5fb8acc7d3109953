"""An adapter's weights as one vector, and whether they can work at all. No file name, no metadata, no torch.

The vector has three parts, each of unit length before it is weighted: the *sketch* of all changes
(``adapter_delta``), which tells one training from any other; the *profile*, how the change is spread over
regions of the model and sorts of layers; the *spectrum*, how steeply singular values fall. Two files hold the
same adapter when their sketches point the same way, whatever their dialect, precision or weight.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache, lru_cache
from math import isfinite, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from indexer.domain.factors import ModuleFactors
from indexer.domain.vocabulary import read_table
from indexer.embedding.adapter_delta import FOLD, PROBES, SINGULAR, Broken, Delta, Tensors, measure_module
from indexer.embedding.encoders import VectorIdentity

__all__ = ["IDENTITY", "SKETCH", "TWIN_COSINE", "AdapterWeights", "measure_adapter", "sketches"]

SKETCH: Final = FOLD * PROBES
_KINDS: Final = ("attention", "feedforward", "other")
_DEPTHS: Final = 3
_REGIONS: Final = ("down", "mid", "up", "single", "double", "encoder", "rest")
_CELLS: Final = len(_REGIONS) * _DEPTHS * len(_KINDS)
_PARTS: Final = (0.8, 0.15, 0.05)
"""Shares of sketch, profile and spectrum in the product of two vectors."""

TWIN_COSINE: Final = 0.97
"""From here two sketches are called the same adapter. Measured on generated ones (``tests/embedding``):
conversions and other weights stay above 0.9999, other trainings on the same base below 0.3."""

_FAINT: Final = 1e-9
_ABSURD: Final = 10.0
"""Root mean square of a module's change; models' own weights are about 0.02, trained changes 1e-6 to 1e-2."""
_FLOOR: Final = 4.0
"""Decades of energy that the profile shows."""

IDENTITY: Final = VectorIdentity(
    space="weights",
    model="adapter-delta",
    weights="",
    preprocessing="fold64-signs8-profile63-spectrum8",
    version=2,
    dimension=SKETCH + _CELLS + SINGULAR,
)


@dataclass(slots=True)
class AdapterWeights:
    """What was measured of one adapter file.

    ``vector`` has unit length, ``None`` where nothing can be compared; ``length`` is that of the sketch
    before: the quotient of two lengths is the quotient of the weights. ``norm`` is the Frobenius norm of the
    whole change; ``still`` counts modules that change nothing. ``fault`` is ``nan``, ``infinite``, ``zero``,
    ``faint`` or ``absurd`` with a sentence, if any.
    """

    modules: int = 0
    unread: int = 0
    still: int = 0
    norm: float = 0.0
    length: float = 0.0
    vector: NDArray[np.float32] | None = None
    fault: tuple[str, str] | None = None


@dataclass(slots=True)
class _Sums:
    sketch: NDArray[np.float64] = field(default_factory=lambda: np.zeros((FOLD, PROBES)))
    cells: NDArray[np.float64] = field(default_factory=lambda: np.zeros(_CELLS))
    spectrum: NDArray[np.float64] = field(default_factory=lambda: np.zeros(SINGULAR))
    peak: float = 0.0

    def add(self, delta: Delta, cell: int) -> None:
        self.sketch += delta.sketch
        self.cells[cell] += delta.energy
        self.peak = max(self.peak, sqrt(delta.energy / max(1, delta.cells)))
        if delta.singular[0] > 0.0 and isfinite(delta.energy):
            self.spectrum += delta.singular / delta.singular[0] * delta.energy


def measure_adapter(
    modules: Iterable[ModuleFactors], tensors: Tensors, read: Callable[[], None] | None = None
) -> AdapterWeights:
    """Measure an adapter module by module; ``read`` is called after each. Raises what ``tensors`` raises."""
    found, sums = AdapterWeights(), _Sums()
    listed = list(modules)
    deepest = _deepest(listed)
    broken: list[Broken] = []
    for module in listed:
        found.modules += 1
        try:
            deltas = measure_module(module, tensors)
        except Broken as fault:
            broken.append(fault)
            deltas = []
        if deltas is None:
            found.unread += 1
        for delta in deltas or ():
            sums.add(delta, _cell(module, deepest))
        found.still += bool(deltas) and not any(delta.energy for delta in deltas or ())
        if read is not None:
            read()
    energy = float(sums.cells.sum())
    found.norm = sqrt(energy) if isfinite(energy) else float("inf")
    found.fault = _fault(found, sums.peak, broken)
    if not broken and 2 * found.unread <= found.modules:
        _describe(found, sums)
    return found


def _fault(found: AdapterWeights, peak: float, broken: list[Broken]) -> tuple[str, str] | None:
    """Why the file cannot work, if it cannot."""
    again = "Download it again, or ask its maker."
    if broken:
        first = next((fault for fault in broken if fault.sort == "nan"), broken[0])
        what = "values that are no numbers (NaN)" if first.sort == "nan" else "infinite values"
        where = f"{len(broken)} of {found.modules} modules, the first in {first.tensor[:120]}"
        return first.sort, f"It holds {what} in {where}: pictures made with it turn black. {again}"
    if not found.modules or found.unread:
        return None
    if found.still == found.modules:
        return (
            "zero",
            f"All {found.modules} modules change nothing: it is empty or was never trained. {again}",
        )
    if peak < _FAINT:
        return "faint", f"Its largest change is {peak:.1e} a weight, too small to be seen. {again}"
    if peak > _ABSURD or not isfinite(found.norm):
        return (
            "absurd",
            f"Its largest change is {peak:.1e} a weight, hundreds of times the model's own. {again}",
        )
    return None


def _describe(found: AdapterWeights, sums: _Sums) -> None:
    length = float(np.linalg.norm(sums.sketch))
    if not isfinite(length) or length <= 0.0 or not isfinite(found.norm) or found.norm <= 0.0:
        return
    shares = np.log10(np.maximum(sums.cells / sums.cells.sum(), 10.0**-_FLOOR)) / _FLOOR + 1.0
    parts = (sums.sketch.reshape(-1), shares, sums.spectrum)
    weighted = [sqrt(w) * part / (np.linalg.norm(part) or 1.0) for w, part in zip(_PARTS, parts, strict=True)]
    whole = np.concatenate(weighted)
    found.vector = np.asarray(whole / np.linalg.norm(whole), np.float32)
    found.length = length


def sketches(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """The sketches (n, 512) of whole vectors (n, d), each of unit length: their products are cosines."""
    rows = np.asarray(vectors[:, :SKETCH], np.float32)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0.0, lengths, 1.0), np.float32)


@cache
def _tables() -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    table = read_table("adapter_blocks.toml")
    regions = tuple((row["start"], row["region"]) for row in table["regions"])
    return regions, tuple((row["mark"], row["kind"]) for row in table["kinds"])


@lru_cache(maxsize=20_000)
def _place(part: str, name: str) -> tuple[str, int, str]:
    """Region, number of the block (0 where it says nothing of depth), kind."""
    regions, kinds = _tables()
    kind = next((kind for mark, kind in kinds if mark in name), "other")
    if part != "denoiser":
        return "encoder", 0, kind
    start, region = next((row for row in regions if name.startswith(row[0])), ("", "rest"))
    if region not in ("single", "double"):
        return region, 0, kind
    number = next(
        (int(word) for word in name[len(start) :].split("_") if word.isdigit() and len(word) < 5), 0
    )
    # Originals fuse attention and feed-forward of a single block into one matrix, diffusers does not.
    return region, number, "attention" if region == "single" else kind


def _deepest(modules: list[ModuleFactors]) -> dict[str, int]:
    deepest: dict[str, int] = {}
    for module in modules:
        region, number, _ = _place(module.part, module.name[:250])
        deepest[region] = max(deepest.get(region, 0), number)
    return deepest


def _cell(module: ModuleFactors, deepest: dict[str, int]) -> int:
    region, number, kind = _place(module.part, module.name[:250])
    depth = min(_DEPTHS - 1, number * _DEPTHS // (deepest[region] + 1))
    return (_REGIONS.index(region) * _DEPTHS + depth) * len(_KINDS) + _KINDS.index(kind)
