"""The tensors of one module of an adapter, by what they are to it."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["ModuleFactors"]


@dataclass(frozen=True, slots=True)
class ModuleFactors:
    """One adapted module. ``part`` is ``denoiser``, ``te`` or ``te#``, ``name`` the module's name with dots
    flattened, ``algorithm`` an id of ``adapters.toml`` (``lora``, ``loha``, ``lokr``, ``oft`` …).

    ``tensors`` says which tensor of the file is which factor: ``down``, ``up``, ``mid``, ``alpha``, ``diff``;
    factors that are numbered go by their own suffix (``hada_w1_a``, ``lokr_t2``, ``lora_up.0.weight``).
    """

    part: str
    name: str
    algorithm: str
    tensors: Mapping[str, str]
