"""What is this file? Kind first, then architecture within the kind, from the header alone.

All signatures are evaluated for all parts of the file, adapters are fitted to reference layouts, and only
then are metadata, names and claims heard: they rank what the tensors leave open. What they say against the
tensors is reported, never believed."""

from collections.abc import Sequence

from indexer.domain.claims import ClaimSet
from indexer.domain.header import Header
from indexer.domain.verdict import Conflict, Evidence, Verdict
from indexer.domain.vocabulary import architecture, architecture_path, is_under, kinds
from indexer.rules.adapters import Adapter, read_adapter, stated_alpha
from indexer.rules.candidates import Answer, resolve
from indexer.rules.families import guess_family
from indexer.rules.hints import Hint, gather_hints
from indexer.rules.modules import roles_of
from indexer.rules.profile import Profile
from indexer.rules.quantisation import count_parameters, count_types, prediction_type, quantised_form
from indexer.rules.signatures import Match, match_all

__all__ = ["identify"]

_UNPROVEN = 0.8
_DISPUTED = 0.6
_PARTS = frozenset({"vae", "text_encoder", "clip_vision"})
_DENOISER = "diffusion_model"
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
) -> Verdict:
    """Identify a model file.

    ``file_name`` is the name without folders, ``training_base`` the base checkpoint that a trainer named,
    ``claims`` what sidecars, folders and hubs say. Costs about as much as parsing the header. Never raises:
    ``unknown`` is a verdict.
    """
    profile = Profile(header)
    roles = roles_of(profile)
    matches = match_all(profile, profile.views)
    adapter = read_adapter(profile, roles, header.metadata) if roles else None
    kind = _kind(matches, adapter)
    hints = gather_hints(header.metadata, file_name, training_base, claims)
    answer, evidence = _architecture(kind, matches, adapter, hints)
    path = architecture_path(answer.architecture) if answer.architecture else ()
    family, why = guess_family(path[0] if path else None, hints)
    types = count_types(profile)
    form = quantised_form(profile, types, header.container)
    return Verdict(
        kind=kind,
        adapter=adapter.algorithm if adapter and kind in ("lora", "control_lora") else None,
        key_format=adapter.format if adapter and kind in ("lora", "control_lora") else None,
        architecture=answer.architecture,
        architecture_path=path,
        candidates=answer.candidates,
        family=family,
        confidence=answer.confidence if answer.architecture else _kind_alone(kind),
        evidence=(*evidence, *why),
        conflicts=(*_spoken(kind, answer), *_kind_conflicts(kind, claims)),
        rank=adapter.rank if adapter and kind in ("lora", "control_lora") else None,
        alpha=stated_alpha(header.metadata) if kind == "lora" else None,
        dtypes=types,
        quantisation=form,
        parameters=count_parameters(profile, form),
        tensors=len(profile.names),
        prediction_type=prediction_type(profile, header.metadata),
        components=_components(kind, matches, profile),
        program=header.program,
    )


def _kind(matches: Sequence[Match], adapter: Adapter | None) -> str:
    """The kind with the lowest order of all that show marks; a denoiser with other parts is a checkpoint."""
    found = {match.signature.kind for match in matches}
    if adapter:
        found.add("lora")
    if _DENOISER in found and found & _PARTS and _apart(matches):
        found.add("checkpoint")
    return min(found, key=lambda kind: kinds()[kind].order, default="unknown")


def _apart(matches: Sequence[Match]) -> bool:
    """Whether a VAE or an encoder stands behind a prefix of its own, not within the denoiser."""
    denoisers = {match.view.prefix for match in matches if match.signature.kind == _DENOISER}
    others = {match.view.prefix for match in matches if match.signature.kind in _PARTS}
    return any(
        not prefix.startswith(tuple(p for p in denoisers if p)) or not prefix for prefix in others - denoisers
    )


def _architecture(
    kind: str, matches: Sequence[Match], adapter: Adapter | None, hints: Sequence[Hint]
) -> tuple[Answer, tuple[Evidence, ...]]:
    if kind == "lora" and adapter:
        return resolve(adapter.options, hints, adapter.proof), adapter.evidence
    wanted = _DENOISER if kind == "checkpoint" else kind
    rows = [match for match in matches if match.signature.kind == wanted]
    told = [match for match in rows if match.signature.architectures]
    evidence = tuple(Evidence(match.signature.id, match.detail) for match in told or rows)
    if not told:
        return Answer(None, (), 0.0, ()), evidence
    options, proof, disputes = _strongest(told)
    answer = resolve(options, hints, proof, expand=kind not in _NO_TWINS)
    conflicts = (*answer.conflicts, *disputes)
    return Answer(answer.architecture, answer.candidates, answer.confidence, conflicts), evidence


def _strongest(matches: Sequence[Match]) -> tuple[tuple[str, ...], float, tuple[Conflict, ...]]:
    """The alternatives of the most specific rows; rows that disagree with them are conflicts."""
    sure = [match for match in matches if match.proven]
    hidden = [match for match in matches if not match.proven and (not sure or _refines(match, sure))]
    deepest = [match for match in (*sure, *hidden) if not any(_refines(m, [match]) for m in (*sure, *hidden))]
    told = sorted((match for match in deepest if match.proven), key=lambda match: -match.signature.weight)
    if not told:
        every = dict.fromkeys(named for match in deepest for named in match.signature.architectures)
        return tuple(every), _UNPROVEN, ()
    first = told[0].signature
    options = tuple(a for a in first.architectures if all(_allows(m, a) for m in told)) or first.architectures
    against = [match for match in told if not any(_allows(match, option) for option in options)]
    disputes = tuple(_dispute(match, first.architectures) for match in against)
    return options, _DISPUTED if against else 1.0, disputes


def _dispute(match: Match, found: Sequence[str]) -> Conflict:
    return Conflict("/".join(match.signature.architectures), f"rule {match.signature.id}", "/".join(found))


def _refines(match: Match, others: Sequence[Match]) -> bool:
    """Whether all that ``match`` names stands strictly below something that one of ``others`` names."""
    mine = match.signature.architectures
    return any(
        all(any(a != b and is_under(a, b) for b in other.signature.architectures) for a in mine)
        for other in others
    )


def _allows(match: Match, option: str) -> bool:
    return any(is_under(option, named) or is_under(named, option) for named in match.signature.architectures)


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


def _components(kind: str, matches: Sequence[Match], profile: Profile) -> tuple[str, ...]:
    """What else is inside an all-in-one file: ``vae``, ids of text encoders, ``ema``, ``depth``."""
    if kind not in ("checkpoint", _DENOISER):
        return ()
    inside = []
    for match in matches:
        if match.signature.kind in _PARTS:
            named = match.signature.architectures
            inside.append("vae" if match.signature.kind == "vae" or not named else architecture(named[0]).id)
    prefixes = {view.prefix for view in profile.views}
    inside += [
        name for name, prefix in (("ema", "model_ema."), ("depth", "depth_model.")) if prefix in prefixes
    ]
    return tuple(dict.fromkeys(inside))
