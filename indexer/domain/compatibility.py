"""What loads on which architecture, told by ids alone; where both files are there, their tensors say more."""

from collections.abc import Sequence
from functools import cache

from indexer.domain.vocabulary import architecture_path, architectures

__all__ = ["loads_on"]


def loads_on(kind: str, architecture: str | None, path: Sequence[str]) -> tuple[str, ...]:
    """Ids of the architectures on which a model of this kind and architecture loads: its own, those above it
    (whose layout it shares) and below it."""
    if architecture is None:
        return ()
    return tuple(dict.fromkeys((*path, *_below(architecture))))


@cache
def _below(architecture: str) -> tuple[str, ...]:
    return tuple(name for name in architectures() if architecture in architecture_path(name))
