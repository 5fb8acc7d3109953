"""What an adapter asks of its base: for every module the size of the weight that its factors make.

Factors that contradict each other are a fault of the adapter, whatever the base.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from math import prod
from typing import NamedTuple

from indexer.domain.fit import DENOISER, Change
from indexer.domain.vocabulary import read_table
from indexer.rules.fit_sizes import Fault, Shapes, Size, size_of
from indexer.rules.modules import Place, Role, placed_tensors, roles_of
from indexer.rules.profile import Profile

__all__ = ["Asked", "changes_of", "part_of"]

_Shape = tuple[int, ...]
_NUMBERED = re.compile(r"(?:lora_te|text_encoder_)([0-9])")
_NAMED = re.compile(r"text_encoders\.([a-zA-Z0-9_]{1,20})\.")
_WRAPPER = re.compile(r"^(?:transformer_|model_)+(?=text_model_|encoder_|layers_|model_)")
_KEEP_SUFFIX = frozenset({"split", "blocks", "rows", "magnitude"})


class Asked(NamedTuple):
    """The changes of an adapter, its faulty modules, the dialects it mixes, its largest rank, and how many
    tensors are no factors."""

    changes: tuple[Change, ...]
    faults: dict[str, str]
    dialects: tuple[str, ...]
    rank: int | None
    unread: int


class _Group(NamedTuple):
    """The factors of one module, by slot."""

    place: Place
    dialect: str
    algorithms: set[str]
    shapes: dict[str, _Shape]


def changes_of(profile: Profile, *, widens: bool = False) -> Asked:
    """What the adapter asks for, module by module; nothing for files that are no adapter. Never raises.

    ``widens``: a control LoRA, whose first layer reads a control image beside the latent one, so that
    programs make the base's layer as wide before they apply it.
    """
    changes: list[Change] = []
    faults: dict[str, str] = {}
    dialects: dict[str, None] = {}
    ranks: list[int] = []
    roles = roles_of(profile)
    groups = _groups(profile, roles)
    for stem, group in groups.items():
        part, name = part_of(stem, group.place.part, group.place.module)
        dialects[group.dialect] = None
        try:
            size = size_of(group.algorithms, group.shapes)
        except Fault as fault:
            faults[name] = str(fault)
            size = Size(None, None)
        if size is None:
            continue
        if widens and name in _inputs():
            size = size._replace(sort="grows")
        changes.append(Change(part, name, size.rows, size.columns, size.kernel, size.sort))
        if size.rank is not None:
            ranks.append(size.rank)
        changes.extend(_bias(part, name, group.shapes))
    unread = sum(count for template, count in profile.counts.items() if template not in roles)
    vectors = sum("vector" in group.shapes for group in groups.values())
    return Asked(tuple(changes), faults, tuple(dialects), max(ranks, default=None), unread - vectors)


def _groups(profile: Profile, roles: Mapping[str, Role]) -> dict[str, _Group]:
    groups: dict[str, _Group] = {}
    for place, role, name in placed_tensors(profile, roles):
        group = groups.get(place.stem)
        if group is None:
            group = groups[place.stem] = _Group(place, role.prefix, set(), {})
        group.shapes[_slot(role, place.suffix)] = tuple(profile.tensors[name]["shape"])
        if role.algorithm:
            group.algorithms.add(role.algorithm)
    for stem, group in groups.items():
        if "ia3" in group.algorithms and (vector := profile.tensors.get(f"{stem}.weight")):
            group.shapes["vector"] = tuple(vector["shape"])
    return groups


def _slot(role: Role, suffix: str) -> str:
    return suffix if "#" in role.slot or role.slot in _KEEP_SUFFIX else role.slot


def _bias(part: str, name: str, shapes: Shapes) -> Iterator[Change]:
    for slot in ("bias", "diff_b"):
        if shape := shapes.get(slot):
            yield Change(part, name, prod(shape), None, None, "bias")


# ---------------------------------------------------------------- names


def part_of(stem: str, part: str, module: str) -> tuple[str, str]:
    """The part that a module belongs to, as of ``Change``, and its flat name inside it.

    ``stem`` is the name of one of its tensors or their common beginning; ``part`` and ``module`` are those of
    ``Place``.
    """
    if part == DENOISER:
        return DENOISER, module
    if named := _NAMED.match(stem):
        inner = module.removeprefix(f"{named[1].replace('.', '_')}_")
        encoder = _encoders().get(named[1])
        return f"te:{encoder or named[1]}", _WRAPPER.sub("", inner)
    if numbered := _NUMBERED.match(stem):
        return f"te{max(1, int(numbered[1]))}", module
    return ("te1" if stem.startswith("text_encoder.") else "te"), module


@cache
def _inputs() -> frozenset[str]:
    return frozenset(read_table("fit.toml")["inputs"]["names"])


@cache
def _encoders() -> Mapping[str, str]:
    table: Mapping[str, str] = read_table("trained.toml")["encoders"]
    return table
