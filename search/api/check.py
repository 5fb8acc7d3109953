"""``POST /api/check``: does a stack fit together? Answers are those of ``pinakes check --json``."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from search.api.answering import Json
from search.checking import MOST_ADDONS, check_stack
from search.web.dependencies import Library

__all__ = ["router"]

router = APIRouter(prefix="/api")

_Name = Annotated[str, Field(min_length=1, max_length=500)]


class StackAsked(BaseModel):
    """A base and what is used with it."""

    base: _Name = Field(description="A base by id, name or hash; or an architecture such as sdxl")
    addons: list[_Name] = Field(
        default=[], max_length=MOST_ADDONS, description="Each by id, name or hash; NAME:0.8 gives a weight"
    )
    precision: Literal["fp16", "bf16", "fp8"] = "fp16"
    deep: bool = Field(False, description="Read the adapters' weights and compare what they change")


@router.post("/check")
def check(pinakes: Library, asked: StackAsked) -> Response:
    """Whether the addons work on the base and beside each other: modules, words, missing parts, licence."""
    stack = check_stack(
        pinakes, asked.base, asked.addons, precision=asked.precision, deep=asked.deep, on_disk=False
    )
    return Json(stack.to_json())
