"""What an adapter is: algorithm, dialect, rank, and the models that its modules fit."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from indexer.domain.verdict import Evidence, Rank
from indexer.rules.details import ranks_by_part
from indexer.rules.fitting import Fit, fit_denoisers, fit_encoders
from indexer.rules.modules import Module, Role, modules_of
from indexer.rules.profile import Profile

__all__ = ["Adapter", "read_adapter", "stated_alpha", "stated_sort"]

_NAMES_ONLY = 0.75
"""How well a fit by module names alone proves an architecture."""


_part: Callable[[Module], str] = attrgetter("part")
_module_rank: Callable[[Module], int | None] = attrgetter("rank")


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter file taken apart. ``options`` are the architectures it fits, ``proof`` 0..1 how well."""

    algorithm: str
    format: str
    rank: Rank | None
    options: tuple[str, ...]
    proof: float
    evidence: tuple[Evidence, ...]
    ranks: Mapping[str, Rank]


def read_adapter(profile: Profile, roles: Mapping[str, Role], sort: str | None = None) -> Adapter:
    """Take an adapter apart and fit it to the reference layouts. ``sort`` is the ``stated_sort``."""
    modules = modules_of(profile, roles)
    algorithm, below = _algorithm(profile, roles, sort)
    form = _format(profile, roles)
    options, proof, seen = _fit(modules)
    parts = Counter(map(_part, modules))
    detail = f"{algorithm}{below} in {form} names, {len(modules)} modules ({_listed(parts)})"
    return Adapter(
        algorithm,
        form,
        _rank(modules),
        options,
        proof,
        (Evidence("adapter", detail), *seen),
        ranks_by_part(modules),
    )


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))


def _algorithm(profile: Profile, roles: Mapping[str, Role], sort: str | None) -> tuple[str, str]:
    """The algorithm, and what stands below it where a magnitude is trained on top."""
    tensors: Counter[str] = Counter()
    for template, role in roles.items():
        if role.algorithm:
            tensors[role.algorithm] += profile.counts[template]
    if len(tensors) > 1:
        del tensors["full"]  # distilled adapters carry whole norms beside their factors
    found = tensors.most_common(1)[0][0] if tensors else "lora"
    if found == "lora":
        found = _lora_sort(profile, roles, sort)
    elif found == "oft" and any(
        len(profile.tensors[name]["shape"]) == 4 for name in _examples(profile, roles, "blocks")
    ):
        found = "boft"
    if any(role.slot == "magnitude" for role in roles.values()):
        return "dora", f" over {found}"
    return found, ""


def _examples(profile: Profile, roles: Mapping[str, Role], slot: str) -> list[str]:
    return [profile.examples[template] for template, role in roles.items() if role.slot == slot]


def stated_sort(metadata: Mapping[str, str]) -> str | None:
    """The sort of LoRA that the metadata state where its tensors may not tell: ``dylora``, ``locon``."""
    arguments = metadata.get("ss_network_args", "")
    if "dylora" in metadata.get("ss_network_module", "") or '"dylora"' in arguments:
        return "dylora"
    return "locon" if '"locon"' in arguments else None


def _lora_sort(profile: Profile, roles: Mapping[str, Role], sort: str | None) -> str:
    if sort:
        return sort
    if any(role.slot == "mid" for role in roles.values()):
        return "locon"
    kernels = (profile.tensors[name]["shape"][2:] for name in _examples(profile, roles, "down"))
    return "locon" if any(size > 1 for kernel in kernels for size in kernel) else "lora"


def _format(profile: Profile, roles: Mapping[str, Role]) -> str:
    formats: Counter[str] = Counter()
    for template, role in roles.items():
        formats[role.format] += profile.counts[template] + (role.part == "denoiser") * len(profile.names)
    found = formats.most_common(1)[0][0]
    if any("motion_modules" in template for template in roles):
        return "animatediff"
    if found:
        return found
    bare = any(template.startswith(("double_blocks.", "single_blocks.")) for template in roles)
    return "bfl" if bare else "plain"


def _rank(modules: Sequence[Module]) -> Rank | None:
    ranks = Counter(map(_module_rank, modules))
    known = [rank for rank in ranks if rank is not None]
    if not known:
        return None
    return Rank(min(known), max(known), max(known, key=lambda rank: (ranks[rank], rank)))


def _fit(modules: Sequence[Module]) -> tuple[tuple[str, ...], float, tuple[Evidence, ...]]:
    denoiser = [module for module in modules if module.part == "denoiser"]
    fits = fit_denoisers(denoiser) or fit_denoisers([_nameless_size(module) for module in denoiser])
    if fits:
        return _verdict(fits, len(denoiser))
    for part in ("te", "te#"):
        encoder = [module for module in modules if module.part == part]
        if encoder and (fits := fit_encoders(encoder, part)):
            return _verdict(fits, len(encoder))
    return (), 0.0, ()


def _nameless_size(module: Module) -> Module:
    return module._replace(rows=None, columns=None)


def _verdict(fits: Sequence[Fit], modules: int) -> tuple[tuple[str, ...], float, tuple[Evidence, ...]]:
    best = fits[0]
    sized = best.sized >= 0.9 * best.share
    proof = best.share * (1.0 if sized else _NAMES_ONLY) * (1.0 if modules > 3 else 0.9)
    options = tuple(dict.fromkeys(named for fit in fits for named in fit.architectures))
    how = "names and sizes" if sized else "names"
    named = ", ".join(dict.fromkeys(fit.layout for fit in fits[:6]))
    detail = (
        f"{best.share:.0%} of {modules} modules fit {named} by {how}; {best.coverage:.0%} of the like touched"
    )
    return options, proof, (Evidence("fit", detail),)


def stated_alpha(metadata: Mapping[str, str]) -> float | None:
    """Alpha as the header's metadata state it (the tensor itself is data, not header); ``None`` if they do
    not."""
    if stated := metadata.get("ss_network_alpha"):
        return _number(stated)
    try:
        adapter = json.loads(metadata.get("lora_adapter_metadata", "null"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(adapter, dict):
        return None
    return next((_number(str(value)) for key, value in adapter.items() if key.endswith("lora_alpha")), None)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < 1e9 else None
