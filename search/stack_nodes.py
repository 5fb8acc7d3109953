"""What a graph for ComfyUI is made of: nodes of the table, linked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from search.stack_recipe import Ingredient, Recipe
from search.stack_table import NodeRow, node_row

__all__ = ["Graph", "Node", "Out", "addons_of"]


class Out(NamedTuple):
    """Output ``slot`` of a node."""

    node: int
    slot: int = 0


@dataclass(frozen=True, slots=True)
class Node:
    """A node of ComfyUI: ``values`` by the editor's order, ``links`` by the name of the input."""

    id: int
    row: NodeRow
    values: Mapping[str, Any]
    links: Mapping[str, Out]
    title: str


@dataclass(slots=True)
class Graph:
    """Nodes in an order in which each comes after those that feed it."""

    nodes: list[Node] = field(default_factory=list)

    def add(self, class_type: str, title: str = "", **inputs: Any) -> Out:
        """The first output of a new node; inputs that are outputs of others become links."""
        row = node_row(class_type)
        links = {name: value for name, value in inputs.items() if isinstance(value, Out)}
        values = {name: inputs[name] for name in row.widgets}
        assert links.keys() | set(row.optional) >= {name for name, _ in row.inputs}, class_type
        self.nodes.append(Node(len(self.nodes) + 1, row, values, links, title))
        return Out(len(self.nodes))

    def once(self, class_type: str, title: str = "", **values: Any) -> Out:
        """The first output of the node that has these values and no links; a new one where there is none."""
        for node in self.nodes:
            if node.row.id == class_type and node.values == values:
                return Out(node.id)
        return self.add(class_type, title, **values)


def addons_of(recipe: Recipe, *kinds: str) -> Iterator[Ingredient]:
    """The addons of these kinds that have a file, in their order."""
    return (addon for addon in recipe.addons if addon.kind in kinds and addon.file)
