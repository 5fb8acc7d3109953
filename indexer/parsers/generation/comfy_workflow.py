"""The editor's file of a ComfyUI graph, brought into the form that the server runs.

Nodes keep their values as a list (``widgets_values``) and their links by number. Nodes that only exist in the
editor are resolved: reroutes, primitives, Set/Get pairs, muted and bypassed nodes, subgraphs
(``definitions.subgraphs``) and group nodes (``extra.groupNodes``). ComfyUI's graphToPrompt is the reference.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from indexer.parsers.generation.comfy_groups import Flat, FlatNode, flatten, is_workflow
from indexer.parsers.generation.comfy_table import widget_names

__all__ = ["is_workflow", "prompt_of_workflow"]

_MUTED, _BYPASSED = 2, 4
_AFTER_SEED = frozenset(("fixed", "increment", "decrement", "randomize"))
_VIRTUAL = frozenset(("Note", "MarkdownNote", "Note Plus (mtb)"))
_REROUTES = ("Reroute", "Reroute (rgthree)", "ReroutePrimitive|pysssss")
_MAX_HOPS = 1_000


def prompt_of_workflow(workflow: Mapping[str, Any]) -> dict[str, Any]:
    """The object of nodes that the server would have been given."""
    flat = flatten(workflow)
    setters = {
        name: node
        for node in flat.nodes.values()
        if node.class_type == "SetNode" and (name := _first_text(node))
    }
    prompt: dict[str, Any] = {}
    for node in flat.nodes.values():
        if node.mode in (_MUTED, _BYPASSED) or node.class_type in _VIRTUAL or _passes_on(node):
            continue
        inputs = dict(_widgets(node))
        for name, link in node.links.items():
            source = _resolve(flat, setters, link)
            if isinstance(source, FlatNode):
                inputs[name] = (
                    source.widgets[0] if isinstance(source.widgets, list) and source.widgets else None
                )
            elif source is not None:
                inputs[name] = list(source)
        prompt[node.id] = {"class_type": node.class_type, "inputs": inputs}
    return prompt


def _first_text(node: FlatNode) -> str | None:
    values = node.widgets if isinstance(node.widgets, list) else list(node.widgets.values())
    return values[0] if values and isinstance(values[0], str) else None


def _passes_on(node: FlatNode) -> bool:
    return node.class_type in (*_REROUTES, "PrimitiveNode", "SetNode", "GetNode")


def _resolve(
    flat: Flat, setters: Mapping[str, FlatNode], link: tuple[str, int, str]
) -> tuple[str, int] | FlatNode | None:
    """The node that really feeds a link; a primitive itself, whose value is wanted; None for nothing."""
    source, slot, type_ = link
    for _ in range(_MAX_HOPS):
        node = flat.nodes.get(source)
        if node is None or node.mode == _MUTED:
            return None
        if node.class_type == "PrimitiveNode":
            return node
        if node.class_type == "GetNode":
            node = setters.get(_first_text(node) or "")
            following = next(iter(node.links.values()), None) if node else None
        elif node.class_type in (*_REROUTES, "SetNode"):
            following = next(iter(node.links.values()), None)
        elif node.mode == _BYPASSED:
            following = _same_type(node, slot, type_)
        else:
            return source, slot
        if following is None:
            return None
        source, slot, type_ = following
    return None


def _same_type(node: FlatNode, slot: int, type_: str) -> tuple[str, int, str] | None:
    """What a bypassed node hands on: the input of the same type, at the same place if there are several."""
    same = [link for link in node.links.values() if link[2] == type_]
    return same[min(slot, len(same) - 1)] if same else None


def _widgets(node: FlatNode) -> Iterator[tuple[str, Any]]:
    """A node's values by name: as the file names them, as the table does, else by kind of value."""
    if isinstance(node.widgets, dict):
        yield from node.widgets.items()
        return
    values = node.widgets
    names = widget_names(node.class_type)
    if not names or (node.widget_inputs and len(node.widget_inputs) >= len(names) - 1):
        names = tuple(_with_control(node.widget_inputs, values)) or names
    for place, value in enumerate(values):
        if place < len(names):
            if names[place] != "control_after_generate":
                yield names[place], value
        else:
            yield f"widget_{place}", value


def _with_control(names: list[str], values: list[Any]) -> Iterator[str]:
    """The editor puts what happens to a seed after each run behind the seed, without a name."""
    place = 0
    for name in names:
        yield name
        place += 1
        if (
            "seed" in name
            and place < len(values)
            and isinstance(values[place], str)
            and values[place] in _AFTER_SEED
        ):
            yield "control_after_generate"
            place += 1
