"""Which tensors of an adapter belong together, and which factor each of them is; whatever its dialect."""

from collections.abc import Mapping
from typing import Any

from indexer.domain.factors import ModuleFactors
from indexer.domain.header import Header
from indexer.rules.modules import Role, placed_tensors, roles_of
from indexer.rules.profile import Profile
from indexer.rules.scaling import stated_scales

__all__ = ["factors_of"]

_NUMBERED = frozenset({"split", "blocks", "rows"})
"""Slots of which a module may have several; each is known by its suffix."""


def factors_of(header: Header, configuration: Mapping[str, Any] | None = None) -> list[ModuleFactors]:
    """The modules of an adapter with their factors, in the order of the file; empty for other files.

    ``configuration`` is what lies beside the file (``adapter_config.json``), parsed.
    """
    profile = Profile(header)
    roles = roles_of(profile)
    heads: dict[str, tuple[str, str]] = {}
    tensors: dict[str, dict[str, str]] = {}
    algorithms: dict[str, str] = {}
    for place, role, name in placed_tensors(profile, roles):
        heads.setdefault(place.stem, (place.part, place.module))
        tensors.setdefault(place.stem, {})[_slot(role, place.suffix)] = name
        if role.algorithm:
            algorithms[place.stem] = role.algorithm
    for stem, algorithm in algorithms.items():
        if algorithm == "ia3" and f"{stem}.weight" in header.tensors:
            tensors[stem]["diff"] = f"{stem}.weight"
    scales = stated_scales(header.metadata, configuration)
    return [
        ModuleFactors(*heads[stem], algorithm, tensors[stem], scales.of(stem) if scales else None)
        for stem, algorithm in algorithms.items()
    ]


def _slot(role: Role, suffix: str) -> str:
    return suffix if "#" in role.slot or role.slot in _NUMBERED else role.slot
