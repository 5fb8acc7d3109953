"""Nodes and links of the editor's file, with subgraphs and group nodes opened.

Ids of nodes within others are joined by ``:``, as ComfyUI does it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Flat", "FlatNode", "flatten", "is_workflow"]

_MAX_NODES = 5_000
_MAX_DEPTH = 8
_INPUT, _OUTPUT = "-10", "-20"  # nodes of a subgraph that stand for its inputs and outputs

_RawLink = tuple[str, int, str]


@dataclass(slots=True)
class FlatNode:
    """``links``: input name -> (source id, slot, type). ``widget_inputs``: names of values, where told."""

    id: str
    class_type: str
    mode: int
    widgets: list[Any] | dict[str, Any]
    links: dict[str, _RawLink] = field(default_factory=dict)
    widget_inputs: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Flat:
    """All nodes, and what the outputs of opened nodes really come from."""

    nodes: dict[str, FlatNode] = field(default_factory=dict)
    aliases: dict[tuple[str, int], _RawLink] = field(default_factory=dict)


def is_workflow(value: Any) -> bool:
    """True for the editor's object."""
    return isinstance(value, dict) and isinstance(value.get("nodes"), list) and "links" in value


def flatten(workflow: Mapping[str, Any]) -> Flat:
    """All nodes of a workflow, those of subgraphs and group nodes among them; at most 5,000."""
    flat = Flat()
    definitions = workflow.get("definitions")
    listed = definitions.get("subgraphs") if isinstance(definitions, dict) else None
    inner = {str(item.get("id")): item for item in _objects(listed)}
    extra = workflow.get("extra")
    groups = extra.get("groupNodes") if isinstance(extra, dict) else None
    for name, item in groups.items() if isinstance(groups, dict) else ():
        if isinstance(item, dict):
            inner[f"workflow>{name}"] = inner[f"workflow/{name}"] = _numbered(item)
    _open(workflow, "", {}, inner, flat, 0)
    _follow_aliases(flat)
    return flat


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    yield from (item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()


def _numbered(item: dict[str, Any]) -> dict[str, Any]:
    """A group node's content, whose nodes are known by their place, as a subgraph."""
    nodes = [{**node, "id": place} for place, node in enumerate(_objects(item.get("nodes")))]
    for node in nodes:
        node["inputs"] = [{**entry, "link": None} for entry in _objects(node.get("inputs"))]
    return {"nodes": nodes, "links": item.get("links"), "group": True}


def _open(
    scope: Mapping[str, Any],
    prefix: str,
    outer: Mapping[Any, _RawLink],
    inner: Mapping[str, Any],
    flat: Flat,
    depth: int,
) -> None:
    """Add the nodes of one level. ``outer`` gives what feeds the level's own inputs, by number or name."""
    links = dict(_links(scope.get("links"), prefix))
    for raw in _objects(scope.get("nodes")):
        if len(flat.nodes) >= _MAX_NODES:
            return
        node = _node(raw, prefix, links, outer)
        if scope.get("group"):
            _link_group(raw, node, scope, prefix, outer)
        below = inner.get(node.class_type)
        if below is None or depth >= _MAX_DEPTH or node.mode == 4:
            flat.nodes[node.id] = node
            continue
        fed: dict[Any, _RawLink] = dict(node.links)
        fed |= {place: node.links[name] for place, name in enumerate(_input_names(raw)) if name in node.links}
        _open(below, f"{node.id}:", fed, inner, flat, depth + 1)
        _alias_outputs(below, node.id, flat)


def _input_names(raw: Mapping[str, Any]) -> list[str]:
    return [str(entry.get("name")) for entry in _objects(raw.get("inputs"))]


def _node(
    raw: Mapping[str, Any], prefix: str, links: Mapping[str, _RawLink], outer: Mapping[Any, _RawLink]
) -> FlatNode:
    widgets = raw.get("widgets_values")
    mode = raw.get("mode")
    node = FlatNode(
        id=f"{prefix}{raw.get('id')}",
        class_type=str(raw.get("type")),
        mode=mode if isinstance(mode, int) else 0,
        widgets=widgets if isinstance(widgets, list | dict) else [],
    )
    for entry in _objects(raw.get("inputs")):
        name = str(entry.get("name"))
        if isinstance(entry.get("widget"), dict):
            node.widget_inputs.append(name)
        link = links.get(str(entry.get("link")))
        if link is not None and link[0] == f"{prefix}{_INPUT}":
            link = outer.get(link[1])
        if link is not None:
            node.links[name] = link
    return node


def _links(value: Any, prefix: str) -> Iterator[tuple[str, _RawLink]]:
    """(number, link) of a list of links, as lists (the editor) or as objects (subgraphs)."""
    for item in value if isinstance(value, list) else ():
        if isinstance(item, dict):
            item = [
                item.get(key)
                for key in ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
            ]
        if isinstance(item, list) and len(item) >= 6 and isinstance(item[2], int):
            yield str(item[0]), (f"{prefix}{item[1]}", item[2], str(item[5]))


def _link_group(
    raw: dict[str, Any], node: FlatNode, scope: Mapping[str, Any], prefix: str, outer: Mapping[Any, _RawLink]
) -> None:
    """Links within a group node stand by place: [source, slot, target, input, type]."""
    names = _input_names(raw)
    for item in scope.get("links") or ():
        if isinstance(item, list) and len(item) >= 5 and item[2] == raw.get("id"):
            place, source, slot = item[3], item[0], item[1]
            if (
                isinstance(place, int)
                and 0 <= place < len(names)
                and source is not None
                and isinstance(slot, int)
            ):
                node.links[names[place]] = (f"{prefix}{source}", slot, str(item[-1]))
    for name in names:
        if name not in node.links and name in outer:
            node.links[name] = outer[name]


def _alias_outputs(below: Mapping[str, Any], id_: str, flat: Flat) -> None:
    """What the outputs of an opened node come from: links to its output node; a group's last node."""
    if below.get("group"):
        for slot, raw in enumerate(reversed(list(_objects(below.get("nodes"))))):
            flat.aliases[id_, slot] = (f"{id_}:{raw.get('id')}", 0, "*")
        return
    for item in _objects(below.get("links")):
        if str(item.get("target_id")) == _OUTPUT and isinstance(item.get("origin_slot"), int):
            place = item.get("target_slot")
            if isinstance(place, int):
                flat.aliases[id_, place] = (
                    f"{id_}:{item.get('origin_id')}",
                    item["origin_slot"],
                    str(item.get("type")),
                )


def _follow_aliases(flat: Flat) -> None:
    for node in flat.nodes.values():
        for name, link in node.links.items():
            for _ in range(_MAX_DEPTH):
                alias = flat.aliases.get((link[0], link[1]))
                if alias is None:
                    break
                link = alias
            node.links[name] = link
