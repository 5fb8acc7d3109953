"""A stack as a ComfyUI graph: as the server runs it (API), and as the editor keeps it.

Source of the forms: ComfyUI's ``/prompt`` body, ``{"3": {"class_type", "inputs": {"model": ["4", 0]}}}``, and
the editor's file of version 0.4 with nodes, places and links ``[id, from, slot, to, slot, type]``.
"""

from collections.abc import Iterator
from typing import Any

from search.stack_graph import graph_of
from search.stack_nodes import Graph, Node
from search.stack_recipe import Recipe

__all__ = ["comfyui_prompt", "comfyui_workflow"]

_EDITOR_ONLY = frozenset(("control_after_generate", "upload"))
_WIDTH, _COLUMN, _HEAD, _ROW, _GAP = 320, 390, 60, 26, 50
"""Pixels on the editor's canvas."""
_TEXT_HEIGHT = 120


def comfyui_prompt(recipe: Recipe) -> dict[str, Any]:
    """The graph as the server runs it: node id -> ``{class_type, inputs, _meta}``."""
    told = {}
    for node in graph_of(recipe).nodes:
        inputs = {name: value for name, value in node.values.items() if name not in _EDITOR_ONLY}
        inputs |= {name: [str(out.node), out.slot] for name, out in node.links.items()}
        meta = {"title": node.title or node.row.id}
        told[str(node.id)] = {"class_type": node.row.id, "inputs": inputs, "_meta": meta}
    return told


def comfyui_workflow(recipe: Recipe) -> dict[str, Any]:
    """The graph as the editor opens it, placed from left to right; notes stand in a node of their own."""
    graph = graph_of(recipe)
    if recipe.notes:
        graph.add("Note", "From Pinakes", text="\n\n".join(recipe.notes))
    links = list(_links(graph))
    places = _places(graph)
    return {
        "last_node_id": len(graph.nodes),
        "last_link_id": len(links),
        "nodes": [_drawn(node, order, links, places[node.id]) for order, node in enumerate(graph.nodes)],
        "links": links,
        "groups": [],
        "config": {},
        "extra": {},
        "version": 0.4,
    }


def _links(graph: Graph) -> Iterator[list[Any]]:
    """``[id, from, slot, to, slot, type]``."""
    number = 0
    for node in graph.nodes:
        for place, (name, type_) in enumerate(node.row.inputs):
            if name in node.links:
                number += 1
                out = node.links[name]
                yield [number, out.node, out.slot, node.id, place, type_]


def _height(node: Node) -> int:
    rows = max(len(node.row.inputs), len(node.row.outputs)) + len(node.values)
    return _HEAD + _ROW * rows + (_TEXT_HEIGHT if "text" in node.values else 0)


def _places(graph: Graph) -> dict[int, tuple[int, int]]:
    """Where nodes stand: each in the column behind the last one that feeds it, below those before it."""
    columns: dict[int, int] = {}
    filled: dict[int, int] = {}
    places = {}
    for node in graph.nodes:
        column = 1 + max((columns[out.node] for out in node.links.values()), default=-1)
        columns[node.id] = column
        top = filled.get(column, 0)
        filled[column] = top + _height(node) + _GAP
        places[node.id] = (column * _COLUMN, top)
    return places


def _drawn(node: Node, order: int, links: list[list[Any]], place: tuple[int, int]) -> dict[str, Any]:
    into = {link[4]: link[0] for link in links if link[3] == node.id}
    outputs = [
        {
            "name": type_,
            "type": type_,
            "links": [link[0] for link in links if link[1] == node.id and link[2] == slot],
            "slot_index": slot,
        }
        for slot, type_ in enumerate(node.row.outputs)
    ]
    told: dict[str, Any] = {
        "id": node.id,
        "type": node.row.id,
        "pos": list(place),
        "size": [_WIDTH, _height(node)],
        "flags": {},
        "order": order,
        "mode": 0,
        "inputs": [
            {"name": name, "type": type_, "link": into.get(slot)}
            for slot, (name, type_) in enumerate(node.row.inputs)
        ],
        "outputs": outputs,
        "properties": {"Node name for S&R": node.row.id},
        "widgets_values": list(node.values.values()),
    }
    return told | ({"title": node.title} if node.title else {})
