"""What tensors tell of a file beyond kind and architecture; and what its few scalars add."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import sqrt
from operator import attrgetter
from typing import Any

from indexer.domain.header import Header, HeaderWarning
from indexer.domain.verdict import Need, Rank, Spread, TrainedPart, Verdict
from indexer.rules.factors import factors_of
from indexer.rules.modules import Module, Role
from indexer.rules.needs import encoders_of, needs_of, tensor_needs
from indexer.rules.profile import Profile
from indexer.rules.trained import named_parts, trained_parts

__all__ = ["Details", "add_details", "ranks_by_part", "read_details", "with_alphas", "with_configuration"]

_CONSTRAINED = frozenset({"oft", "boft"})
"""Algorithms whose alpha is a constraint, not a scale."""
_ADAPTERS = ("lora", "control_lora")
_ENCODERS = ("lora_te", "text_encoder", "lora_prior_te", "base_model.model.text_model.")
"""How the names of text encoders' tensors begin (``adapters.toml`` has the prefixes whole)."""
_ADAPTER_KEY = "lora_adapter_metadata"
"""PEFT's configuration: loaders that know it take alpha from there."""
_NEARLY = 0.01
_part_and_rank: Callable[[Module], tuple[str, int | None]] = attrgetter("part", "rank")


@dataclass(frozen=True, slots=True)
class Details:
    """Trained parts (encoders without their ids), ranks by part, encoders that the tensors ask for, and
    whether alphas stand in tensors."""

    trained: tuple[TrainedPart, ...] = ()
    ranks: Mapping[str, Rank] = field(default_factory=dict)
    needs: tuple[Need, ...] = ()
    alphas: bool = False


def read_details(
    kind: str, profile: Profile, roles: Mapping[str, Role], ranks: Mapping[str, Rank]
) -> Details:
    """All that depends on tensors alone."""
    if kind in _ADAPTERS and roles:
        alphas = any(role.slot == "alpha" for role in roles.values())
        return Details(trained_parts(profile, roles), ranks, alphas=alphas)
    return Details(needs=tensor_needs(kind, profile))


def ranks_by_part(modules: Sequence[Module]) -> dict[str, Rank]:
    """Rank by part, ``denoiser`` and ``text_encoder``, of parts that have one."""
    found: dict[str, Counter[int]] = {}
    for (place, rank), number in Counter(map(_part_and_rank, modules)).items():
        if rank is not None:
            part = "denoiser" if place == "denoiser" else "text_encoder"
            found.setdefault(part, Counter())[rank] += number
    return {part: _rank(ranks) for part, ranks in sorted(found.items())}


def _rank(ranks: Counter[int]) -> Rank:
    return Rank(min(ranks), max(ranks), max(ranks, key=lambda rank: (ranks[rank], rank)))


def add_details(verdict: Verdict, details: Details, metadata: Mapping[str, str]) -> Verdict:
    """The verdict with trained parts, needs, ranks and the scale that the metadata imply."""
    alpha = None if verdict.adapter in _CONSTRAINED else verdict.alpha
    told = replace(
        verdict,
        trained=named_parts(details.trained, encoders_of(verdict.architecture)),
        needs=needs_of(verdict.kind, verdict.architecture, verdict.components, details.needs),
        ranks=dict(details.ranks),
        alpha=alpha,
    )
    if not details.alphas and verdict.rank and verdict.adapter not in _CONSTRAINED:
        alpha = alpha if _ADAPTER_KEY in metadata else float(verdict.rank.mode)
    return replace(told, scale=_scale(told, alpha, metadata))


def _scale(verdict: Verdict, alpha: float | None, metadata: Mapping[str, str]) -> float | None:
    """Alpha / rank (rsLoRA that ``metadata`` tell of: / the root of rank). LoKr with both factors whole has
    no rank and scale 1; so has a file without alphas, as programs then take alpha for the rank."""
    if verdict.kind != "lora" or verdict.adapter in (*_CONSTRAINED, "full", "ia3"):
        return None
    if verdict.rank is None:
        return 1.0 if verdict.adapter == "lokr" else None
    if alpha is None:
        return None
    rank = verdict.rank.mode
    return round(alpha / (sqrt(rank) if _rank_stabilised(metadata) else rank), 6) if rank else None


def _rank_stabilised(metadata: Mapping[str, str]) -> bool:
    packed = "".join(metadata.get(_ADAPTER_KEY, "")[:100_000].split())
    arguments = metadata.get("ss_network_args", "")[:100_000]
    return '_rslora":true' in packed or '"rs_lora": "True"' in arguments or '"rs_lora": true' in arguments


def with_alphas(
    verdict: Verdict, values: Mapping[str, float], metadata: Mapping[str, str]
) -> tuple[Verdict, tuple[HeaderWarning, ...]]:
    """The verdict with the alphas that were read from the file: tensor name -> value.

    Where they contradict what the metadata state, the tensors are believed and a warning tells
    (``alpha_mismatch``). OFT's alpha is a constraint: it stands in ``alphas`` and makes no ``alpha``.
    """
    spreads = _spreads(values)
    if not spreads:
        return verdict, ()
    read = spreads.get("denoiser", next(iter(spreads.values())))
    alpha = None if verdict.adapter in _CONSTRAINED else read.mode
    told = replace(verdict, alphas=spreads, alpha=alpha)
    # LyCORIS multiplies rsLoRA's root into the alphas that it saves: all loaders divide them by the rank.
    told = replace(told, scale=_scale(told, alpha, {}))
    stated = verdict.alpha
    if stated is None or alpha is None or _agree(stated, read):
        return told, ()
    if verdict.rank and _rank_stabilised(metadata) and _agree(stated * sqrt(verdict.rank.mode), read):
        return told, ()
    detail = f"the metadata state alpha {stated:g}, the tensors hold {read.mode:g}; the tensors count"
    return told, (HeaderWarning("alpha_mismatch", detail),)


def with_configuration(verdict: Verdict, header: Header, configuration: Mapping[str, Any]) -> Verdict:
    """The verdict on an adapter with the alphas and the scale that ``adapter_config.json`` beside it states
    for its modules; unchanged where it states none."""
    alphas: dict[str, float] = {}
    scales: Counter[float] = Counter()
    for module in factors_of(header, configuration):
        down = module.tensors.get("down")
        shape = header.tensors[down]["shape"] if down is not None else ()
        if down is not None and module.stated is not None and shape and shape[0] > 0:
            alphas[down] = module.stated.alpha
            scales[round(module.stated.at(shape[0]), 6)] += 1
    if not alphas:
        return verdict
    spreads = _spreads(alphas)
    alpha = spreads.get("denoiser", next(iter(spreads.values()))).mode
    scale = max(scales, key=lambda value: (scales[value], value))
    return replace(verdict, alphas=spreads, alpha=alpha, scale=scale)


def _agree(stated: float, read: Spread) -> bool:
    near = max(_NEARLY, _NEARLY * abs(stated))  # alphas may be kept in 16 bits
    return read.min - near <= stated <= read.max + near


def _spreads(values: Mapping[str, float]) -> dict[str, Spread]:
    found: dict[str, Counter[float]] = {}
    for name, value in values.items():
        part = "text_encoder" if name.startswith(_ENCODERS) else "denoiser"
        found.setdefault(part, Counter())[round(value, 6)] += 1
    return {
        part: Spread(min(alphas), max(alphas), max(alphas, key=lambda alpha: (alphas[alpha], alpha)))
        for part, alphas in sorted(found.items())
    }
