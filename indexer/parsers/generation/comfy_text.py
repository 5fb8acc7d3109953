"""Prompts of a ComfyUI graph: from a sampler's conditioning back to the texts that were written.

A conditioning passes through combining, areas, ControlNets and guidance to one or more encoders; an encoder's
text may be joined from others by text nodes. Both walks are bounded: a node's depth, the number of visits and
the length of what they give.
"""

from dataclasses import dataclass, field
from typing import Any

from indexer.parsers.generation.comfy_graph import Graph, Link, Node
from indexer.parsers.generation.comfy_table import in_group, row_of, says_nothing
from indexer.parsers.generation.comfy_values import chosen

__all__ = ["Texts"]

_MAX_DEPTH = 100
_MAX_VISITS = 5_000
_MAX_LENGTH = 1 << 20


@dataclass(slots=True)
class Texts:
    """The reader of one graph's texts. ``partial`` tells that some text does not stand in the graph."""

    graph: Graph
    partial: bool = False
    _visits: int = 0
    _open: set[str] = field(default_factory=set)

    def of(self, node: Node, side: str) -> str | None:
        """The prompt of a sampler or guider; ``side`` is ``positive`` or ``negative``."""
        self._visits = 0
        found: list[str] = []
        self._side(node, side, found, set(), 0)
        texts = [text for text in dict.fromkeys(text.strip() for text in found) if text]
        return "\n".join(texts)[:_MAX_LENGTH] if found else None

    def own(self, node: Node) -> str | None:
        """The prompt that is written at a node itself, or linked to it."""
        self._visits = 0
        found: list[str] = []
        self._encoder(node, found, 0)
        return "\n".join(text for text in dict.fromkeys(found) if text)[:_MAX_LENGTH] or None

    def _side(self, node: Node, side: str, found: list[str], seen: set[str], depth: int) -> bool:
        """Follow the inputs of one side; False where the node has none."""
        names = [name for name in (*node.links, *node.values) if in_group(side, name)]
        for name in dict.fromkeys(names):
            if name in node.links:
                self._conditioning(node.links[name], side, found, seen, depth + 1)
            elif isinstance(node.values[name], str):
                found.append(node.values[name])
        if names:
            return True
        links = [link for name, link in node.links.items() if in_group("settings", name)]
        for link in links:
            if link.source not in seen:
                seen.add(link.source)
                self._side(self.graph.nodes[link.source], side, found, seen, depth + 1)
        return False

    def _conditioning(self, link: Link, side: str, found: list[str], seen: set[str], depth: int) -> None:
        self._visits += 1
        if link.source in seen or depth > _MAX_DEPTH or self._visits > _MAX_VISITS:
            return
        seen.add(link.source)
        node = self.graph.nodes[link.source]
        if says_nothing(node.class_type):
            return
        picked = chosen(self.graph, node)
        if picked:
            if picked in node.links:
                self._conditioning(node.links[picked], side, found, seen, depth + 1)
            return
        both = [any(in_group(name, key) for key in (*node.values, *node.links)) for name in _SIDES]
        if all(both):
            self._side(node, side, found, seen, depth)
            return
        before = len(found)
        self._encoder(node, found, depth)
        self._behind(node, side, found, seen, depth, encoder=len(found) > before)

    def _encoder(self, node: Node, found: list[str], depth: int) -> None:
        row = row_of("text", node.class_type)
        names = row["inputs"] if row else [name for name in (*node.values, *node.links) if _is_text(name)]
        for name in dict.fromkeys(names):
            if name in node.links and not _is_conditioning_source(self.graph, node.links[name]):
                text = self._string(node.links[name], depth + 1)
                if text is not None:
                    found.append(text)
            elif isinstance(node.values.get(name), str):
                found.append(node.values[name])
            if row and row.get("first") and found[-1:] not in ([], [""]):
                return

    def _behind(
        self, node: Node, side: str, found: list[str], seen: set[str], depth: int, *, encoder: bool
    ) -> None:
        """Go on along the links that carry a conditioning; along any likely one where none is named so."""
        along = [name for name in node.links if in_group("conditioning", name)]
        if not along and not encoder:
            along = [name for name in node.links if not in_group("not_conditioning", name)]
        for name in along:
            self._conditioning(node.links[name], side, found, seen, depth + 1)

    def _string(self, link: Link, depth: int) -> str | None:
        """The text that a node hands on; None where it does not stand in the graph."""
        self._visits += 1
        if link.source in self._open or depth > _MAX_DEPTH or self._visits > _MAX_VISITS:
            self.partial = True
            return None
        node = self.graph.nodes[link.source]
        self._open.add(link.source)
        try:
            return self._joined(node, link.slot, depth)
        finally:
            self._open.discard(link.source)

    def _joined(self, node: Node, slot: int, depth: int) -> str | None:
        row = row_of("text", node.class_type)
        if row and row.get("unknown"):
            self.partial = True
            return None
        self.partial |= bool(row and row.get("unknown_too"))
        picked = chosen(self.graph, node)
        names = [picked] if picked else list(row["inputs"]) if row else _text_inputs(node, slot)
        parts = []
        for name in names:
            text = self._part(node, name, depth)
            if text:
                parts.append(text)
                if row and row.get("first"):
                    break
        return _delimiter(node).join(parts)[:_MAX_LENGTH] if parts else None

    def _part(self, node: Node, name: str, depth: int) -> str | None:
        if name in node.links:
            return self._string(node.links[name], depth + 1)
        value: Any = node.values.get(name)
        return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None


_SIDES = ("positive", "negative")


def _is_text(name: str) -> bool:
    return in_group("text", name) and not in_group("text_not", name)


def _text_inputs(node: Node, slot: int) -> list[str]:
    """The texts that an output is made of: those of one side, where a node (a styler) makes both prompts."""
    names = [name for name in _in_order(node) if _is_text(name)]
    sides = [[name for name in names if in_group(side, name)] for side in _SIDES]
    return sides[slot] if all(sides) and slot < len(sides) else names


def _in_order(node: Node) -> list[str]:
    """Inputs as a person counts them: text1, text2, … whether linked or written."""
    names = list(dict.fromkeys((*node.values, *node.links)))
    numbered = [name for name in names if _is_text(name)]
    return sorted(numbered) if len(numbered) > 1 and len({len(name) for name in numbered}) == 1 else names


def _delimiter(node: Node) -> str:
    for name, value in node.values.items():
        if in_group("delimiter", name) and isinstance(value, str):
            return value.replace("\\n", "\n")
    return " "


def _is_conditioning_source(graph: Graph, link: Link) -> bool:
    """True where a link named like a text comes from a node that encodes one."""
    node = graph.nodes[link.source]
    return "clip" in node.links and link.slot == 0 and any(_is_text(name) for name in node.values)
