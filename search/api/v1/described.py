"""The drop-in's routes in the description of the API, from the tables by which they are read and told."""

from collections.abc import Mapping
from typing import Any

from indexer.domain.vocabulary import read_table
from search.api.v1.naming import drop_in
from search.contracts import Schema, array

__all__ = ["v1_paths"]

_TYPES: Mapping[str, Schema] = {
    "text": {"type": "string"},
    "flag": {"type": "boolean"},
    "whole": {"type": "integer"},
    "number": {"type": "number"},
    "object": {"type": "object"},
    "words": {"type": "array", "items": {"type": "string"}},
}
_LIMITS = {"models": (1, 100), "images": (0, 200), "creators": (1, 200), "tags": (1, 200)}
_HASH = "^[0-9A-Fa-f]{8}$|^[0-9A-Fa-f]{10}$|^[0-9A-Fa-f]{12}$|^[0-9A-Fa-f]{64}$"
_SHA256: Schema = {"type": "string", "pattern": "^[0-9A-Fa-f]{64}$"}
_COUNTS: Schema = {"type": "object", "additionalProperties": {"type": ["number", "null"]}}
_ID: Schema = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}


def v1_paths() -> tuple[dict[str, Any], dict[str, Schema]]:
    """Paths and the shapes that they name."""
    one = "/api/v1/model-versions"
    release, model = _ref("CivitaiRelease"), _ref("CivitaiModel")
    paths = {
        "/api/v1/models": _get("Models, a page at a time", _page(model), _asked("models")),
        "/api/v1/models/{id}": _get("One model", model, [_in_path("id", _ID)]),
        f"{one}/{{id}}": _get("One version", release, [_in_path("id", _ID)]),
        f"{one}/mini/{{id}}": _get("The short form of a version", _ref("CivitaiMini"), [_in_path("id", _ID)]),
        f"{one}/by-hash/{{hash}}": _get(
            "The version that has a file of this hash, of any kind",
            release,
            [_in_path("hash", {"type": "string", "pattern": _HASH})],
        ),
        f"{one}/by-hash": _post("Versions by up to 100 SHA256; misses are left out", array(release), 100),
        f"{one}/by-hash/ids": _post(
            "Which of up to 10,000 SHA256 are known", array(_ref("CivitaiHashed")), 10_000
        ),
        "/api/v1/images": _get(
            "Pictures with how they were made", _page(_ref("CivitaiImage")), _asked("images")
        ),
        "/api/v1/creators": _get(
            "Who publishes", _page(_fields(username="text", link="text")), _asked("creators")
        ),
        "/api/v1/tags": _get(
            "What models are tagged with", _page(_fields(name="text", link="text")), _asked("tags")
        ),
        "/api/v1/enums": _get(
            "The words that fields may hold", {"type": "object", "additionalProperties": _TYPES["words"]}, []
        ),
        "/api/v1/me": _get(
            "Whose key it is", _fields(id="whole", username="text", tier="text", status="text"), []
        ),
        "/api/download/models/{id}": _download(),
        "/api/download/files/{id}": _bytes(),
    }
    return paths, _shapes()


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _fields(**types: str) -> Schema:
    """An object: name -> type of ``_TYPES``, with ``?`` if it may be null."""
    members = {name: _typed(word) for name, word in types.items()}
    return {"type": "object", "properties": members, "required": list(members)}


def _typed(word: str) -> Schema:
    known = _TYPES[word.rstrip("?")]
    return {**known, "type": [known["type"], "null"]} if word.endswith("?") else dict(known)


def _table(shape: str) -> dict[str, str]:
    rows = drop_in()["fields"][shape].items()
    return {name: row["type"] for name, row in rows if name != "why"}


def _with(schema: Schema, **more: Schema) -> Schema:
    names = [*more, *schema["required"]]
    return {**schema, "properties": {**more, **schema["properties"]}, "required": names}


def _shapes() -> dict[str, Schema]:
    hashes: Schema = {"type": "object", "additionalProperties": {"type": "string", "pattern": "^[0-9A-F]+$"}}
    file = _fields(
        id="whole",
        sizeKB="number",
        name="text",
        type="text",
        metadata="object",
        downloadUrl="text",
        primary="flag",
    )
    picture = _fields(id="whole", url="text", width="whole", height="whole", hash="text?", type="text")
    version = _with(
        _fields(id="whole", air="text", downloadUrl="text", **_table("version")),
        stats=_COUNTS,
        files=array(_ref("CivitaiFile")),
        images=array(_ref("CivitaiPicture")),
    )
    stated = _fields(**_table("release"))
    model: Schema = {"stats": _COUNTS, "modelVersions": array(_ref("CivitaiVersion"))}
    return {
        "CivitaiError": _fields(error="text"),
        "CivitaiFile": _with(file, hashes=hashes),
        "CivitaiPicture": _with(picture, **_fields(**_table("image"))["properties"]),
        "CivitaiVersion": version,
        "CivitaiRelease": _with(
            version, modelId=_TYPES["whole"], model=_fields(name="text", type="text"), **stated["properties"]
        ),
        "CivitaiModel": _with(
            _fields(id="whole", name="text", creator="object", **_table("model")),
            allowCommercialUse={"type": ["string", "array"]},
            **model,
        ),
        "CivitaiMini": _with(
            _fields(air="text", versionName="text", modelName="text", baseModel="text", downloadUrls="words"),
            hashes=hashes,
        ),
        "CivitaiHashed": _fields(modelVersionId="whole", hash="text"),
        "CivitaiImage": _with(
            _fields(
                id="whole",
                url="text",
                nsfwLevel="text",
                browsingLevel="whole",
                stats="object",
                meta="object?",
            ),
            modelVersionIds=array(_TYPES["whole"]),
        ),
    }


def _page(item: Schema) -> Schema:
    page = _fields(metadata="object")
    return _with(page, items=array(item))


def _asked(listing: str) -> list[dict[str, Any]]:
    """The parameters of a listing, from the table by which they are read."""
    low, high = _LIMITS[listing]
    table = read_table("civitai_listing.toml")
    rows = {name: row for name, row in table["ask"].get(listing, {}).items() if name != "why"}
    numbered = {"page": {"type": "integer", "minimum": 1}, "limit": _limited(low, high)}
    asked = {name: _read_as(row, table) for name, row in rows.items()} | numbered
    if listing in ("models", "images"):
        asked["cursor"] = {"type": "string"}
    return [{"name": name, "in": "query", "schema": schema} for name, schema in asked.items()]


def _limited(low: int, high: int) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high}


def _read_as(row: Mapping[str, Any], table: Mapping[str, Any]) -> Schema:
    """A parameter's values, as the table says how they are read."""
    read = row.get("read", "text")
    schema: Schema = {"type": "string"}
    if read == "word":
        schema = {"type": "string", "enum": list(table[row["of"]])}
    elif read == "flag":
        schema = {"type": "boolean"}
    elif read in ("number", "numbers"):
        schema = {"type": "integer", "minimum": 0}
    return array(schema) if row.get("many") else schema


def _in_path(name: str, schema: Schema) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _get(summary: str, answer: Schema, parameters: list[dict[str, Any]]) -> dict[str, Any]:
    return {"get": _operation(summary, answer) | {"parameters": parameters}}


def _post(summary: str, answer: Schema, most: int) -> dict[str, Any]:
    body = {"type": "array", "items": _SHA256, "maxItems": most}
    content = {"required": True, "content": {"application/json": {"schema": body}}}
    return {"post": _operation(summary, answer) | {"requestBody": content}}


def _operation(summary: str, answer: Schema) -> dict[str, Any]:
    responses = {
        "200": {"description": "As Civitai's", "content": {"application/json": {"schema": answer}}},
        "default": {
            "description": "An error, as Civitai tells it",
            "content": {"application/json": {"schema": _ref("CivitaiError")}},
        },
    }
    return {"summary": summary, "tags": ["Civitai's API"], "responses": responses}


def _download() -> dict[str, Any]:
    names = {name: {"type": "string"} for name in ("type", "format", "size", "fp")}
    parameters = [_in_path("id", _ID), *({"name": n, "in": "query", "schema": s} for n, s in names.items())]
    made = _get("Where a file of a version is, if the server may give it out", {}, parameters)
    made["get"]["responses"] = {
        "302": {"description": "It is at its hub"},
        "307": {"description": "It is here: the address of its bytes"},
        "default": made["get"]["responses"]["default"],
    }
    return made


def _bytes() -> dict[str, Any]:
    made = _get("The bytes of a file, to which a download leads", {}, [_in_path("id", _ID)])
    binary = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    made["get"]["responses"] |= {
        "200": {"description": "The file", "content": binary},
        "206": {"description": "A part of it", "content": binary},
        "416": {"description": "No such part"},
    }
    return made
