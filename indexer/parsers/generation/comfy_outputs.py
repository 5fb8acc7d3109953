"""Where a ComfyUI graph's picture comes out, and the samplers on the way back from there."""

from collections.abc import Sequence

from indexer.parsers.generation.comfy_graph import Graph, Node
from indexer.parsers.generation.comfy_table import in_group, output_rank
from indexer.parsers.generation.comfy_values import scalar, setting
from indexer.parsers.generation.draft import as_int

__all__ = ["chosen_outputs", "is_sampler", "passes_of", "picture_size"]

_SAMPLING = ("sampler_name", "noise", "noise_seed", "seed", "sampler")
_STEERING = (
    "positive",
    "guider",
    "conditioning",
    "pipe",
    "basic_pipe",
    "sdxl_tuple",
    "context",
    "ctx",
    "text_embeds",
)
_WORK = ("steps", "sigmas", "sampler_name", "scheduler", "pipe", "settings", "cfg")
_SIZES = (("width", "height"), ("empty_latent_width", "empty_latent_height"), ("image_width", "image_height"))
_MAX_OUTPUTS = 20


def is_sampler(node: Node) -> bool:
    """True for nodes that make a picture from noise: they have a seed or a noise, work to do, and a guide."""
    if not any(node.has(name) for name in _SAMPLING) or not any(node.has(name) for name in _WORK):
        return False
    guided = any(name in node.links for name in _STEERING)
    return guided or (
        "sampler" in node.class_type.casefold() and isinstance(node.values.get("positive"), str)
    )


def _is_picture(_node: Node, name: str) -> bool:
    return in_group("picture", name)


def _feeds_picture(node: Node, name: str) -> bool:
    """Links from an output or a sampler's latent back to the pass before: anything but prompts and models."""
    if is_sampler(node) or any(_is_picture(node, key) for key in node.links):
        return _is_picture(node, name)
    return True


def chosen_outputs(graph: Graph, size: tuple[int, int] | None) -> list[str]:
    """Ids of the nodes that give this picture, the one with most behind it first.

    Nodes that save come before nodes that show, and both before other ends of the graph. Of several, those
    count whose picture has the file's size, if any has.
    """
    ranks: dict[int, list[str]] = {}
    for node in graph.nodes.values():
        rank = output_rank(node.class_type)
        if rank is not None and node.links:
            ranks.setdefault(rank, []).append(node.id)
        elif not graph.users.get(node.id) and node.links:
            ranks.setdefault(2, []).append(node.id)
    for rank in sorted(ranks):
        found = [name for name in ranks[rank][:_MAX_OUTPUTS] if _has_sampler(graph, name)]
        if found:
            return _by_size(graph, found, size)
    everything = [name for rank in sorted(ranks) for name in ranks[rank]]
    return everything[:_MAX_OUTPUTS] or list(graph.nodes)[-1:]


def _has_sampler(graph: Graph, name: str) -> bool:
    return any(is_sampler(node) for node in graph.feeding([name]))


def _by_size(graph: Graph, names: list[str], size: tuple[int, int] | None) -> list[str]:
    if len(names) > 1 and size:
        fitting = [name for name in names if picture_size(graph, graph.nodes[name]) == size]
        names = fitting or names
    if len(names) == 1:
        return names
    return sorted(names, key=lambda name: -sum(1 for _ in graph.feeding([name])))


def picture_size(graph: Graph, node: Node) -> tuple[int, int] | None:
    """(width, height) in pixels that the nearest node before this one asks for."""
    for holder in graph.upstream([node.id], _feeds_picture):
        for wide, high in _SIZES:
            if holder.has(wide) and holder.has(high):
                width = as_int(scalar(graph, holder, wide, "number"))
                height = as_int(scalar(graph, holder, high, "number"))
                if width and height:
                    return width, height
    return None


def passes_of(graph: Graph, outputs: Sequence[str]) -> list[Node]:
    """The samplers that made the picture, last pass first."""
    found: dict[str, Node] = {}
    start: list[str] = list(outputs)
    while start:
        before = next(
            (n for n in graph.upstream(start, _feeds_picture) if is_sampler(n) and n.id not in found), None
        )
        if before is None:
            break
        found[before.id] = before
        start = [link.source for name, link in before.links.items() if _is_picture(before, name)]
        start += _earlier_stages(graph, before)
    if not found:
        behind = list(graph.feeding(outputs))
        found = {node.id: node for node in behind if is_sampler(node)}
        found = found or {node.id: node for node in behind if _makes_alone(node)}
    return (
        sorted(found.values(), key=lambda node: _keeps_noise(graph, node))
        if len(found) > 1
        else list(found.values())
    )


def _makes_alone(node: Node) -> bool:
    """Nodes that ask a service for a picture have a prompt or a seed of their own, and no sampler."""
    return any(name in node.values for name in ("seed", "noise_seed")) or isinstance(
        node.values.get("prompt"), str
    )


def _earlier_stages(graph: Graph, node: Node) -> list[str]:
    """Stage B of Stable Cascade takes what stage C made as a conditioning."""
    sources = (graph.nodes[link.source] for name, link in node.links.items() if name in _STEERING)
    return [source.links["stage_c"].source for source in sources if "stage_c" in source.links]


def _keeps_noise(graph: Graph, node: Node) -> bool:
    """Passes that add no noise go on with another's picture: they are never the base pass."""
    value: object = setting(graph, node, ("add_noise",), "scalar_text")
    return value != "disable"
