"""ComfyUI: which sampler made the picture, from what, with which models.

The walk starts at the nodes that save pictures and goes against the links. Samplers met on the way are
passes; the one farthest back is the base pass and gives the record's settings, as A1111's first pass does.
All passes are kept in ``raw["passes"]``.
"""

from collections.abc import Sequence
from typing import Any

from indexer.parsers.generation.comfy_graph import MAX_NODES, Graph, Node, build_graph, is_prompt
from indexer.parsers.generation.comfy_models import models_of
from indexer.parsers.generation.comfy_outputs import chosen_outputs, is_sampler, passes_of, picture_size
from indexer.parsers.generation.comfy_table import inputs_of
from indexer.parsers.generation.comfy_text import Texts
from indexer.parsers.generation.comfy_values import setting
from indexer.parsers.generation.comfy_workflow import is_workflow, prompt_of_workflow
from indexer.parsers.generation.draft import Draft, as_float, as_int, as_seed, as_text
from indexer.parsers.generation.models import tags

__all__ = ["read_graphs"]

_MAX_PASSES = 20
_SCHEDULER_LINKS = ("sigmas", "scheduler")


def read_graphs(prompt: Any, workflow: Any = None, size: tuple[int, int] | None = None) -> Draft:
    """The draft of an image's graphs; ``size`` is the picture's, in pixels, and tells outputs apart.

    The editor's ``workflow`` is read only where there is no usable ``prompt``.
    """
    draft = Draft("comfyui")
    if not is_prompt(prompt):
        if not is_workflow(workflow):
            draft.warn("workflow_json", "the graph is no object of nodes; kept as text")
            return draft
        prompt = prompt_of_workflow(workflow)
    if len(prompt) > MAX_NODES:
        draft.warn("many_nodes", f"more than {MAX_NODES} nodes; the rest was not read")
    graph = build_graph(prompt)
    outputs = chosen_outputs(graph, size)
    _read_passes(graph, outputs, draft)
    for node in graph.feeding(outputs):
        for model in models_of(graph, node):
            draft.use(model)
    for model in (*tags(draft.prompt), *tags(draft.negative_prompt)):
        draft.use(model)
    return draft


def _read_passes(graph: Graph, outputs: Sequence[str], draft: Draft) -> None:
    texts = Texts(graph)
    passes = [_pass(graph, node, texts) for node in passes_of(graph, outputs)[:_MAX_PASSES]]
    if passes:
        draft.raw["passes"] = passes
    for told in reversed(passes):  # the base pass stands last
        for name in ("seed", "steps", "sampler", "scheduler", "cfg", "width", "height"):
            if getattr(draft, name) is None:
                setattr(draft, name, told[name])
        for name in ("prompt", "negative_prompt"):
            if not getattr(draft, name) and told[name] is not None:
                setattr(draft, name, told[name])
    if texts.partial:
        draft.warn(
            "prompt_partial", "part of the prompt was made while the graph ran and does not stand in it"
        )


def _pass(graph: Graph, node: Node, texts: Texts) -> dict[str, Any]:
    """One sampler's settings, by the names of a record's fields, with its node and ``denoise``."""
    width, height = picture_size(graph, node) or (None, None)
    cfg = as_float(setting(graph, node, inputs_of("cfg"), "number"))
    return {
        "node": node.class_type,
        "prompt": texts.of(node, "positive") or (None if is_sampler(node) else texts.own(node)),
        "negative_prompt": texts.of(node, "negative"),
        "seed": as_seed(setting(graph, node, inputs_of("seed"), "number")),
        "steps": as_int(setting(graph, node, inputs_of("steps"), "number")),
        "sampler": as_text(setting(graph, node, inputs_of("sampler"), "scalar_text")),
        "scheduler": _scheduler(graph, node),
        "cfg": _guidance(graph, node) if cfg is None else cfg,
        "denoise": as_float(setting(graph, node, inputs_of("denoise"), "number")),
        "width": width,
        "height": height,
    }


def _scheduler(graph: Graph, node: Node) -> str | None:
    """The scheduler's name, or the class of the node that makes the sigmas (Flux2Scheduler)."""
    named = as_text(setting(graph, node, inputs_of("scheduler"), "scalar_text"))
    if named:
        return named
    holders = graph.upstream([node.id], lambda _node, name: name in _SCHEDULER_LINKS)
    last = [holder.class_type for holder in holders if holder.id != node.id]
    return last[-1] if last else None


def _guidance(graph: Graph, node: Node) -> float | None:
    """The guidance of a distilled model, which stands at its conditioning (FluxGuidance)."""
    for holder in graph.upstream([node.id], lambda current, name: not is_sampler(current) or current is node):
        value = as_float(holder.values.get("guidance"))
        if value is not None:
            return value
    return None
