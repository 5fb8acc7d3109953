"""Which models does an adapter fit? Its modules are compared with the reference layouts, all at once.

For every module name (dots flattened to underscores, as trainers do) the index knows, by size of weight,
the set of layouts that have such a module, as bits of one number. A file's modules are looked up once each;
counting the distinct sets then gives each layout's share. Layouts that tie are told apart by *reverse
coverage*: the share of the layout's modules of the same templates that the adapter touches. An adapter over
19 double blocks covers a 19-block model whole and a 20-block model not.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, reduce
from itertools import compress, repeat
from math import prod
from operator import or_

from indexer.domain.layouts import layout_ids, load_layout
from indexer.domain.vocabulary import architectures, read_table
from indexer.rules.modules import Module
from indexer.rules.profile import recall_templates, templates_of

__all__ = ["Fit", "fit_denoisers", "fit_encoders", "layout_architecture"]

_NAMINGS = frozenset({"diffusers", "comfy", "split", "fused", "hf"})
_ENOUGH = 0.5
"""An adapter of which less than this share fits is not called a fit at all."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A layout that the adapter fits best. ``share`` of its modules fit; ``sized`` of them by size, not by
    name alone; ``coverage`` of the layout's like modules are touched."""

    layout: str
    architectures: tuple[str, ...]
    share: float
    sized: float
    coverage: float


_Size = tuple[str, int | None, int | None]


class _Index:
    """Module name, rows, columns -> set of layouts that have it, as bits of a number."""

    def __init__(self, layouts: tuple[str, ...]) -> None:
        self.layouts = layouts
        self.exact: dict[_Size, int] = {}
        for position, layout in enumerate(layouts):
            for name, (rows, columns) in _weights(layout):
                key = (name, rows, columns)
                self.exact[key] = self.exact.get(key, 0) | 1 << position

    @cached_property
    def named(self) -> dict[str, list[tuple[int | None, int]]]:
        """Module name -> each number of rows with the layouts that have it."""
        named: dict[str, list[tuple[int | None, int]]] = {}
        for (name, rows, _), bits in self.exact.items():
            named.setdefault(name, []).append((rows, bits))
        return named

    def look_up(self, modules: list[Module]) -> tuple[list[int], list[int]]:
        """For each module the layouts that have it by name and size; by name alone where size is hidden."""
        _, names, rows, columns, _ = zip(*modules, strict=True) if modules else ((),) * 5
        sized = list(map(self.exact.get, zip(names, rows, columns, strict=True), repeat(0)))
        if None not in rows and None not in columns:
            return sized, [0] * len(sized)
        return sized, [
            self._by_name(name, high) if high is None or wide is None else 0
            for name, high, wide in zip(names, rows, columns, strict=True)
        ]

    def _by_name(self, name: str, rows: int | None) -> int:
        known = self.named.get(name, ())
        return reduce(or_, (bits for has, bits in known if rows in (None, has)), 0)


def _weights(layout: str) -> Iterable[tuple[str, tuple[int, int]]]:
    for name, shape in load_layout(layout).items():
        if name.endswith(".weight") and shape:
            yield name[:-7].replace(".", "_"), (shape[0], prod(shape[1:]))


def layout_architecture(layout: str) -> str | None:
    """The architecture that a layout id stands for: ``sana+0.6b.diffusers`` -> ``sana``. Encoders too."""
    head, _, naming = layout.rpartition(".")
    bare = (head if naming in _NAMINGS else layout).partition("+")[0]
    return bare if bare in architectures() else None


@cache
def _denoisers() -> _Index:
    rows = read_table("adapters.toml")["modules"]
    known = {key for key, row in architectures().items() if row.role == "denoiser"}
    extra = [row["layout"] for row in rows]
    return _Index(tuple(key for key in layout_ids() if layout_architecture(key) in known or key in extra))


@cache
def _meaning(layout: str) -> tuple[str, ...]:
    for row in read_table("adapters.toml")["modules"]:
        if row["layout"] == layout:
            return tuple(row["architectures"])
    named = layout_architecture(layout)
    return (named,) if named else ()


@cache
def _encoders() -> _Index:
    rows = read_table("adapters.toml")["encoders"]
    return _Index(tuple(dict.fromkeys(row["layout"] for row in rows)))


@cache
def _template_sizes(layout: str) -> Mapping[str, int]:
    """Template -> number of matrices and kernels (what adapters usually change, unlike norms)."""
    return Counter(templates_of([name for name, (_, columns) in _weights(layout) if columns > 1]))


def fit_denoisers(modules: list[Module]) -> list[Fit]:
    """The layouts that most of the modules fit, best coverage first; empty when less than half fits any."""
    return [fit for fit in _fit(_denoisers(), modules) if fit.architectures]


def fit_encoders(modules: list[Module], part: str) -> list[Fit]:
    """The same for modules of a text encoder in the slot ``part`` (``te`` alone, ``te#`` one of several)."""
    rows = {(row["part"], row["layout"]): row for row in read_table("adapters.toml")["encoders"]}
    fits = []
    for fit in _fit(_encoders(), modules):
        if row := rows.get((part, fit.layout)):
            fits.append(Fit(fit.layout, tuple(row["architectures"]), fit.share, fit.sized, fit.coverage))
    return fits


def _fit(index: _Index, modules: list[Module]) -> list[Fit]:
    sized, named = index.look_up(modules)
    by_size = _per_layout(Counter(sized), len(index.layouts))
    total = [
        one + other
        for one, other in zip(by_size, _per_layout(Counter(named), len(index.layouts)), strict=True)
    ]
    best = max(total, default=0)
    if best == 0 or best < _ENOUGH * len(modules):
        return []
    fits = []
    touched: dict[int, _Touched] = {}
    found = list(map(or_, sized, named))
    tied = [position for position, count in enumerate(total) if count == best]
    every = sum(1 << position for position in tied)
    sets = set(found)
    apart = any(bits & every not in (0, every) for bits in sets)
    names = [module.name for module in modules]
    for position in tied:
        mask = 1 << position if apart else every
        if mask not in touched:
            chosen = {bits for bits in sets if bits & mask}
            touched[mask] = _Touched(list(compress(names, map(chosen.__contains__, found))))
        layout = index.layouts[position]
        coverage = touched[mask].coverage(layout)
        fits.append(
            Fit(layout, _meaning(layout), best / len(modules), by_size[position] / len(modules), coverage)
        )
    return _whole_ones(fits)


class _Touched:
    """The modules of a layout that an adapter touches."""

    def __init__(self, names: list[str]) -> None:
        self.number = len(set(names))
        self.templates = set(recall_templates(names))

    def coverage(self, layout: str) -> float:
        """Their share of the layout's modules of the same templates."""
        sizes = _template_sizes(layout)
        like = sum(sizes.get(template, 0) for template in self.templates)
        return min(1.0, self.number / like) if like else 0.0


def _per_layout(sets: Counter[int], layouts: int) -> list[int]:
    counts = [0] * layouts
    for bits, number in sets.items():
        while bits:
            lowest = bits & -bits
            counts[lowest.bit_length() - 1] += number
            bits ^= lowest
    return counts


def _whole_ones(fits: list[Fit]) -> list[Fit]:
    """Where an adapter covers some layouts whole, the others have other block counts."""
    fits.sort(key=lambda fit: (-fit.coverage, fit.layout))
    if fits[0].coverage == 1.0:
        return [fit for fit in fits if fit.coverage == 1.0]
    return fits
