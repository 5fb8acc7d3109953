"""What is this file? Kind first, then architecture within the kind, from the header alone.

All signatures are evaluated for all parts of the file, adapters are fitted to reference layouts, and only
then are metadata, names and claims heard: they rank what the tensors leave open. What they say against the
tensors is reported, never believed."""

from collections.abc import Mapping, Sequence
from typing import Any

from indexer.domain.claims import ClaimSet
from indexer.domain.header import Header
from indexer.domain.verdict import Conflict, Verdict
from indexer.domain.vocabulary import architecture_path, kinds
from indexer.rules.adapters import stated_alpha
from indexer.rules.candidates import Answer, resolve
from indexer.rules.details import add_details
from indexer.rules.families import guess_families
from indexer.rules.hints import Hint, gather_hints
from indexer.rules.prediction import read_prediction
from indexer.rules.proof import Proof, prove

__all__ = ["identify"]

_NO_TWINS = frozenset({"vae", "text_encoder", "clip_vision", "upscaler", "textual_inversion"})
"""Kinds whose rows already name all their alternatives."""
_SHARED = frozenset({"vae", "text_encoder", "clip_vision", "upscaler", "unknown"})
"""Kinds that serve several base models, so that a claimed base says nothing against them."""
_ALIKE = (
    frozenset({"checkpoint", "diffusion_model"}),
    frozenset({"lora", "control_lora", "motion_module"}),
    frozenset({"controlnet", "control_lora", "t2i_adapter", "ip_adapter"}),
    frozenset({"text_encoder", "clip_vision"}),
)
"""Kinds that folders and hubs do not keep apart."""


def identify(
    header: Header,
    *,
    file_name: str = "",
    training_base: str | None = None,
    claims: Sequence[ClaimSet] = (),
    training: Mapping[str, Any] | None = None,
) -> Verdict:
    """Identify a model file.

    ``file_name`` is the name without folders, ``training_base`` the base checkpoint that a trainer named,
    ``claims`` what sidecars, folders and hubs say, ``training`` what the metadata tell of the making (fields
    of ``TrainingFacts`` by name). Costs about as much as parsing the header. Never raises:
    ``unknown`` is a verdict.
    """
    proof = prove(header)
    kind, adapter = proof.kind, proof.adapter
    hints = gather_hints(header.metadata, file_name, training_base, claims)
    answer = _weigh(proof, hints)
    path = architecture_path(answer.architecture) if answer.architecture else ()
    root = path[0] if path and kind not in _SHARED else None
    family = guess_families(root, hints, training, header.tensors)
    prediction, foretold = read_prediction(header.tensors, header.metadata, root, file_name)
    verdict = Verdict(
        kind=kind,
        adapter=adapter.algorithm if adapter and kind in ("lora", "control_lora") else None,
        key_format=adapter.format if adapter and kind in ("lora", "control_lora") else None,
        architecture=answer.architecture,
        architecture_path=path,
        candidates=answer.candidates,
        family=family.best,
        confidence=answer.confidence if answer.architecture else _kind_alone(kind),
        evidence=(*proof.evidence, *family.evidence, *foretold),
        conflicts=(*_spoken(kind, answer), *_kind_conflicts(kind, claims)),
        rank=adapter.rank if adapter and kind in ("lora", "control_lora") else None,
        alpha=_alpha(header, training) if kind == "lora" else None,
        dtypes=dict(proof.types),
        quantisation=proof.quantisation,
        parameters=proof.parameters,
        tensors=len(header.tensors),
        prediction_type=prediction,
        components=proof.components,
        program=header.program,
        families=family.ranked,
    )
    return add_details(verdict, proof.details, header.metadata)


def _alpha(header: Header, training: Mapping[str, Any] | None) -> float | None:
    """Alpha as the metadata state it."""
    stated = stated_alpha(header.metadata)
    return stated if stated is not None else (training or {}).get("alpha")


def _weigh(proof: Proof, hints: Sequence[Hint]) -> Answer:
    """Metadata, names and claims rank the architectures that the tensors allow."""
    if not proof.options:
        return Answer(None, (), 0.0, ())
    answer = resolve(proof.options, hints, proof.strength, expand=proof.kind not in _NO_TWINS)
    conflicts = (*answer.conflicts, *proof.disputes)
    return Answer(answer.architecture, answer.candidates, answer.confidence, conflicts)


def _spoken(kind: str, answer: Answer) -> tuple[Conflict, ...]:
    """The conflicts to report, one for each claim, whoever repeats it."""
    if kind in _SHARED:
        return tuple(conflict for conflict in answer.conflicts if conflict.source.startswith("rule "))
    return tuple(
        {(conflict.claim, conflict.found): conflict for conflict in reversed(answer.conflicts)}.values()
    )


def _kind_alone(kind: str) -> float:
    """Confidence where the kind is known and the architecture is not."""
    return 0.0 if kind == "unknown" else 0.5


def _kind_conflicts(kind: str, claims: Sequence[ClaimSet]) -> tuple[Conflict, ...]:
    alike = frozenset({kind, "unknown"}).union(*(group for group in _ALIKE if kind in group))
    return tuple(
        Conflict(str(claim.value), source.source, kind)
        for source in claims
        for claim in source.claims
        if claim.name == "kind" and claim.value in kinds() and claim.value not in alike and kind != "unknown"
    )
