"""Which model does a piece of one belong to? For files that no signature knows: listings that were cut short,
single blocks, weights without the tensors that tell models apart.

Their weights are fitted to the reference layouts as the modules of an adapter are. What fits is a guess with
its reasons, and never a confident one."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from indexer.domain.verdict import Evidence
from indexer.rules.fitting import fit_denoisers
from indexer.rules.modules import Module
from indexer.rules.profile import Profile, View

__all__ = ["Fragment", "fit_fragment"]

_PROOF = 0.8
_ENOUGH = 0.9
"""A piece fits nearly whole or not at all; strangers share single names."""
_FEWEST = 2
_MOST = 5_000
"""Weights looked at; more add nothing."""
_ENDS = (".weight", ".bias")


@dataclass(frozen=True, slots=True)
class Fragment:
    """The architectures that the piece fits, ``strength`` 0..1 how well, and why."""

    options: tuple[str, ...]
    strength: float
    evidence: tuple[Evidence, ...]


def fit_fragment(profile: Profile) -> Fragment | None:
    """The denoisers that the weights of the file fit by name and size; ``None`` where they fit none."""
    best: Fragment | None = None
    for view in profile.views:
        modules = list(islice(_modules(profile, view), _MOST))
        if len(modules) < _FEWEST:
            continue
        fragment = _fit(modules)
        if fragment and (best is None or fragment.strength > best.strength):
            best = fragment
    return best


def _modules(profile: Profile, view: View) -> Iterator[Module]:
    """The weights of a part as if they were modules of an adapter; a bias tells the rows alone."""
    cut = len(view.prefix)
    for name in islice(profile.names, 4 * _MOST):
        if not name.startswith(view.prefix):
            continue
        stem, end = name[cut:].rpartition(".")[::2]
        if f".{end}" not in _ENDS or not stem:
            continue
        shape = profile.shape(name)
        rows = shape[0] if shape else None
        columns = _columns(shape) if end == "weight" else None
        yield Module(
            "denoiser", stem.replace(".", "_"), rows if columns or end == "bias" else None, columns, None
        )


def _columns(shape: list[int] | None) -> int | None:
    if not shape or shape == [1]:
        return None
    columns = 1
    for size in shape[1:]:
        columns *= size
    return columns


def _fit(modules: list[Module]) -> Fragment | None:
    fits = fit_denoisers(modules)
    if not fits or fits[0].share < _ENOUGH:
        return None
    options = tuple(dict.fromkeys(named for fit in fits for named in fit.architectures))
    named = ", ".join(dict.fromkeys(fit.layout for fit in fits[:6]))
    detail = (
        f"{fits[0].share:.0%} of {len(modules)} weights fit {named}; nothing that tells it better is here"
    )
    return Fragment(options, _PROOF * fits[0].share, (Evidence("fragment", detail),))
