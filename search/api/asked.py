"""What a program may ask for, as parameters of an address or as a multipart form with a picture."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError
from starlette.datastructures import UploadFile

from search.web.parameters import PARAMETERS, Wanted, read_wanted

__all__ = [
    "FILTERS",
    "UPLOAD",
    "Asking",
    "Base",
    "By",
    "Limit",
    "MinScore",
    "Offset",
    "Posted",
    "Q",
    "Seed",
    "Sent",
    "Sort",
    "Typing",
    "Versions",
]

_MAX_FIELDS = 200

_FILTER_ROWS = [
    (name, f"{field.title}: {field.help}. For instance {field.example}; -VALUE excludes, a comma is or.")
    for name, field in PARAMETERS.items()
]

FILTERS: dict[str, Any] = {
    "parameters": [
        {
            "name": name,
            "in": "query",
            "description": told,
            "schema": {"type": "array", "items": {"type": "string"}},
        }
        for name, told in _FILTER_ROWS
    ]
}
"""The filters of ``search.web.parameters``, for the description of the API."""

Q = Annotated[str, Query(description="Query: words and filters", max_length=10_000)]
Base = Annotated[str | None, Query(description="Architecture that you use, such as sdxl", max_length=100)]
Limit = Annotated[int, Query(ge=1, le=200, description="At most so many hits")]
MinScore = Annotated[
    float | None, Query(ge=0, le=1, description="Call nothing similar below; default: a measured cut-off")
]
Offset = Annotated[int, Query(ge=0, le=1_000_000, description="Skip so many hits")]
_SORT = "relevance, newest, updated, rating, downloads, size, name or random"
Sort = Annotated[str, Query(description=_SORT, max_length=100)]
Seed = Annotated[int, Query(ge=0, le=2**63 - 1, description="Another number gives another random order")]
Typing = Annotated[bool, Query(description="The last word may be unfinished; facets are left out")]
Versions = Annotated[bool, Query(description="Each version is a hit of its own")]
_BY = "style: how it is drawn; content: what is in it; mix: both; weights: how an adapter changes the model"
By = Annotated[str, Query(description=_BY, max_length=100)]


class Asking(BaseModel):
    """The parameters of a form, beside its filters and its picture."""

    q: str = Field("", max_length=10_000)
    base: str | None = Field(None, max_length=100)
    sort: str = Field("relevance", max_length=100)
    by: str = Field("style", max_length=100)
    limit: int = Field(24, ge=1, le=200)
    offset: int = Field(0, ge=0, le=1_000_000)
    min_score: float | None = Field(None, ge=0, le=1)
    model: str | None = Field(None, min_length=1, max_length=500)


_FORM = Asking.model_json_schema()["properties"]
_FORM |= {"image": {"type": "string", "format": "binary", "description": "PNG, JPEG, WebP or GIF, to 32 MiB"}}
_FORM |= {name: {"type": "string", "description": told} for name, told in _FILTER_ROWS}

UPLOAD: dict[str, Any] = {
    "requestBody": {
        "content": {"multipart/form-data": {"schema": {"type": "object", "properties": _FORM}}},
        "required": True,
    }
}
"""The form, for the description of the API."""


@dataclass(frozen=True, slots=True)
class Posted:
    """A form that was sent; parameters of the address count too."""

    asked: Asking
    wanted: Wanted
    image: bytes | None


async def _posted(request: Request) -> Posted:
    async with request.form(max_files=1, max_fields=_MAX_FIELDS) as form:
        texts = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
        pairs = [*request.query_params.multi_items(), *texts]
        image = form.get("image")
        content = await image.read() if isinstance(image, UploadFile) else None
    try:
        asked = Asking.model_validate(dict(pairs))
    except ValidationError as error:
        faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors(include_url=False)]
        raise RequestValidationError(faults) from error
    return Posted(asked, read_wanted(pairs), content or None)


Sent = Annotated[Posted, Depends(_posted)]
