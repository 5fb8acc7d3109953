"""Answers as JSON Schema, for tools of agents and for the description of the HTTP API.

The public contract's names with their types; more may stand beside.
"""

from collections.abc import Mapping
from typing import Any

__all__ = ["CHECK", "DETAILS", "ERROR", "FILE", "HITS", "PLAN", "PLAN_PAGE", "Schema", "array", "record"]

Schema = dict[str, Any]


def record(required: Mapping[str, str], **told: str) -> Schema:
    """An object with these members: name -> types, split by ``|``; ``told`` describes some."""
    members: dict[str, Schema] = {}
    for name, types in required.items():
        options = types.split("|")
        members[name] = {"type": options if len(options) > 1 else options[0]}
        if name in told:
            members[name]["description"] = told[name]
    return {"type": "object", "properties": members, "required": list(required)}


def _with(schema: Schema, **arrays: Schema) -> Schema:
    """The schema with what its lists hold."""
    rows = {name: schema["properties"][name] | {"items": items} for name, items in arrays.items()}
    return {**schema, "properties": {**schema["properties"], **rows}}


def array(items: Schema) -> Schema:
    """A list of such values."""
    return {"type": "array", "items": items}


_HIT = record(
    {
        "id": "integer",
        "sources": "array",
        "name": "string",
        "version": "string",
        "kind": "string",
        "architecture": "string|null",
        "family": "string|null",
        "base_label": "string|null",
        "category": "string|null",
        "creator": "string|null",
        "tags": "array",
        "trigger_words": "array",
        "rating": "number|null",
        "downloads": "integer|null",
        "nsfw_level": "integer|null",
        "licence": "string|null",
        "preview": "string|null",
        "files": "array",
        "score": "number",
        "signals": "object",
    },
    id="give it to show, similar and check",
    architecture="what loads it, by its tensors",
    base_label="what a hub or a sidecar claims, which may be wrong",
    trigger_words="words that a prompt needs",
    signals="why it stands where it stands: value and weight of each",
    files="path and sha256 of each copy in the library; empty: not in the library",
)

HITS = _with(
    record(
        {
            "query": "object",
            "total": "integer",
            "hidden": "integer",
            "hidden_by": "object",
            "took_ms": "number",
            "facets": "object",
            "hits": "array",
        },
        total="hits on all pages",
        hidden="matches kept back as adult, of real persons or minors; tell the user",
    ),
    hits=_HIT,
)

FILE: Schema = record(
    {
        "path": "string",
        "container": "string",
        "status": "string",
        "reason": "object|null",
        "warnings": "array",
    },
    status="ok, or quarantined: then reason has code and detail",
) | {"description": "A model file's verdict with its evidence, or how a picture was made (generation)."}

DETAILS = record(
    {
        "id": "integer",
        "name": "string",
        "kind": "string",
        "files": "array",
        "claims": "array",
        "previews": "array",
        "statistics": "array",
        "training": "object",
        "usage": "object",
    },
    files="each with verdict, evidence and places; comfyui is the path that ComfyUI's loaders show",
    claims="what each source says; a claim may be wrong, the verdict of a file is measured",
    usage="how pictures use it: weights, samplers, what it is used with",
)

CHECK = record(
    {"verdict": "string", "base": "string", "addons": "array", "pairs": "array", "advice": "array"},
    verdict="compatible, partial, incompatible or unknown",
    advice="what to do, in words",
)

PLAN = _with(
    record(
        {"to": "string", "from": "string|null", "totals": "object", "items": "array"},
        totals="models by action",
    ),
    items=record(
        {
            "id": "integer|null",
            "name": "string",
            "action": "string",
            "reasons": "array",
            "candidates": "array",
        }
    ),
)

_PAGE = record(
    {"items_total": "integer", "items_offset": "integer"},
    items_total="items that could be listed by limit and offset",
)
PLAN_PAGE: Schema = {
    **PLAN,
    "properties": PLAN["properties"] | _PAGE["properties"],
    "required": [*PLAN["required"], *_PAGE["required"]],
}
"""A plan of which some items are listed."""

ERROR = record({"code": "string", "message": "string"}, code="a short stable word", message="for people")
