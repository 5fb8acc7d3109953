"""A ComfyUI graph as the server runs it: nodes with values and links, walked against the arrows.

Source of the format: ComfyUI's ``/prompt`` body, ``{"3": {"class_type": "KSampler", "inputs": {"seed": 1,
"model": ["4", 0]}}}``; a link is the id of a node and the number of its output. Graphs may hold cycles and
links to nowhere; every walk visits a node once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

__all__ = ["MAX_NODES", "Graph", "Link", "Node", "build_graph", "is_prompt"]

MAX_NODES = 5_000
_MAX_INPUTS = 1_000


class Link(NamedTuple):
    """Output ``slot`` of the node ``source``."""

    source: str
    slot: int


@dataclass(frozen=True, slots=True)
class Node:
    """``values`` and ``links`` are the inputs, by name, in the order of the file."""

    id: str
    class_type: str
    values: Mapping[str, Any]
    links: Mapping[str, Link]

    def has(self, name: str) -> bool:
        """True where the node has an input of that name, linked or not."""
        return name in self.values or name in self.links


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes by id, and who uses the output of each."""

    nodes: Mapping[str, Node]
    users: Mapping[str, list[str]] = field(default_factory=dict)

    def upstream(self, start: Iterable[str], follow: Callable[[Node, str], bool]) -> Iterator[Node]:
        """All nodes that feed the given ones, nearest first, they themselves first of all.

        ``follow(node, input)`` chooses links.
        """
        pending = [name for name in dict.fromkeys(start) if name in self.nodes]
        seen = set(pending)
        for name in pending:
            node = self.nodes[name]
            yield node
            for input_, link in node.links.items():
                if link.source not in seen and follow(node, input_):
                    seen.add(link.source)
                    pending.append(link.source)

    def feeding(self, start: Iterable[str]) -> Iterator[Node]:
        """All nodes that feed the given ones, over any link."""
        return self.upstream(start, lambda _node, _input: True)


def is_prompt(value: Any) -> bool:
    """True for an object of nodes as the server runs them."""
    if not isinstance(value, dict) or not value:
        return False
    if any(isinstance(node, dict) and isinstance(node.get("class_type"), str) for node in value.values()):
        return True
    return all(isinstance(node, dict) and isinstance(node.get("inputs"), dict) for node in value.values())


def build_graph(prompt: Mapping[str, Any]) -> Graph:
    """The graph of an object for which ``is_prompt`` holds; past ``MAX_NODES`` the rest is left out."""
    known = {
        name: node
        for name, node in list(prompt.items())[:MAX_NODES]
        if isinstance(node, dict) and ("class_type" in node or "inputs" in node)
    }
    nodes: dict[str, Node] = {}
    users: dict[str, list[str]] = {name: [] for name in known}
    for name, node in known.items():
        values: dict[str, Any] = {}
        links: dict[str, Link] = {}
        inputs = node.get("inputs")
        for key, value in islice(inputs.items(), _MAX_INPUTS) if isinstance(inputs, dict) else ():
            link = _link(value, known)
            if link is None:
                values[key] = value
            else:
                links[key] = link
                users[link.source].append(name)
        nodes[name] = Node(name, str(node.get("class_type", "")), values, links)
    return Graph(nodes, users)


def _link(value: Any, known: Mapping[str, Any]) -> Link | None:
    if not isinstance(value, list) or len(value) != 2 or isinstance(value[1], bool):
        return None
    source = str(value[0]) if isinstance(value[0], str | int) else ""
    return Link(source, value[1]) if source in known and isinstance(value[1], int) else None
