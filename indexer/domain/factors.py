"""The tensors of one module of an adapter, by what they are to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

__all__ = ["ModuleFactors", "StatedScale"]


@dataclass(frozen=True, slots=True)
class StatedScale:
    """How strongly a module's factors count, as a configuration states it: ``alpha`` by the rank, or by its
    root where the rank is ``stabilised`` (rsLoRA, Kalajdzievski 2023, arXiv 2312.03732)."""

    alpha: float
    stabilised: bool = False

    def at(self, rank: int) -> float:
        """What the product of the factors is multiplied by; ``rank`` is 1 or more."""
        return self.alpha / (sqrt(rank) if self.stabilised else rank)


@dataclass(frozen=True, slots=True)
class ModuleFactors:
    """One adapted module. ``part`` is ``denoiser``, ``te`` or ``te#``, ``name`` the module's name with dots
    flattened, ``algorithm`` an id of ``adapters.toml`` (``lora``, ``loha``, ``lokr``, ``oft`` …).

    ``tensors`` says which tensor of the file is which factor: ``down``, ``up``, ``mid``, ``alpha``, ``diff``;
    factors that are numbered go by their own suffix (``hada_w1_a``, ``lokr_t2``, ``lora_up.0.weight``).
    ``stated`` is what a configuration says of its scale; an ``alpha`` among the tensors outweighs it.
    """

    part: str
    name: str
    algorithm: str
    tensors: Mapping[str, str]
    stated: StatedScale | None = None
