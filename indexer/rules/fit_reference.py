"""The reference layouts that stand in for a base: for one that is only named, and for what a file hides."""

from collections.abc import Callable, Mapping
from functools import cache

from indexer.domain.fit import Weight
from indexer.domain.layouts import layout_ids
from indexer.domain.vocabulary import architecture, architectures, is_under, read_table
from indexer.rules.fit_names import under_all_names
from indexer.rules.fit_weights import layout_weights
from indexer.rules.fitting import layout_architecture
from indexer.rules.namings import naming_of

__all__ = ["encoder_weights", "reference_layouts", "reference_weights"]

_NAMINGS = ("diffusers", "comfy", "split", "fused", "hf")


@cache
def reference_layouts(architecture_id: str) -> tuple[tuple[str, ...], ...]:
    """The layouts of an architecture: one group for each size it was released in, with all its namings.

    Of an architecture without layouts those of its twin, of the models below it, or of the nearest above.
    """
    if groups := _own_layouts(architecture_id):
        return groups
    row = architecture(architecture_id)
    if row.like and (groups := _own_layouts(row.like)):
        return groups
    below = sorted(
        filter(_is_below(architecture_id), architectures()), key=lambda key: -architecture(key).prior
    )
    found = [group for key in below for group in _own_layouts(key)]
    if found:
        return tuple(dict.fromkeys(found))
    return reference_layouts(row.parent) if row.parent else ()


def _is_below(ancestor: str) -> Callable[[str], bool]:
    return lambda key: key != ancestor and is_under(key, ancestor)


def _own_layouts(architecture_id: str) -> tuple[tuple[str, ...], ...]:
    groups: dict[str, list[str]] = {}
    for layout in layout_ids():
        if layout_architecture(layout) == architecture_id:
            head, _, naming = layout.rpartition(".")
            groups.setdefault(head if naming in _NAMINGS else layout, []).append(layout)
    return tuple(map(tuple, groups.values()))


@cache
def reference_weights(layouts: tuple[str, ...], root: str | None) -> Mapping[str, Weight]:
    """The weights of one group of layouts under all names of the models below ``root``."""
    found: dict[str, Weight] = {}
    for layout in layouts:
        found = under_all_names(layout_weights(layout), naming_of(root)) | found
    return found


@cache
def encoder_weights(encoder: str) -> Mapping[str, Weight]:
    """The weights of a text encoder under all names; empty where we have no layout of it."""
    layout = read_table("fit.toml")["layouts"].get(encoder)
    return under_all_names(layout_weights(layout), naming_of(encoder)) if layout else {}
