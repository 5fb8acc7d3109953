"""The routes of the stack builder. A form with buttons serves browsers without script; what it leads to is an
address that can be kept."""

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, File, HTTPException, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from indexer.errors import BadFileError, UsageError
from search.exporting import FORMATS, export_stack
from search.service import Pinakes
from search.web.dependencies import Library
from search.web.stack import asked_of_picture, asked_of_preview, checked, stack_view, with_fresh
from search.web.stack_asked import StackAsked, read_asked
from search.web.templating import page

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_TITLES = {
    "comfyui": "ComfyUI workflow",
    "comfyui-api": "ComfyUI API graph",
    "a1111": "A1111 prompt",
    "json": "JSON",
}
_PARTS = {"all": "_stack.html", "check": "_stack_check.html", "offers": "_stack_offers.html"}


async def _asked_of(request: Request) -> StackAsked:
    return read_asked(request.query_params.multi_items())


Asked = Annotated[StackAsked, Depends(_asked_of)]


@router.get("/stack")
def show_stack(pinakes: Library, asked: Asked) -> Response:
    """The stack builder, or the address that a pressed button leads to."""
    preview = asked.picture
    if preview is not None:
        return _opened(pinakes, lambda: asked_of_preview(pinakes, preview))
    asked = with_fresh(pinakes, asked)
    if asked.acted:
        return RedirectResponse(asked.url(), 303)
    return _shown(pinakes, asked)


def _shown(pinakes: Pinakes, asked: StackAsked, refused: str = "") -> HTMLResponse:
    status = 400 if refused else 200
    return page("stack.html", status, **stack_view(pinakes, asked), formats=_TITLES, refused=refused)


@router.get("/fragment/stack")
def show_part(
    pinakes: Library, asked: Asked, part: Literal["all", "check", "offers"] = "all"
) -> HTMLResponse:
    """The builder without its frame, after a button; or one part of it."""
    view = stack_view(pinakes, with_fresh(pinakes, asked), offering=part != "check")
    return page(_PARTS[part], **view, formats=_TITLES)


@router.get("/stack/export/{format_}")
def export(pinakes: Library, asked: Asked, format_: str) -> Response:
    """The stack as a file for another tool."""
    if format_ not in FORMATS:
        raise HTTPException(404, f"A stack has no form {format_[:40]!r}; there are {', '.join(FORMATS)}.")
    stack, fault = checked(pinakes, asked)
    if stack is None:
        raise UsageError("export", fault or "Choose a base first: without one there is nothing to load.")
    made = export_stack(pinakes, stack, format_)
    headers = {"Content-Disposition": f'attachment; filename="{made.name}"'}
    return Response(made.text, media_type=made.media, headers=headers)


@router.post("/stack/open")
def open_picture(pinakes: Library, image: Annotated[UploadFile, File()]) -> Response:
    """The stack that a picture or a ComfyUI workflow was made with."""
    data = image.file.read()
    return _opened(pinakes, lambda: asked_of_picture(pinakes, data))


def _opened(pinakes: Pinakes, read: Callable[[], StackAsked]) -> Response:
    try:
        return RedirectResponse(read().url(), 303)
    except (UsageError, BadFileError) as error:
        return _shown(pinakes, StackAsked(), error.detail)
