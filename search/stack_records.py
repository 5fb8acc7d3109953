"""What a stack is made of, as far as judging it goes: a base, addons, and what was found of their pairs."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from indexer.domain.fit import FitVerdict
from indexer.domain.verdict import Need

__all__ = ["Addon", "Alignment", "Block", "Member", "Needed", "Spare", "Weight", "load_stack_table", "number"]


@cache
def load_stack_table() -> Mapping[str, Any]:
    """The numbers of ``search/data/stack.toml``."""
    text = (resources.files("search.data") / "stack.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def number(group: str, name: str) -> float:
    """One number of the table."""
    value: float = load_stack_table()[group][name]["value"]
    return value


@dataclass(frozen=True, slots=True)
class Weight:
    """How strongly an addon is applied: ``source`` is ``given``, ``pictures`` (the median of those that use
    it), ``creator`` (recommended) or ``default``. ``low`` and ``high`` are the range that pictures use."""

    value: float = 1.0
    source: str = "default"
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """The base or an addon. ``id`` is its entry's, None for a file or an architecture that is in no catalog.

    ``size`` is in bytes as stored; ``cells`` counts weights of the ``denoiser`` and of the ``other`` parts;
    ``quantised`` names a form in which they stay whatever precision is asked for. ``terms`` names its licence
    and that of what it was made for; ``permissions`` as ``Document.permissions`` has them. ``changed`` are
    the weights that an adapter changes, under names that do not depend on its dialect.
    """

    name: str
    kind: str
    id: int | None = None
    version: str = ""
    path: str | None = None
    architecture: str | None = None
    title: str | None = None
    size: int | None = None
    cells: Mapping[str, int] = field(default_factory=dict)
    quantised: str | None = None
    triggers: tuple[str, ...] = ()
    terms: str = ""
    permissions: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()
    changed: frozenset[str] = frozenset()
    options: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Addon:
    """An addon, its weight, and whether it fits the base."""

    member: Member
    verdict: FitVerdict
    weight: Weight = Weight()


@dataclass(frozen=True, slots=True)
class Spare:
    """A part that the library has: an entry's id and name, bytes as stored, number of weights."""

    id: int
    name: str
    architecture: str
    size: int
    cells: int | None = None
    quantised: str | None = None


@dataclass(frozen=True, slots=True)
class Needed:
    """A part that ``by`` works with and does not hold: ``given`` names the addon that is it, ``spares`` what
    the library has, best first; ``cells`` is its number of weights by its reference layout, None if
    unknown."""

    need: Need
    by: str
    given: str | None = None
    spares: tuple[Spare, ...] = ()
    cells: int | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """One block of the model: the cosine of two adapters' changes there, and its share 0..1 of both."""

    name: str
    cosine: float
    share: float


@dataclass(frozen=True, slots=True)
class Alignment:
    """How the changes of two adapters lie to each other, over the weights that both change.

    ``cosine`` is -1..1 at the weights of the stack; ``first`` and ``second`` are the norms of the whole
    changes, weighted. ``compared`` counts weights, ``estimated`` those of them that were not compared
    exactly, ``unread`` modules that could not be. ``blocks`` are in the order of the file.
    """

    cosine: float
    first: float
    second: float
    compared: int
    estimated: int = 0
    unread: int = 0
    blocks: Sequence[Block] = ()
