"""Civitai: the ``meta`` of images in its API, and the ``extraMetadata`` in the graphs of its own generator.

Both shapes of ``meta`` are read: the map itself, and ``{"id": …, "meta": {…}}``. Values were cut out of A1111
texts by Civitai, so all that holds for those texts holds here; ``comfy`` holds a whole graph as text.
"""

from typing import Any

from indexer.domain.generation import UsedModel
from indexer.parsers.generation.a1111 import generator_of, read_resources
from indexer.parsers.generation.comfyui import read_graphs
from indexer.parsers.generation.draft import UNKNOWN, Draft, as_float
from indexer.parsers.generation.flat import read_flat
from indexer.parsers.generation.json_text import loads_object
from indexer.parsers.generation.models import kind_named, use_named

__all__ = ["is_extra_metadata", "read_civitai_meta", "read_extra_metadata"]

_MAX_RESOURCES = 1_000


def read_civitai_meta(meta: dict[str, Any]) -> Draft:
    """The draft of a ``meta``; ``unknown`` stays the generator where nothing tells it."""
    inner = meta.get("meta")
    settings = dict(inner) if isinstance(inner, dict) else dict(meta)
    draft = Draft()
    resources = settings.pop("civitaiResources", None)
    if isinstance(resources, list):
        draft.generator = "civitai"
        _use_resources(resources, draft)
    comfy = settings.pop("comfy", None)
    if (label := settings.pop("baseModel", None)) is not None:  # a label such as "SDXL 1.0", no model
        draft.raw["baseModel"] = label
    _use_cut_control(settings, draft)
    read_resources(settings, draft)
    read_flat(settings, draft)
    if draft.generator == UNKNOWN:
        draft.generator = generator_of(settings)
    graphs = loads_object(comfy, draft, "workflow_json") if comfy else None
    if graphs:
        draft.fill(read_graphs(graphs.get("prompt"), graphs.get("workflow")))
    return draft


def _use_cut_control(settings: dict[str, Any], draft: Draft) -> None:
    """Until 2023 Civitai cut ``ControlNet 0: "preprocessor: …, model: …, weight: …"`` at its commas."""
    if '"preprocessor' in settings and "model" in settings:
        use_named(draft, "controlnet", settings.pop("model"), None, settings.pop("weight", None))


def is_extra_metadata(value: dict[str, Any]) -> bool:
    """True for a graph of Civitai's generator."""
    return "extraMetadata" in value or (isinstance(value.get("extra"), dict) and "airs" in value["extra"])


def read_extra_metadata(value: dict[str, Any]) -> Draft:
    """What Civitai's generator says beside its graph: the request as the person made it."""
    draft = Draft("civitai")
    settings = loads_object(value.get("extraMetadata"), draft) or {}
    resources = settings.pop("resources", None)
    _use_resources(resources if isinstance(resources, list) else [], draft)
    label = settings.pop("baseModel", None)  # a label such as "Illustrious", no model
    read_flat(settings, draft)
    if label is not None:
        draft.raw["baseModel"] = label
    return draft


def _use_resources(resources: list[Any], draft: Draft) -> None:
    """Resources are numbers of versions; a name comes along only sometimes."""
    for item in resources[:_MAX_RESOURCES]:
        if not isinstance(item, dict):
            continue
        version = item.get("modelVersionId") or item.get("versionId")
        name = item.get("modelName") or item.get("name")
        weight = as_float(item.get("weight", item.get("strength")))
        name = name if isinstance(name, str) and name else None
        if name or version:
            number = str(version)[:20] if version else None
            draft.use(UsedModel(kind_named(item.get("type")), name, None, number, weight))
