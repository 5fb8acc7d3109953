"""Reference layouts: the tensors of a known model, name by name, kept as compact text tables.

A layout file is ``indexer/data/layouts/<id>.layout``. ``<architecture>`` is the naming of the original
release (for UNets the LDM naming ``input_blocks...``), ``<architecture>.diffusers`` the naming of the
diffusers library; components have ids of their own (``clip-l``, ``vae-kl-f8``). Names are those of the bare
component, without any checkpoint prefix. Grammar of a file, line by line::

    # comment                     the file's "why" stands here
    @base <layout id>             start from another layout
    @drop <pattern>               take tensors of the base away
    <pattern> <dim> <dim> ...     tensors and their shape, [out, in, ...]; no dimension means a scalar

A pattern holds names with alternatives in braces: ``{0..18}`` is a range, both ends included, ``{q,k,v}`` a
list, ``{0..3,7}`` both; several braces mean every combination.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from itertools import product
from types import MappingProxyType

from indexer.domain.vocabulary import TableError, UnknownIdError

__all__ = ["Shape", "expand", "layout_ids", "load_layout", "parse_layout"]

Shape = tuple[int, ...]

_FOLDER = files("indexer") / "data" / "layouts"
_SUFFIX = ".layout"


@cache
def layout_ids() -> tuple[str, ...]:
    """All layouts we have, in alphabetical order."""
    names = (entry.name for entry in _FOLDER.iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))


@cache
def load_layout(layout_id: str) -> Mapping[str, Shape]:
    """Every tensor of a layout, full name -> shape ``[out, in, ...]``; read once and kept.

    Raises ``UnknownIdError`` and ``TableError``.
    """
    if layout_id not in layout_ids():
        raise UnknownIdError(f"no layout {layout_id!r}: see indexer/data/layouts for the ids")
    text = (_FOLDER / f"{layout_id}{_SUFFIX}").read_text(encoding="utf-8")
    return MappingProxyType(parse_layout(text, layout_id))


def parse_layout(text: str, layout_id: str = "") -> dict[str, Shape]:
    """Read the text of a layout file. Raises ``TableError`` naming the line at fault."""
    tensors: dict[str, Shape] = {}
    for number, line in enumerate(text.splitlines(), 1):
        try:
            _read_line(line.split(), tensors)
        except (ValueError, KeyError) as error:
            place = f"layout {layout_id!r}, line {number}"
            raise TableError(f"{place}: cannot read {line!r} ({error}); see layouts.py") from error
    return tensors


def _read_line(words: list[str], tensors: dict[str, Shape]) -> None:
    if not words or words[0].startswith("#"):
        return
    if words[0] == "@base":
        tensors.update(load_layout(words[1]))
    elif words[0] == "@drop":
        for name in expand(words[1]):
            del tensors[name]
    else:
        shape = tuple(map(int, words[1:]))
        tensors.update((name, shape) for name in expand(words[0]))


def expand(pattern: str) -> Iterator[str]:
    """All names that a pattern stands for.

    ``blocks.{0..1}.{q,k}`` -> ``blocks.0.q``, ``blocks.0.k``, ``blocks.1.q``, ``blocks.1.k``.
    """
    first, *rest = pattern.split("{")
    parts: list[list[str]] = [[first]]
    for piece in rest:
        inside, closed, after = piece.partition("}")
        if not closed:
            raise ValueError("a brace is not closed")
        parts.append([choice + after for choice in _choices(inside)])
    return map("".join, product(*parts))


def _choices(inside: str) -> Iterator[str]:
    for choice in inside.split(","):
        low, dots, high = choice.partition("..")
        if dots:
            yield from map(str, range(int(low), int(high) + 1))
        else:
            yield choice
