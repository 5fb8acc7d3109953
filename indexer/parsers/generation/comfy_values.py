"""Values of a node, followed through links to primitives, seeds and switches."""

from typing import Any

from indexer.parsers.generation.comfy_graph import Graph, Link, Node
from indexer.parsers.generation.comfy_table import in_group

__all__ = ["chosen", "scalar", "setting"]

_MAX_STEPS = 100


def scalar(graph: Graph, node: Node, name: str, kind: str) -> Any:
    """The value of an input, wherever it comes from; ``kind`` is the group of names that hold such values.

    None where nothing tells.
    """
    seen: set[str] = set()
    for _ in range(_MAX_STEPS):
        if name in node.values:
            value = node.values[name]
            return value.get("content", value.get("value")) if isinstance(value, dict) else value
        link = node.links.get(name)
        if link is None or link.source in seen:
            return None
        seen.add(link.source)
        node = graph.nodes[link.source]
        name = _holder(graph, node, link, name, kind)
    return None


def _holder(graph: Graph, node: Node, link: Link, name: str, kind: str) -> str:
    """The input of a node that its output hands on."""
    picked = chosen(graph, node)
    if picked:
        return picked
    if node.has(name):
        return name
    names = [key for key in (*node.values, *node.links) if in_group(kind, key)]
    return names[min(link.slot, len(names) - 1)] if names else ""


def chosen(graph: Graph, node: Node) -> str | None:
    """The input that a switch hands on; None for nodes that are none, or whose choice is not known."""
    if node.has("on_true") and node.has("on_false"):
        key = next((key for key in ("switch", "boolean", "condition", "value") if node.has(key)), "")
        value = scalar(graph, node, key, "number") if key else None
        return None if not isinstance(value, bool) else "on_true" if value else "on_false"
    for key in ("select", "Input", "index", "input"):
        value = node.values.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            return next((name for name in node.links if _ending(name) == value), None)
    return None


def _ending(name: str) -> int | None:
    """The number at the end of an input's name: CR's ``conditioning2``, Impact's ``input2``."""
    digits = name[len(name.rstrip("0123456789")) :]
    return int(digits) if digits and len(digits) < 4 else None


def setting(graph: Graph, node: Node, names: tuple[str, ...], kind: str) -> Any:
    """The first of the named settings at a sampler, else at the nodes that hold settings for it."""
    holders = graph.upstream([node.id], lambda _node, name: in_group("settings", name))
    for holder in holders:
        for name in names:
            if holder.has(name):
                value = scalar(graph, holder, name, kind)
                if isinstance(value, str | int | float) and not isinstance(value, bool):
                    return value
    return None
