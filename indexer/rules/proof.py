"""What the tensors alone prove of a file, whatever it is called and whoever claims what.

The answer depends on names, types and shapes and on nothing else, and a library holds thousands of files in
which all three are the same: one trainer, one base, one rank. So the latest few thousand answers are
remembered by the digest that the reader made of them (``Header.listing``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

from indexer.domain.header import Header
from indexer.domain.verdict import Conflict, Evidence
from indexer.domain.vocabulary import architecture, is_under, kinds
from indexer.rules.adapters import Adapter, read_adapter, stated_sort
from indexer.rules.details import Details, read_details
from indexer.rules.fragments import fit_fragment
from indexer.rules.modules import roles_of
from indexer.rules.profile import Profile
from indexer.rules.quantisation import count_parameters, count_types, quantised_form
from indexer.rules.signatures import Match, match_all

__all__ = ["DENOISER", "Proof", "prove", "prove_anew"]

DENOISER = "diffusion_model"
_UNPROVEN = 0.8
_DISPUTED = 0.6
_PARTS = frozenset({"vae", "text_encoder", "clip_vision"})

_MAY_FOLD = frozenset({"int8-scaled", "torchao", "quanto"})

_MOST_PROOFS = 2048
_MOST_NAMES = 50_000
_LONGEST_PROOF = 10_000
"""Characters of evidence. Only files that look like models are remembered, so memory stays bounded."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a header proves. ``options`` are the architectures that the tensors allow, ``strength`` 0..1 how
    well they prove that it is one of them; ``types`` counts tensors by type; ``details`` is the rest that
    tensors tell."""

    kind: str
    adapter: Adapter | None
    options: tuple[str, ...]
    strength: float
    disputes: tuple[Conflict, ...]
    evidence: tuple[Evidence, ...]
    types: Mapping[str, int]
    quantisation: str | None
    parameters: int
    components: tuple[str, ...]
    details: Details


def prove(header: Header) -> Proof:
    """What the tensors prove; remembered from one file to the next of the same names, types and shapes."""
    if not header.listing or len(header.tensors) > _MOST_NAMES:
        return prove_anew(header)
    key = (header.container, stated_sort(header.metadata), header.listing)
    proof = _remembered.get(key)
    if proof is None:
        proof = prove_anew(header)
        if sum(len(item.detail) for item in proof.evidence) <= _LONGEST_PROOF:
            _remembered.put(key, proof)
    return proof


def prove_anew(header: Header) -> Proof:
    """The same without memory. Where nothing has the sizes that a file of eight-bit numbers tells, they may
    hold two weights each (ComfyUI's ``convrot_w4a4``): then names and the other sizes must do."""
    proof = _proof(header, Profile(header))
    if proof.options or proof.quantisation not in _MAY_FOLD:
        return proof
    return _proof(header, Profile(header, folded=True))


def _proof(header: Header, profile: Profile) -> Proof:
    roles = roles_of(profile)
    matches = match_all(profile, profile.views)
    adapter = read_adapter(profile, roles, stated_sort(header.metadata)) if roles else None
    kind = _kind(matches, adapter)
    types = count_types(profile)
    form = quantised_form(profile, types, header.container)
    options, strength, disputes, evidence = _options(kind, matches, adapter)
    if not options and kind in (DENOISER, "unknown") and (fragment := fit_fragment(profile)):
        kind, options, strength, evidence = DENOISER, fragment.options, fragment.strength, fragment.evidence
    return Proof(
        kind=kind,
        adapter=adapter,
        options=options,
        strength=strength,
        disputes=disputes,
        evidence=evidence,
        types=types,
        quantisation=form,
        parameters=count_parameters(profile, form),
        components=_components(kind, matches, profile),
        details=read_details(kind, profile, roles, adapter.ranks if adapter else {}),
    )


# ---------------------------------------------------------------- memory


_Key = tuple[str, str | None, bytes]


class _Memory:
    """The latest proofs by key."""

    def __init__(self) -> None:
        self._kept: dict[_Key, Proof] = {}
        self._lock = Lock()

    def get(self, key: _Key) -> Proof | None:
        with self._lock:
            proof = self._kept.pop(key, None)
            if proof is not None:
                self._kept[key] = proof  # the end of the queue
            return proof

    def put(self, key: _Key, proof: Proof) -> None:
        with self._lock:
            self._kept[key] = proof
            if len(self._kept) > _MOST_PROOFS:
                del self._kept[next(iter(self._kept))]


_remembered = _Memory()


# ---------------------------------------------------------------- kind and architecture


def _kind(matches: Sequence[Match], adapter: Adapter | None) -> str:
    """The kind with the lowest order of all that show marks; a denoiser with other parts is a checkpoint."""
    found = {match.signature.kind for match in matches}
    if adapter:
        found.add("lora")
    if DENOISER in found and found & _PARTS and _apart(matches):
        found.add("checkpoint")
    return min(found, key=lambda kind: kinds()[kind].order, default="unknown")


def _apart(matches: Sequence[Match]) -> bool:
    """Whether a VAE or an encoder stands behind a prefix of its own, not within the denoiser."""
    denoisers = {match.view.prefix for match in matches if match.signature.kind == DENOISER}
    others = {match.view.prefix for match in matches if match.signature.kind in _PARTS}
    return any(
        not prefix.startswith(tuple(p for p in denoisers if p)) or not prefix for prefix in others - denoisers
    )


_Options = tuple[tuple[str, ...], float, tuple[Conflict, ...], tuple[Evidence, ...]]


def _options(kind: str, matches: Sequence[Match], adapter: Adapter | None) -> _Options:
    if kind == "lora" and adapter:
        return adapter.options, adapter.proof, (), adapter.evidence
    wanted = DENOISER if kind == "checkpoint" else kind
    rows = [match for match in matches if match.signature.kind == wanted]
    told = [match for match in rows if match.signature.architectures]
    evidence = tuple(Evidence(match.signature.id, match.detail) for match in told or rows)
    return (*_strongest(told), evidence) if told else ((), 0.0, (), evidence)


def _strongest(matches: Sequence[Match]) -> tuple[tuple[str, ...], float, tuple[Conflict, ...]]:
    """The alternatives of the most specific rows; rows that disagree with them are conflicts."""
    sure = [match for match in matches if match.proven]
    hidden = [match for match in matches if not match.proven and (not sure or _refines(match, sure))]
    deepest = [match for match in (*sure, *hidden) if not any(_refines(m, [match]) for m in (*sure, *hidden))]
    based_on = {base for match in sure for base in match.signature.of}
    top = [match for match in deepest if match.proven and match.signature.id not in based_on]
    told = sorted(top, key=lambda match: -match.signature.weight)
    if not told:
        above = [match for match in sure if not any(_refines(m, [match]) for m in sure)]
        known = [named for match in above for named in match.signature.architectures]
        every = [named for match in deepest for named in match.signature.architectures]
        every += [named for named in known if not architecture(named).abstract]
        return tuple(dict.fromkeys(every)), _UNPROVEN, ()
    first = told[0].signature
    options = tuple(a for a in first.architectures if all(_allows(m, a) for m in told)) or first.architectures
    against = [match for match in told if not any(_allows(match, option) for option in options)]
    disputes = tuple(_dispute(match, first.architectures) for match in against)
    return options, _DISPUTED if against else 1.0, disputes


def _dispute(match: Match, found: Sequence[str]) -> Conflict:
    return Conflict("/".join(match.signature.architectures), f"rule {match.signature.id}", "/".join(found))


def _refines(match: Match, others: Sequence[Match]) -> bool:
    """Whether ``match`` names less than one of ``others``: nothing beside it, and not all of it."""
    mine = match.signature.architectures
    return any(
        all(any(is_under(a, b) for b in other.signature.architectures) for a in mine)
        and not all(any(is_under(b, a) for a in mine) for b in other.signature.architectures)
        for other in others
    )


def _allows(match: Match, option: str) -> bool:
    return any(is_under(option, named) or is_under(named, option) for named in match.signature.architectures)


def _components(kind: str, matches: Sequence[Match], profile: Profile) -> tuple[str, ...]:
    """What else is inside an all-in-one file: ``vae``, ids of text encoders, ``ema``, ``depth``."""
    if kind not in ("checkpoint", DENOISER):
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
