"""From what was it merged? Recipes of A1111's merger and SuperMerger, sd-mecha, ComfyUI graphs, ModelSpec.

``sd_merge_recipe`` and ``sd_merge_models`` are JSON (AUTOMATIC1111 modules/extras.py and the extensions that
follow it), ``mecha_recipe`` is a text of one instruction a line (sd-mecha), ``prompt`` and ``workflow`` are
ComfyUI's graph for its queue and for its editor, ``modelspec.merged_from`` a list of names.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from indexer.parsers.fields import MAX_WORD

__all__ = ["read_merge"]

_MOST_MODELS: Final = 100
_MOST_NODES: Final = 10_000
_ORDER: Final = (
    "primary_model_hash",
    "secondary_model_hash",
    "tertiary_model_hash",
    "model_a",
    "model_b",
    "model_c",
)
_METHODS: Final = ("interp_method", "merge_method", "mode", "calcmode", "type")
_HEX: Final = re.compile(r"[0-9a-f]{8,64}")
_TAGGED: Final = re.compile(r"(.*?)\s*\[([0-9a-f]{8,64})\]", re.DOTALL)
_MECHA: Final = re.compile(r'^(model|merge) "((?:[^"\\]|\\.){1,4096})"', re.MULTILINE)
_LOADED: Final[Mapping[str, str]] = {
    "ckpt_name": "checkpoint",
    "unet_name": "diffusion_model",
    "lora_name": "lora",
}
_SAVERS: Final = ("CheckpointSave", "ModelSave", "SaveCheckpoint", "CheckpointSaver")

Model = dict[str, Any]


def read_merge(values: Mapping[str, Any]) -> dict[str, Any] | None:
    """``{source, method, models}`` of a merged file, or None where nothing says that it is one.

    ``values`` holds the decoded ``sd_merge_recipe``, ``sd_merge_models``, ``prompt`` and ``workflow`` under
    ``merge_recipe``, ``merge_models``, ``graph`` and ``editor_graph``, and ``mecha_recipe`` and
    ``merged_from`` as they are. Each of ``models`` has ``name`` or ``hash`` (lower-case hex), or both, and
    perhaps ``kind`` and ``weight``; parents come before what they were merged from.
    """
    readers = (
        ("a1111", _a1111(values.get("merge_recipe"), values.get("merge_models"))),
        ("sd-mecha", _mecha(values.get("mecha_recipe"))),
        ("comfyui", _graph(values.get("graph"))),
        ("comfyui", _editor_graph(values.get("editor_graph"))),
        ("modelspec", (None, [{"name": _base(name)} for name in values.get("merged_from", ())])),
    )
    for source, (method, models) in readers:
        if models:
            return {"source": source, "method": method, "models": models[:_MOST_MODELS]}
    return None


def _base(name: str) -> str:
    """The file's name of a path, without its ending."""
    last = re.split(r"[\\/]", name.strip()[:4096])[-1]
    return re.sub(r"\.(safetensors|ckpt|pt|sft)$", "", last, flags=re.IGNORECASE)[:MAX_WORD]


def _model(name: Any, digest: Any) -> Model | None:
    """A parent by name and hash; names of A1111 may carry a hash in brackets."""
    model: Model = {}
    if isinstance(name, str) and name.strip():
        tagged = _TAGGED.fullmatch(name.strip()[:4096])
        model["name"] = _base(tagged[1] if tagged else name)
        digest = digest or (tagged[2] if tagged else None)
    if isinstance(digest, str) and _HEX.fullmatch(digest.strip().lower()):
        model["hash"] = digest.strip().lower()
    return model or None


def _a1111(recipe: Any, models: Any) -> tuple[str | None, list[Model]]:
    recipe = recipe if isinstance(recipe, dict) else {}
    models = models if isinstance(models, dict) else {}
    named = {
        digest: row.get("name")
        for digest, row in list(models.items())[:_MOST_MODELS]
        if isinstance(row, dict) and _HEX.fullmatch(digest)
    }
    parents = [recipe[key] for key in _ORDER if isinstance(recipe.get(key), str)]
    digests = dict.fromkeys([*parents, *named])
    found = [_model(named.get(digest), digest) or _model(digest, None) for digest in digests]
    method = next((recipe[key] for key in _METHODS if isinstance(recipe.get(key), str)), None)
    return method and method[:100], [model for model in found if model]


def _mecha(text: Any) -> tuple[str | None, list[Model]]:
    steps = [(step[1], step[2]) for step in _MECHA.finditer(text)] if isinstance(text, str) else []
    methods = list(dict.fromkeys(name for command, name in steps if command == "merge"))
    models = dict.fromkeys(_base(name.replace("\\\\", "\\")) for command, name in steps if command == "model")
    return ", ".join(methods[:10])[:300] or None, [{"name": name} for name in models if name]


def _graph(graph: Any) -> tuple[str | None, list[Model]]:
    """What a save node of a queued graph is fed with; a graph without one belongs to something else."""
    if not isinstance(graph, dict) or len(graph) > _MOST_NODES:
        return None, []
    nodes = {key: node for key, node in graph.items() if isinstance(node, dict)}
    waiting = [key for key, node in nodes.items() if str(node.get("class_type")).startswith(_SAVERS)]
    seen: dict[str, None] = {}
    while waiting:
        key = waiting.pop(0)
        if key not in seen:
            seen[key] = None
            waiting += [source for source in _sources(nodes[key]) if source in nodes]
    return _method(str(nodes[key].get("class_type")) for key in seen), _loaded(nodes[key] for key in seen)


def _sources(node: Mapping[str, Any]) -> list[str]:
    inputs = node.get("inputs")
    values = list(inputs.values())[:100] if isinstance(inputs, dict) else []
    return [str(value[0]) for value in values if isinstance(value, list) and len(value) == 2]


def _method(classes: Iterable[str]) -> str | None:
    return ", ".join(dict.fromkeys(name for name in classes if "merge" in name.lower()))[:300] or None


def _loaded(nodes: Iterable[Mapping[str, Any]]) -> list[Model]:
    found: dict[tuple[str, str], Model] = {}
    for node in nodes:
        inputs = node.get("inputs")
        if not isinstance(inputs, dict):
            continue
        for key, kind in _LOADED.items():
            name = inputs.get(key)
            if isinstance(name, str) and name.strip():
                model: Model = {"name": _base(name), "kind": kind}
                weight = inputs.get("strength_model") if kind == "lora" else None
                if isinstance(weight, int | float) and abs(weight) <= 1000:
                    model["weight"] = weight
                found.setdefault((kind, model["name"]), model)
    return list(found.values())


def _editor_graph(graph: Any) -> tuple[str | None, list[Model]]:
    """The editor's form: nodes in a list, their values without names."""
    listed = graph.get("nodes") if isinstance(graph, dict) else None
    nodes = (
        [node for node in listed[:_MOST_NODES] if isinstance(node, dict)] if isinstance(listed, list) else []
    )
    classes = [str(node.get("type")) for node in nodes]
    if not any(name.startswith(_SAVERS) for name in classes):
        return None, []
    kinds = {"CheckpointLoaderSimple": "ckpt_name", "UNETLoader": "unet_name", "LoraLoader": "lora_name"}
    loaders = []
    for node, name in zip(nodes, classes, strict=True):
        values = node.get("widgets_values")
        if name in kinds and isinstance(values, list) and values:
            loaders.append({"inputs": {kinds[name]: values[0]}})
    return _method(classes), _loaded(loaders)
