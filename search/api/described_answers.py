"""Shapes of the answers that only the HTTP API gives: what was noted, kept and counted, what became of it."""

from search.contracts import Schema, array, record

__all__ = ["CREATORS", "HISTORY", "MAP", "MARKED", "MARKS", "PROGRESS", "SAVED", "TRENDS"]


def _with(schema: Schema, **members: Schema) -> Schema:
    """The schema with some of its members told in full."""
    return {**schema, "properties": schema["properties"] | members}


def _of(values: Schema) -> Schema:
    """An object of any names."""
    return {"type": "object", "additionalProperties": values}


_WORDS = array({"type": "string"})
_COUNT: Schema = {"type": "integer", "minimum": 0}

MARKS = _with(
    record({"favourite": "boolean|null", "seen": "boolean|null", "tags": "array", "at": "string|null"}),
    tags=_WORDS,
    opinions=array(record({"purpose": "string", "rating": "number|null", "note": "string"})),
)
"""What the user noted; null: nothing."""

MARKED = _with(MARKS, published={"type": "boolean", "description": "Whether search sees it already"})

SAVED = record(
    {"name": "string", "query": "string", "sort": "string", "base": "string|null", "made_at": "string"}
)

HISTORY = array(
    _with(
        record(
            {
                "at": "string",
                "what": "string",
                "source": "string|null",
                "path": "string|null",
                "changes": "array",
            },
            what="added, heard, changed, decided, withdrawn, missing or gone",
        ),
        changes=array(record({"name": "string", "before": "string|null", "after": "string|null"})),
    )
)

_PLACE = {"id": "integer", "x": "number", "y": "number"}
MAP = _with(
    record(
        {
            "points": "array",
            "clusters": "array",
            "total": "integer",
            "generation": "integer",
            "took_ms": "number",
        }
    ),
    points=array(
        record(
            {
                **_PLACE,
                "cluster": "integer|null",
                "name": "string",
                "preview": "string|null",
                "nsfw_level": "integer|null",
            }
        )
    ),
    clusters=array(_with(record({**_PLACE, "size": "integer", "words": "array"}), words=_WORDS)),
)

CREATORS = _with(
    record(
        {
            "total": "integer",
            "half_made_by": "object",
            "without_creator": "integer",
            "hidden": "integer",
            "creators": "array",
        },
        half_made_by="how few creators made one half",
    ),
    half_made_by=record({"models": "integer", "downloads": "integer"}),
    creators=array(
        record(
            {
                "name": "string",
                "models": "integer",
                "versions": "integer",
                "downloads": "integer",
                "votes": "integer",
                "stars": "number|null",
            }
        )
    ),
)

TRENDS = _with(
    record({"days": "integer", "months": "object", "rising": "array"}),
    months=_of(_of(_COUNT)) | {"description": "Month -> base architecture -> versions"},
    rising=array(
        record(
            {
                "id": "integer",
                "name": "string",
                "version": "string",
                "before": "integer",
                "after": "integer",
                "gained": "integer",
                "first": "string",
                "last": "string",
            }
        )
    ),
)

PROGRESS = _with(record({"working": "array"}), working=array(record({"what": "string"})))
