"""Adapters with real values for tests: one training, written in many dialects, precisions and weights."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.domain.layouts import load_layout
from indexer.embedding.adapter_vector import AdapterWeights, measure_adapter
from indexer.parsers.safetensors import read_header
from indexer.parsers.tensor_values import TensorReader
from indexer.rules.factors import factors_of
from tests.raw_safetensors import write_values

Values = NDArray[np.float32]


class Pair(NamedTuple):
    """``up`` (rows, rank) and ``down`` (rank, columns): the change is their product."""

    up: Values
    down: Values


Trained = dict[str, Pair]


class Kept:
    """Tensors in memory, as a reader gives them."""

    def __init__(self, tensors: Mapping[str, Values]) -> None:
        self.tensors = tensors

    def shape(self, name: str) -> tuple[int, ...] | None:
        values = self.tensors.get(name)
        return None if values is None else tuple(values.shape)

    def read(self, name: str) -> Values | None:
        return self.tensors.get(name)

    def rows(self, name: str) -> Iterator[Values]:
        values = self.tensors[name]
        yield values.reshape(len(values), -1)


def trained(
    seed: int, sizes: Mapping[str, tuple[int, int]], rank: int = 4, strength: float = 0.01
) -> Trained:
    """A training: random factors for modules of given (rows, columns)."""
    rng = np.random.default_rng(seed)

    def matrix(rows: int, columns: int) -> Values:
        return (rng.standard_normal((rows, columns)) * strength).astype(np.float32)

    return {name: Pair(matrix(rows, rank), matrix(rank, columns)) for name, (rows, columns) in sizes.items()}


def unet_sizes() -> dict[str, tuple[int, int]]:
    """Some attention modules of SDXL, in the original naming with dots."""
    layout = load_layout("sdxl")
    wanted = ("input_blocks.4.1.", "middle_block.1.", "output_blocks.5.1.")
    return {
        name.removesuffix(".weight"): (shape[0], shape[1])
        for name, shape in layout.items()
        if name.startswith(wanted) and len(shape) == 2 and ".attn" in name and name.endswith(".weight")
    }


_DIFFUSERS = (
    ("input_blocks.4.1.", "down_blocks.1.attentions.0."),
    ("middle_block.1.", "mid_block.attentions.0."),
    ("output_blocks.5.1.", "up_blocks.1.attentions.2."),
)


def diffusers_name(name: str) -> str:
    """The diffusers name of one of ``unet_sizes``."""
    for old, new in _DIFFUSERS:
        if name.startswith(old):
            return new + name.removeprefix(old)
    return name


def kohya(adapter: Trained, alpha: float | None = None) -> dict[str, Values]:
    """sd-scripts: flattened names, alpha beside the factors."""
    tensors = {}
    for name, pair in adapter.items():
        stem, rank = "lora_unet_" + name.replace(".", "_"), pair.down.shape[0]
        scale = 1.0 if alpha is None else alpha / rank
        tensors[f"{stem}.lora_down.weight"] = pair.down
        tensors[f"{stem}.lora_up.weight"] = np.asarray(pair.up / scale, np.float32)
        if alpha is not None:
            tensors[f"{stem}.alpha"] = np.array(alpha, np.float32)
    return tensors


def dotted(adapter: Trained, prefix: str = "unet.") -> dict[str, Values]:
    """diffusers (``unet.``, ``transformer.``), ai-toolkit (``diffusion_model.``), PEFT (``base_model.model.``)."""
    tensors = {}
    for name, pair in adapter.items():
        tensors[f"{prefix}{name}.lora_A.weight"] = pair.down
        tensors[f"{prefix}{name}.lora_B.weight"] = pair.up
    return tensors


def renamed(adapter: Trained) -> Trained:
    """The same adapter under diffusers names."""
    return {diffusers_name(name): pair for name, pair in adapter.items()}


def weighted(adapter: Trained, weight: float) -> Trained:
    """The same adapter merged at another weight."""
    return {name: Pair(np.asarray(p.up * weight, np.float32), p.down) for name, p in adapter.items()}


def noisy(adapter: Trained, share: float, seed: int = 99) -> Trained:
    """Trained a little further: noise of this share of each factor's size."""
    rng = np.random.default_rng(seed)

    def shaken(values: Values) -> Values:
        noise = rng.standard_normal(values.shape) * values.std() * share
        return np.asarray(values + noise, np.float32)

    return {name: Pair(shaken(p.up), shaken(p.down)) for name, p in adapter.items()}


def fused(parts: Iterable[Pair]) -> Pair:
    """Query, key and value as one matrix: ranks add up, ``up`` is block-diagonal."""
    pairs = list(parts)
    rank = sum(p.down.shape[0] for p in pairs)
    up = np.zeros((sum(len(p.up) for p in pairs), rank), np.float32)
    row = column = 0
    for pair in pairs:
        up[row : row + len(pair.up), column : column + pair.up.shape[1]] = pair.up
        row, column = row + len(pair.up), column + pair.up.shape[1]
    return Pair(up, np.concatenate([p.down for p in pairs]))


def save(
    path: Path, tensors: Mapping[str, Values], dtype: str = "F32", metadata: Mapping[str, str] | None = None
) -> Path:
    """Write the adapter; answers its path."""
    return write_values(path, tensors, dtype, metadata)


def measured(path: Path) -> AdapterWeights:
    """Read and measure an adapter as the pipeline does."""
    header = read_header(path)
    with TensorReader(path, header) as reader:
        return measure_adapter(factors_of(header), reader)
