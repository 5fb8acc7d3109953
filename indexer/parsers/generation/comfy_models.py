"""Models of a ComfyUI graph: every loader that feeds the picture, by the names of its inputs."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from indexer.domain.generation import UsedModel
from indexer.domain.vocabulary import read_table
from indexer.parsers.generation.comfy_graph import Graph, Node
from indexer.parsers.generation.comfy_table import model_kind
from indexer.parsers.generation.comfy_values import scalar
from indexer.parsers.generation.draft import as_float, as_int
from indexer.parsers.generation.models import air_model, is_no_model, tags

__all__ = ["models_of"]

_FILE = re.compile(r"[^\n]{1,300}\.(?:safetensors|sft|ckpt|pt|pth|bin|gguf|onnx|engine)", re.IGNORECASE)
_NUMBER = re.compile(r"_?(\d{1,3})(?!.*\d)")
_COUNTS = ("lora_count", "num_loras", "lora_num")
_MAX_TEXT = 100_000
_MAX_LIST = 1_000


def models_of(graph: Graph, node: Node) -> Iterator[UsedModel]:
    """The models that one node loads."""
    for name in (*node.values, *node.links):
        kind = model_kind(node.class_type, name)
        if isinstance(node.values.get(name), dict | list):
            yield from _structured(node.values[name], kind)
            continue
        value = scalar(graph, node, name, "scalar_text") if kind else node.values.get(name)
        if isinstance(value, str):
            yield from _named(graph, node, name, kind, value)


def _named(graph: Graph, node: Node, name: str, kind: str | None, value: str) -> Iterator[UsedModel]:
    air = air_model(value)
    if air is not None:
        yield UsedModel(air.kind if air.kind != "unknown" else kind or "unknown", value, None, air.version_id)
    elif kind is None and not _FILE.fullmatch(value):
        if "<" in value or "embedding:" in value:
            yield from tags(value[:_MAX_TEXT])
    elif not is_no_model(value) and not _switched_off(node, name):
        weight = _weight(graph, node, name) if kind in (None, "lora", "hypernetwork") else None
        yield UsedModel(kind or "unknown", value, weight=weight)


@cache
def _rows(table: str) -> tuple[dict[str, Any], ...]:
    return tuple(read_table("comfy_nodes.toml")[table])


def _number(name: str) -> str | None:
    match = _NUMBER.search(name)
    return match.group(1) if match else None


def _switched_off(node: Node, name: str) -> bool:
    number = _number(name)
    if number is None:
        return False
    counts = [as_int(node.values.get(key)) for key in _COUNTS]
    if any(count is not None and int(number) > count for count in counts):
        return True
    for row in _rows("switched_off"):
        for key in row["inputs"]:
            value = node.values.get(key.replace("#", number))
            if value is not None and str(value).casefold() in row["values"]:
                return True
    return False


def _weight(graph: Graph, node: Node, name: str) -> float | None:
    number = _number(name)
    for row in _rows("weight"):
        for key in row["inputs"]:
            if "#" in key and number is None:
                continue
            key = key.replace("#", number or "")
            if node.has(key) and (weight := as_float(scalar(graph, node, key, "number"))) is not None:
                return weight
    return None


def _structured(value: Any, kind: str | None) -> Iterator[UsedModel]:
    """Values that are objects: rgthree's Power Lora Loader, LoRA Manager's lists, pysssss' ``content``."""
    if isinstance(value, Mapping) and "__value__" in value:
        value = value["__value__"]
    items = value if isinstance(value, list) else [value]
    for item in items[:_MAX_LIST]:
        if not isinstance(item, dict):
            continue
        name = next(
            (item[key] for key in ("lora", "name", "lora_name", "content") if isinstance(item.get(key), str)),
            "",
        )
        off = any(item.get(key) is False for key in ("on", "active", "enabled"))
        weight = next(
            (as_float(item[key]) for key in ("strength", "weight", "strength_model") if key in item), None
        )
        is_lora = "lora" in item or "lora_name" in item or weight is not None
        if not off and not is_no_model(name) and (is_lora or _FILE.fullmatch(name)):
            yield UsedModel(kind or ("lora" if is_lora else "unknown"), name, weight=weight)
