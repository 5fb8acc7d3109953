"""``POST /api/check``: does a stack fit together? ``POST /api/stack/export``: the same for another tool.

Answers are those of ``pinakes check --json`` and ``--export``.
"""

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from search.api.answering import Json
from search.checking import MOST_ADDONS, check_stack
from search.exporting import export_stack
from search.service import Pinakes
from search.stack import Stack
from search.web.dependencies import Library

__all__ = ["router"]

router = APIRouter(prefix="/api")

_FORMS: dict[str, Any] = {
    "application/json": {"schema": {"type": "object"}},
    "text/plain": {"schema": {"type": "string"}},
}

_Name = Annotated[str, Field(min_length=1, max_length=500)]


class StackAsked(BaseModel):
    """A base and what is used with it."""

    base: _Name = Field(description="A base by id, name or hash; or an architecture such as sdxl")
    addons: list[_Name] = Field(
        default=[], max_length=MOST_ADDONS, description="Each by id, name or hash; NAME:0.8 gives a weight"
    )
    precision: Literal["fp16", "bf16", "fp8"] = "fp16"
    deep: bool = Field(False, description="Read the adapters' weights and compare what they change")


class ExportAsked(StackAsked):
    """A stack, and the form in which it is wanted."""

    format: Literal["comfyui", "comfyui-api", "a1111", "json"] = Field(
        "comfyui",
        description="comfyui: a workflow for its editor; comfyui-api: a graph for its server; a1111: a "
        "prompt with its line of settings; json: all that is known",
    )


@router.post("/check")
def check(pinakes: Library, asked: StackAsked) -> Response:
    """Whether the addons work on the base and beside each other: modules, words, missing parts, licence."""
    return Json(_checked(pinakes, asked).to_json())


@router.post("/stack/export", response_class=Response, responses={200: {"content": _FORMS}})
def export(pinakes: Library, asked: ExportAsked) -> Response:
    """The stack as a ComfyUI workflow with its loaders wired, as A1111's text, or as JSON."""
    made = export_stack(pinakes, _checked(pinakes, asked), asked.format)
    return Response(made.text, media_type=made.media)


def _checked(pinakes: Pinakes, asked: StackAsked) -> Stack:
    return check_stack(
        pinakes, asked.base, asked.addons, precision=asked.precision, deep=asked.deep, on_disk=False
    )
