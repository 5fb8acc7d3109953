"""From what the tensors prove to one answer: the deepest node proven, and the models that remain, weighed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from indexer.domain.verdict import Candidate, Conflict
from indexer.domain.vocabulary import (
    architecture,
    architecture_path,
    architectures,
    common_ancestor,
    is_under,
    leaves,
    lookalikes,
)
from indexer.rules.hints import Hint

__all__ = ["Answer", "resolve"]

_SURE = 0.97
_EXACT = 8.0
"""A hint at a model itself counts so much more than one at a node above it."""
_OPEN = 0.85
"""Where several models remain, no guess at one of them is better than this."""


@dataclass(frozen=True, slots=True)
class Answer:
    """``architecture`` is proven by tensors as far as ``confidence`` says; ``candidates`` are what
    remains."""

    architecture: str | None
    candidates: tuple[Candidate, ...]
    confidence: float
    conflicts: tuple[Conflict, ...]


def resolve(options: Sequence[str], hints: Sequence[Hint], proof: float, *, expand: bool = True) -> Answer:
    """Weigh ``options`` (ids that the tensors allow, likeliest first) with ``hints``.

    ``proof`` is 0..1: how well the tensors prove that it is one of them. ``expand`` adds twins and, for
    abstract nodes, the models below.
    """
    models = _expand(options) if expand else list(dict.fromkeys(options))
    if not models:
        return Answer(None, (), 0.0, ())
    weights = {
        model: (architecture(model).prior if expand else 1 / place) * _heard(model, hints)
        for place, model in enumerate(models, 1)
    }
    roots: dict[str, float] = {}
    for model, weight in weights.items():
        root = architecture_path(model)[0]
        roots[root] = roots.get(root, 0.0) + weight
    total = sum(roots.values())
    best = max(roots, key=lambda root: roots[root])
    node = common_ancestor({model for model in models if architecture_path(model)[0] == best})
    confidence = _SURE * proof if len(roots) == 1 else min(_OPEN, _SURE * roots[best] / total) * proof
    ranked = sorted(weights, key=lambda model: -weights[model])
    most = _SURE if len(models) == 1 else _OPEN
    candidates = tuple(Candidate(m, round(min(most, _SURE * weights[m] / total) * proof, 3)) for m in ranked)
    return Answer(node, candidates, round(confidence, 3), _conflicts(node, models, hints))


def _expand(options: Sequence[str]) -> list[str]:
    models: list[str] = []
    for option in options:
        role = architecture(option).role
        below = leaves(option) if architecture(option).abstract else (option,)
        for model in below:
            if architecture(model).role == role:
                models += _twins(model)
    return list(dict.fromkeys(models))


@cache
def _twins(model: str) -> tuple[str, ...]:
    twins = lookalikes(model)
    return tuple(key for key in architectures() if key in twins)


def _heard(model: str, hints: Iterable[Hint]) -> float:
    """How much likelier the hints make a model; each source counts once."""
    weight = 1.0
    sources: dict[str, float] = {}
    for hint in hints:
        if any(is_under(model, named) for named in hint.architectures):
            exact = _EXACT if model in hint.architectures else 1.0
            sources[hint.source] = max(sources.get(hint.source, 1.0), hint.weight * exact)
    for factor in sources.values():
        weight *= factor
    return weight


def _conflicts(node: str | None, models: Sequence[str], hints: Iterable[Hint]) -> tuple[Conflict, ...]:
    found = node or models[0]
    return tuple(
        Conflict(hint.text, hint.source, found)
        for hint in hints
        if hint.strong and hint.architectures and not _agrees(hint.architectures, models)
    )


def _agrees(named: Sequence[str], models: Sequence[str]) -> bool:
    return any(is_under(model, name) or is_under(name, model) for name in named for model in models)
