"""The description of the API (OpenAPI) completed: what answers look like, and how errors are told.

The framework knows parameters and bodies; answers are plain data of ours, whose shapes stand in
``search.contracts``.
"""

from collections.abc import Mapping
from typing import Any

from search.api.described_answers import (
    CREATORS,
    HISTORY,
    MAP,
    MARKED,
    MARKS,
    PROGRESS,
    SAVED,
    TRENDS,
)
from search.api.v1.described import v1_paths
from search.contracts import CHECK, DETAILS, ERROR, HITS, PLAN, Schema, array, record

__all__ = ["completed"]

_ANY: Schema = {}
_ANSWERS: Mapping[tuple[str, str], Schema] = {
    ("get", "/api/search"): HITS,
    ("post", "/api/search"): HITS,
    ("get", "/api/similar"): HITS,
    ("post", "/api/similar"): HITS,
    ("get", "/api/models/{model_id}"): DETAILS,
    ("post", "/api/check"): CHECK,
    ("post", "/api/plan"): PLAN,
    ("get", "/api/mislabelled"): record({"total": "integer", "hidden": "integer", "items": "array"}),
    ("get", "/api/duplicates"): record({"total": "integer", "groups": "array"}),
    ("get", "/api/stats"): record({"entries": "integer", "files": "integer", "kinds": "object"}),
    ("get", "/api/schedules"): array(record({"name": "string"})),
    ("get", "/api/fields"): array(
        record(
            {"name": "string", "parameter": "string", "type": "string", "help": "string", "facet": "boolean"}
        )
    ),
    ("get", "/api/models/{model_id}/lineage"): record(
        {"ancestors": "array", "descendants": "array", "siblings": "array"}
    ),
    ("get", "/api/map"): MAP,
    ("get", "/api/models/{model_id}/history"): HISTORY,
    ("get", "/api/models/{model_id}/marks"): MARKS,
    ("put", "/api/models/{model_id}/marks"): MARKED,
    ("get", "/api/creators"): CREATORS,
    ("get", "/api/trends"): TRENDS,
    ("get", "/api/progress"): PROGRESS,
    ("get", "/api/saved"): array(SAVED),
    ("post", "/api/saved"): SAVED,
    ("patch", "/api/saved"): SAVED,
    ("delete", "/api/saved"): record({"removed": "string"}),
}
_PICTURES = {("get", "/api/previews/{preview_id}"): "image/webp"}


def completed(described: dict[str, Any]) -> dict[str, Any]:
    """The framework's description with answers and errors, and with the drop-in's routes."""
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            _complete(operation, _ANSWERS.get((method, path), _ANY), _PICTURES.get((method, path)))
    paths, shapes = v1_paths()
    described["paths"] |= paths
    components = described.setdefault("components", {}).setdefault("schemas", {})
    components |= shapes | {"Error": ERROR}
    return described


def _complete(operation: dict[str, Any], answer: Schema, media: str | None) -> None:
    responses = operation["responses"]
    responses.pop("422", None)  # what cannot be read is a 400 here
    content = {media: {"schema": {"type": "string", "format": "binary"}}} if media else None
    usual = responses.get("200")
    if usual is not None and "text/plain" not in usual.get("content", ()):  # else the route told them all
        usual["content"] = content or {"application/json": {"schema": answer}}
    responses["default"] = {
        "description": "An error: code and message",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    operation.setdefault("tags", ["Pinakes"])
