"""``POST /api/plan``: the move plan as JSON, asked with a JSON body or with a form that carries a picture."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import UploadFile
from starlette.responses import Response

from indexer.errors import UsageError
from search.api.answering import Json
from search.plan_cost import Price
from search.plan_diff import check_plan
from search.plan_make import PlanRequest, make_plan
from search.web.dependencies import Library

__all__ = ["MOST", "router"]

MOST = 20_000
"""Models planned for one request; a library of more is planned by ``pinakes plan``."""

router = APIRouter(prefix="/api")


class Asking(BaseModel):
    """The body's fields."""

    model_config = ConfigDict(populate_by_name=True, extra="forbid")

    to: str = Field(min_length=1, max_length=100, description="Base to move to, such as flux2-klein-9b")
    source: str | None = Field(
        None, alias="from", max_length=100, description="Only what works with this base"
    )
    q: str = Field("", max_length=10_000, description="Words and filters that narrow the library")
    price_per_hour: float | None = Field(None, ge=0, le=1_000_000, description="What an hour of a card costs")
    currency: str | None = Field(None, max_length=10, pattern=r"^[A-Za-z€$£¥]+$")
    against: dict[str, Any] | None = Field(None, description="An earlier plan: tell what changed")


_PROPERTIES = Asking.model_json_schema(by_alias=True)["properties"]
_STACK = {"type": "string", "format": "binary", "description": "Image or ComfyUI workflow: plan its models"}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "object", "properties": _PROPERTIES, "required": ["to"]},
            },
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        **{name: row for name, row in _PROPERTIES.items() if name != "against"},
                        "stack": _STACK,
                    },
                    "required": ["to"],
                }
            },
        },
    }
}


async def _asked(request: Request) -> tuple[Asking, bytes | None]:
    stack: bytes | None = None
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form(max_files=1, max_fields=20) as form:
            values: Any = {name: value for name, value in form.items() if isinstance(value, str) and value}
            sent = form.get("stack")
            stack = (await sent.read() or None) if isinstance(sent, UploadFile) else None
    else:
        try:
            values = orjson.loads(await request.body())
        except orjson.JSONDecodeError as error:
            raise UsageError("body", f'The body is no JSON ({error}). Send an object with "to".') from None
    try:
        return Asking.model_validate(values), stack
    except ValidationError as error:
        faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors(include_url=False)]
        raise RequestValidationError(faults) from error


Sent = Annotated[tuple[Asking, bytes | None], Depends(_asked)]


@router.post("/plan", openapi_extra=_BODY)
def plan(pinakes: Library, sent: Sent) -> Response:
    """What happens to each model when the library moves to another base: a report, no file is touched."""
    asked, stack = sent
    against = check_plan(asked.against, "against") if asked.against is not None else None
    made = make_plan(
        pinakes,
        PlanRequest(
            asked.to,
            asked.source,
            asked.q,
            stack,
            against,
            Price(asked.price_per_hour, asked.currency),
            most=MOST,
        ),
    )
    return Json(made.to_json())
