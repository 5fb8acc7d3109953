"""A checked stack as something that another tool opens: a ComfyUI graph, A1111's text, or plain JSON.

with Pinakes() as pinakes:
    stack = check_stack(pinakes, "Atlas XL", ["ink:0.8"])
    print(export_stack(pinakes, stack, "a1111").text)
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from indexer.catalog.usage import version_usage
from indexer.domain.vocabulary import architecture_path, architectures
from indexer.errors import UsageError
from search.exporting_parts import Parts, known_parts
from search.query import parse_query
from search.safe import kept_back
from search.service import Pinakes
from search.stack import Stack
from search.stack_comfyui import comfyui_prompt, comfyui_workflow
from search.stack_graph import graph_of
from search.stack_infotext import infotext
from search.stack_json import stack_json
from search.stack_recipe import Ingredient, Recipe, Settings, prompts_of, settings_of
from search.stack_records import Addon, Member
from search.stack_table import DrawRow, draw_row, export_number, refusal, unwired

__all__ = ["FORMATS", "Export", "export_stack", "recipe_of", "why_no_graph"]

FORMATS = ("comfyui", "comfyui-api", "a1111", "json")
"""A workflow for ComfyUI's editor, a graph for its server, A1111's infotext, and all that is known."""

_LOOKING = ("ip_adapter", "flux_redux")
"""Kinds that look at a picture through an image encoder of its own file."""
_ODD = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Export:
    """What is handed out: a name for the file, its media type, its text. ``notes`` are sentences about what
    could not be put in."""

    name: str
    media: str
    text: str
    notes: tuple[str, ...] = ()


def export_stack(pinakes: Pinakes, stack: Stack, format_: str) -> Export:
    """The stack in one of ``FORMATS``.

    Raises ``UsageError``: ``format`` for another one; ``export`` where the base is no file, or where no graph
    is known for its architecture (JSON is made of every stack).
    """
    if format_ not in FORMATS:
        raise UsageError(
            "format", f"A stack cannot be exported as {format_!r}. Choose one of: {', '.join(FORMATS)}."
        )
    name = _ODD.sub("-", stack.base.name.lower()).strip("-")[:60] or "stack"
    if format_ == "json":
        recipe = recipe_of(pinakes, stack) if why_no_graph(stack.base) is None else None
        known = known_parts(pinakes.catalog, stack).members
        return Export(f"{name}.stack.json", "application/json", _pretty(stack_json(stack, recipe, known)))
    recipe = recipe_of(pinakes, stack)
    if format_ == "a1111":
        return Export(f"{name}.txt", "text/plain; charset=utf-8", f"{infotext(recipe)}\n", recipe.notes)
    make = comfyui_workflow if format_ == "comfyui" else comfyui_prompt
    return Export(f"{name}.{format_}.json", "application/json", _pretty(make(recipe)), recipe.notes)


def _pretty(content: Mapping[str, Any]) -> str:
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def _path(member: Member) -> tuple[str, ...]:
    return architecture_path(member.architecture or "") if member.architecture in architectures() else ()


def why_no_graph(base: Member) -> str | None:
    """Why no graph can be made for a base; None where one can."""
    if base.id is None and base.path is None:
        return f"{base.name} is an architecture and no file. Choose a model as the base to load it somewhere."
    path = _path(base)
    if draw_row(path) is not None:
        return None
    title, why = base.title or "an unknown architecture", refusal(path)
    if why is not None:
        return f"No graph from words alone is made for {base.name} ({title}): {why}."
    return f"How ComfyUI draws with {title} is not known here. Export the stack as JSON."


def recipe_of(pinakes: Pinakes, stack: Stack) -> Recipe:
    """The stack made ready to be loaded. Raises ``UsageError`` (``export``) where it cannot be."""
    fault, row = why_no_graph(stack.base), draw_row(_path(stack.base))
    if fault is not None or row is None:
        raise UsageError("export", fault or "")
    parts = known_parts(pinakes.catalog, stack)
    return _recipe(stack, row, parts, _usage(pinakes, stack.base))


def _recipe(stack: Stack, row: DrawRow, parts: Parts, usage: Mapping[str, Any]) -> Recipe:
    base = parts.members[stack.base.name]
    if base.file is None:
        raise UsageError(
            "export", f"No file of {base.name} is known, so it cannot be loaded. Download it first."
        )
    if parts.encoders and not row.clip:
        raise UsageError(
            "export", f"ComfyUI loads the text encoders of {stack.base.title} from whole checkpoints only."
        )
    why = _left_out(stack, parts)
    addons = tuple(parts.members[addon.member.name] for addon in stack.addons if not why[addon.member.name])
    positive, negative = prompts_of(addons)
    recipe = Recipe(
        base,
        stack.base.architecture or "",
        addons,
        parts.encoders,
        parts.vae,
        row.clip,
        row.latent,
        _moved(settings_of(row, usage), addons),
        positive,
        negative,
        unclip=row.unclip,
    )
    return replace(recipe, notes=(*_notes(why, parts), *_packages(recipe)))


def _moved(settings: Settings, addons: Iterable[Ingredient]) -> Settings:
    """With a motion module, as many pictures at once as it moves, shown as a film."""
    if settings.length is not None or all(addon.kind != "motion_module" for addon in addons):
        return settings
    return replace(settings, batch=int(export_number("motion_frames")), fps=int(export_number("motion_fps")))


def _usage(pinakes: Pinakes, base: Member) -> dict[str, Any]:
    """How pictures use the base; empty where it is in no catalog."""
    document = pinakes.entry(base.id) if base.id is not None else None
    if document is None:
        return {}
    hidden = frozenset(kept_back(pinakes.settings, parse_query("")))
    with pinakes.catalog.read() as session:
        return version_usage(session, document, (), hidden)


# ---------------------------------------------------------------- what is told


def _left_out(stack: Stack, parts: Parts) -> Mapping[str, str | None]:
    """Why each addon is no part of the graph; None where it is."""
    path = _path(stack.base)
    why = {addon.member.name: _fault(addon, parts.members[addon.member.name], path) for addon in stack.addons}
    looking = {one.tower.name for name, one in parts.members.items() if one.tower and not why.get(name)}
    return {name: None if name in looking else told for name, told in why.items()}


def _fault(addon: Addon, known: Ingredient, path: Sequence[str]) -> str | None:
    if addon.verdict.verdict == "incompatible":
        return "it does not work on this base"
    if known.file is None:
        return "no file of it is known. Download it first"
    if (why := unwired(known.kind, path, known.file)) is not None:
        return why
    if known.kind in _LOOKING and known.tower is None:
        return "which image encoder it looks through could not be told"
    return None


def _notes(why: Mapping[str, str | None], parts: Parts) -> Iterator[str]:
    for name, told in why.items():
        if told is not None:
            yield f"{name} is left out: {told}."
    yield from parts.notes


def _packages(recipe: Recipe) -> Iterator[str]:
    """Where nodes come from that are not ComfyUI's own."""
    packages = dict.fromkeys(node.row.package for node in graph_of(recipe).nodes if node.row.package)
    for package in packages:
        yield f"This graph has nodes that are not ComfyUI's own: install {package} first."
