"""What of a header takes part in fitting: the ``FitProfile`` to keep for a file."""

from collections.abc import Mapping
from typing import Any

from indexer.domain.fit import DENOISER, FitProfile, Subject, Weight
from indexer.domain.header import Header
from indexer.domain.verdict import Verdict
from indexer.domain.vocabulary import read_table
from indexer.rules.fit_adapter import changes_of
from indexer.rules.fit_control import control_changes
from indexer.rules.fit_facts import facts_of
from indexer.rules.fit_weights import base_weights, control_weights
from indexer.rules.profile import Profile

__all__ = ["fit_profile", "fit_profile_of_folder", "stored_subject", "subject_of"]

_ADAPTERS = frozenset({"lora", "control_lora"})
_BASES = frozenset({"checkpoint", "diffusion_model"})


def fit_profile(header: Header, kind: str) -> FitProfile:
    """The profile of a file that was found to be of ``kind``. Linear in the header, bounded; never raises."""
    if kind in _ADAPTERS:
        asked = changes_of(Profile(header), widens=kind == "control_lora")
        names = [change[:2] for change in asked.changes if change.sort != "bias"]
        facts = {
            "dialects": list(asked.dialects),
            "doubled": len(set(names)) < len(names),
            "rank": asked.rank,
        }
        if asked.changes and asked.unread:
            facts["unread"] = asked.unread
        changes = asked.changes or (control_changes(header) if kind == "control_lora" else ())
        return FitProfile(kind, changes, asked.faults, facts=facts)
    if kind in _BASES:
        weights, form = base_weights(header)
        return FitProfile(
            kind, weights=weights, form=form or (header.container if header.container == "gguf" else None)
        )
    if kind == "controlnet":
        return FitProfile(kind, weights={"control": control_weights(header)})
    return FitProfile(kind, facts=facts_of(header, kind))


def fit_profile_of_folder(components: Mapping[str, Header]) -> FitProfile:
    """The profile of a diffusers folder, from the headers of its components by name."""
    labels = read_table("fit.toml")["components"]
    weights: dict[str, Mapping[str, Weight]] = {}
    form = None
    for name, header in components.items():
        label = DENOISER if name in labels["denoiser"] else labels.get(name)
        if isinstance(label, str) and label not in weights:
            inside, found = base_weights(header)
            form = form or found
            weights[label] = inside.get(DENOISER) or next(iter(inside.values()), {})
    return FitProfile("diffusion_model", weights=weights, form=form)


def subject_of(verdict: Verdict) -> Subject:
    """What fitting needs of a verdict."""
    return Subject(
        kind=verdict.kind,
        architecture=verdict.architecture,
        path=verdict.architecture_path,
        options=tuple((candidate.architecture, candidate.confidence) for candidate in verdict.candidates),
        family=verdict.family,
        prediction=verdict.prediction_type,
        dialect=verdict.key_format,
        components=verdict.components,
        needs=tuple((need.part, need.options) for need in verdict.needs),
    )


def stored_subject(detail: Mapping[str, Any]) -> Subject:
    """The same of a verdict as the catalog keeps it; rows of older rules may lack a name."""
    return Subject(
        kind=detail.get("kind") or "unknown",
        architecture=detail.get("architecture"),
        path=tuple(detail.get("architecture_path") or ()),
        options=tuple((row["architecture"], row["confidence"]) for row in detail.get("candidates") or ()),
        family=detail.get("family"),
        prediction=detail.get("prediction_type"),
        dialect=detail.get("key_format"),
        components=tuple(detail.get("components") or ()),
        needs=tuple((need["part"], tuple(need["options"])) for need in detail.get("needs") or ()),
    )
