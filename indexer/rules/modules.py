"""Adapter tensors taken apart: dialect prefix, module name, factor; and what the factors make of a module.

The tables are in ``indexer/data/adapters.toml``. A tensor name is ``<prefix><module>.<suffix>``: the prefix
tells the trainer's dialect and the part of the model, the suffix the algorithm and the factor. That is
decided once for every distinct template; single names are only cut.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from itertools import compress, islice
from math import prod
from operator import itemgetter
from typing import Any, NamedTuple

from indexer.domain.header import TensorEntry
from indexer.domain.vocabulary import read_table
from indexer.rules.profile import Profile, Recall, recall_templates, templates_of

__all__ = ["Module", "Place", "Role", "modules_of", "placed_tensors", "roles_of"]

Shapes = dict[str, list[int]]
Size = tuple[int | None, int | None, int | None]
"""Rows and columns of the module's weight (kernel included), and rank; ``None`` where factors do not tell."""

_HIDDEN: Size = (None, None, None)
_LONGEST = 400
"""No module name of any model is longer; longer ones are not looked at."""
_MOST_TENSORS = 100_000
"""No adapter has as many tensors; of more, only the first are looked at."""
_NO_FACTOR = frozenset(
    {"up", "mid", "alpha", "scale", "magnitude", "rescale", "reshape", "bias", "diff_b", "split"}
)


@dataclass(frozen=True, slots=True)
class Role:
    """What the tensors of one template are: the last ``dots`` parts of the name are suffix, the first ``cut``
    characters prefix, and ``rewrites`` lead from the adapter's spelling to the model's.
    """

    slot: str
    algorithm: str
    mark: bool
    dots: int
    prefix: str
    cut: int
    part: str
    format: str
    rewrites: tuple[tuple[str, str], ...]
    fixed: bool


class Module(NamedTuple):
    """One adapted module: its name with dots flattened, the size of its weight, and the adapter's rank."""

    part: str
    name: str
    rows: int | None
    columns: int | None
    rank: int | None


_module: Callable[[tuple[Any, ...]], Module] = partial(tuple.__new__, Module)
_first: Callable[[list[int]], int] = itemgetter(0)
_second: Callable[[list[int]], int] = itemgetter(1)
_shape: Callable[[Any], list[int]] = itemgetter("shape")


@cache
def _table(name: str) -> tuple[dict[str, Any], ...]:
    return tuple(read_table("adapters.toml")[name])


@cache
def _whole_suffixes() -> Mapping[str, dict[str, Any]]:
    return {row["suffix"]: row for row in _table("suffixes")}


@cache
def _inner_suffixes() -> tuple[str, ...]:
    return tuple(row["suffix"] for row in _table("suffixes") if row["suffix"].startswith("_"))


@cache
def _prefixes() -> tuple[tuple[str, dict[str, Any]], ...]:
    rows = sorted(_table("prefixes"), key=lambda row: -len(row["prefix"]))
    return tuple((row["prefix"], row) for row in rows)


@cache
def _rewrites() -> tuple[tuple[str, str, str], ...]:
    rows = _table("rewrites")
    return tuple((templates_of([row["from"]])[0], row["from"], row["to"]) for row in rows)


def _find_suffix(template: str) -> tuple[dict[str, Any], int] | None:
    if template.endswith(_inner_suffixes()):
        row = next(row for row in _table("suffixes") if template.endswith(row["suffix"]))
        return row, row["suffix"].count(".")
    parts = template.rsplit(".", 3)
    for dots in range(len(parts) - 1, 0, -1):
        if suffix := _whole_suffixes().get(".".join(parts[-dots:])):
            return suffix, dots
    return None


@cache
def _mark_endings() -> tuple[str, ...]:
    """Ends of names without which nothing is an adapter; for GLoRA one of its four factors."""
    return (*(row["suffix"] for row in _table("suffixes") if row.get("mark")), ".a#.weight")


def roles_of(profile: Profile) -> dict[str, Role]:
    """The role of every template with an adapter's suffix; empty where nothing proves an adapter."""
    templates = profile.counts
    if not any(template.endswith(_mark_endings()) for template in templates):
        return {}
    if any(template.endswith((".qweight", ".wscales")) for template in templates):
        return {}  # SVDQuant keeps low-rank corrections beside its packed weights
    roles = {}
    for template in templates:
        if role := _role(template) if len(template) <= _LONGEST else None:
            roles[template] = role
    slots = {role.slot for role in roles.values()}
    if any(role.mark for role in roles.values()) or {"a#", "b#", "alpha"} <= slots:
        return roles
    return {}


@lru_cache(maxsize=50_000)
def _role(template: str) -> Role | None:
    found = _find_suffix(template)
    if found is None:
        return None
    suffix, dots = found
    prefix, row = next(((text, row) for text, row in _prefixes() if template.startswith(text)), ("", {}))
    return Role(
        slot=suffix["slot"],
        algorithm=suffix["algorithm"],
        mark=suffix.get("mark", False),
        dots=dots,
        prefix=prefix,
        cut=len(prefix) - len(row.get("keep", "")),
        part=row.get("part", "denoiser"),
        format=suffix.get("format") or row.get("format", ""),
        rewrites=tuple((old, new) for mark, old, new in _rewrites() if mark in template),
        fixed="#" not in prefix,
    )


def _cut(role: Role, name: str) -> int:
    """The length of the prefix in ``name``: a number may be longer than its placeholder."""
    if role.fixed:
        return role.cut
    fits = re.match("[0-9]+".join(map(re.escape, role.prefix.split("#"))), name)
    return fits.end() if fits else role.cut


class Place(NamedTuple):
    """Where a tensor belongs, by its name alone: part and name of the module, the stem that its factors
    share, what comes after it, and for ``down`` factors the name of the ``up`` factor."""

    part: str
    module: str
    stem: str
    suffix: str
    mate: str


def _places(names: list[str]) -> list[Place]:
    return list(map(_place, names, map(_role, recall_templates(names))))


def _place(name: str, role: Role | None) -> Place:
    if role is None:
        raise ValueError(f"tensor {name[:80]!r} has no adapter's suffix")
    stem = name.rsplit(".", role.dots)[0]
    rest = name[len(stem) :]
    module = stem
    for old, new in role.rewrites:
        module = module.replace(old, new)
    mate = stem + rest.replace("down", "up").replace("lora_A", "lora_B")
    return Place(role.part, module[_cut(role, name) :].replace(".", "_"), stem, rest[1:], mate)


_recall_places = Recall(_places)
_part: Callable[[Place], str] = itemgetter(0)
_name: Callable[[Place], str] = itemgetter(1)
_mate: Callable[[Place], str] = itemgetter(4)


def placed_tensors(profile: Profile, roles: Mapping[str, Role]) -> Iterator[tuple[Place, Role, str]]:
    """Every tensor of an adapter with its role and the place that its name gives it, in the order of the
    file."""
    wanted = list(map(roles.__contains__, islice(profile.templates, _MOST_TENSORS)))
    names = list(compress(profile.names, wanted))
    templates = compress(profile.templates, wanted)
    yield from zip(_recall_places(names), map(roles.__getitem__, templates), names, strict=True)


def modules_of(profile: Profile, roles: Mapping[str, Role]) -> list[Module]:
    """All modules that the adapter changes, with their sizes: those of LoRA first, in the order of the file.

    Whatever follows from a name alone is remembered from file to file; shapes are taken column by column.
    """
    downs = {template for template, role in roles.items() if role.slot == "down"}
    others = {t for t, role in roles.items() if role.slot not in _NO_FACTOR and t not in downs}
    chosen = islice(map(downs.__contains__, profile.templates), _MOST_TENSORS)
    names = list(compress(profile.names, chosen))
    modules = _pairs(profile.tensors, names, any(role.slot == "mid" for role in roles.values()))
    return [*modules, *_grouped(profile, roles, others)] if others else modules


def _pairs(tensors: Mapping[str, TensorEntry], names: list[str], has_middle: bool) -> list[Module]:
    """LoRA: ``up @ down``. Rank is the rows of ``down``."""
    if not names:
        return []
    places = _recall_places(names)
    downs = list(map(_shape, map(tensors.__getitem__, names)))
    mates = list(map(tensors.get, map(_mate, places)))
    if has_middle or not all(mates):
        return _pair_each(tensors, places, downs)
    ups = list(map(_shape, mates))
    lengths = set(map(len, downs))
    if min(lengths) < 2 or min(map(len, ups)) < 2:
        return _pair_each(tensors, places, downs)
    columns = map(_second, downs) if lengths == {2} else (prod(shape[1:]) for shape in downs)
    rows, ranks = map(_first, ups), map(_first, downs)
    return list(map(_module, zip(map(_part, places), map(_name, places), rows, columns, ranks, strict=True)))


def _pair_each(
    tensors: Mapping[str, TensorEntry], places: list[Place], downs: list[list[int]]
) -> list[Module]:
    """The same for kernels, lone factors, and the middle factors that carry a kernel."""
    modules = []
    for place, down in zip(places, downs, strict=True):
        up = tensors.get(place.mate)
        if up is None or len(down) < 2 or len(up["shape"]) < 2:
            modules.append(Module(place.part, place.module, None, None, None))
            continue
        columns = down[1] if len(down) == 2 else prod(down[1:])
        if middle := tensors.get(f"{place.stem}.lora_mid.weight"):
            columns *= prod(middle["shape"][2:])
        modules.append(Module(place.part, place.module, up["shape"][0], columns, down[0]))
    return modules


def _grouped(profile: Profile, roles: Mapping[str, Role], chosen: set[str]) -> list[Module]:
    """Modules of which the algorithm needs all factors at once."""
    wanted = list(map(chosen.__contains__, islice(profile.templates, _MOST_TENSORS)))
    names = list(compress(profile.names, wanted))
    templates = compress(profile.templates, wanted)
    shapes = map(_shape, map(profile.tensors.__getitem__, names))
    grouped: dict[str, tuple[Place, str, Shapes]] = {}
    for place, template, shape in zip(_recall_places(names), templates, shapes, strict=True):
        group = grouped.get(place.stem)
        if group is None:
            group = grouped[place.stem] = (place, roles[template].algorithm, {})
        group[2][place.suffix] = shape
    return [
        Module(place.part, place.module, *_SIZES[algorithm](shapes))
        for place, algorithm, shapes in grouped.values()
    ]


def _low_rank(first: list[int], second: list[int], core: list[int] | None) -> Size:
    """``first @ second``; with a Tucker ``core`` both are stored transposed and the core carries the
    kernel."""
    if min(len(first), len(second)) < 2:
        return _HIDDEN
    if core:
        return first[1], second[1] * prod(core[2:]), core[0]
    return first[0], prod(second[1:]), second[0]


def _loha(shapes: Shapes) -> Size:
    """LoHa: Hadamard product of two low-rank products, either of which has the size of the module."""
    first, second = shapes.get("hada_w1_a"), shapes.get("hada_w1_b")
    return _low_rank(first, second, shapes.get("hada_t1")) if first and second else _HIDDEN


def _kronecker_side(shapes: Shapes, side: str) -> Size:
    if whole := shapes.get(f"lokr_w{side}"):
        return (whole[0], prod(whole[1:]), None) if len(whole) > 1 else _HIDDEN
    first, second = shapes.get(f"lokr_w{side}_a"), shapes.get(f"lokr_w{side}_b")
    return _low_rank(first, second, shapes.get(f"lokr_t{side}")) if first and second else _HIDDEN


def _lokr(shapes: Shapes) -> Size:
    """LoKr: Kronecker product of two matrices, each whole or low-rank; the sizes multiply."""
    rows1, columns1, rank1 = _kronecker_side(shapes, "1")
    rows2, columns2, rank2 = _kronecker_side(shapes, "2")
    rank = rank2 if rank2 is not None else rank1
    if rows1 is None or rows2 is None or columns1 is None or columns2 is None:
        return None, None, rank
    return rows1 * rows2, columns1 * columns2, rank


def _oft(shapes: Shapes) -> Size:
    """OFT: square blocks along the rows, which FLUX.1 splits by query, key and value; BOFT has one more
    axis."""
    if any(len(shape) < 3 for shape in shapes.values()):
        return _HIDDEN
    return sum(shape[-3] * shape[-1] for shape in shapes.values()), None, None


def _glora(shapes: Shapes) -> Size:
    """GLoRA: ``b1 @ b2`` is the change of weight; the rank is the rows of ``a2``."""
    first, second = shapes.get("b1.weight"), shapes.get("b2.weight")
    return _low_rank(first, second, None) if first and second else _HIDDEN


def _full(shapes: Shapes) -> Size:
    """A whole difference has the shape of the weight."""
    shape = next(iter(shapes.values()))
    return (shape[0], prod(shape[1:]), None) if shape and shape != [1] else _HIDDEN


def _hidden(_: Shapes) -> Size:
    return _HIDDEN


_SIZES: Mapping[str, Callable[[Shapes], Size]] = {
    "loha": _loha,
    "lokr": _lokr,
    "oft": _oft,
    "glora": _glora,
    "full": _full,
    "ia3": _hidden,
}
