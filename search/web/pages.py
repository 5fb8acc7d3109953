"""The routes of the page. Whole pages work without the script; ``/fragment/*`` are the parts it swaps in."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, File, Form, HTTPException, Query, Request, UploadFile
from fastapi.responses import HTMLResponse

from indexer.errors import BadFileError, UsageError
from search.api.answering import Json
from search.web.dependencies import Asked, EntryId, Library
from search.web.gallery import fault_of, faulty, gallery, more_cards, row, why
from search.web.health import health_view
from search.web.map import map_data
from search.web.model import model_view
from search.web.own import looked_at, see
from search.web.templating import page
from search.web.works_with import works_with_row

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

Offset = Annotated[int, Query(ge=0, le=1_000_000)]
Image = Annotated[UploadFile, File()]


@router.get("/")
def show_gallery(pinakes: Library, wanted: Asked, offset: Offset = 0) -> HTMLResponse:
    """The gallery."""
    try:
        return page("gallery.html", **gallery(pinakes, wanted, offset), offset=offset)
    except UsageError as error:
        return page("gallery.html", 400, **faulty(wanted, error), offset=0)


@router.get("/fragment/results")
def show_results(pinakes: Library, wanted: Asked) -> HTMLResponse:
    """The gallery without its frame. A query that is still being typed is often faulty: no HTTP error."""
    try:
        return page("_workspace.html", **gallery(pinakes, wanted, typing=True))
    except UsageError as error:
        return page("_fault.html", **faulty(wanted, error))


@router.get("/fragment/cards")
def show_more(pinakes: Library, wanted: Asked, offset: Offset = 0) -> HTMLResponse:
    """Further cards for the end of the grid."""
    return page("_cards.html", **more_cards(pinakes, wanted, offset))


@router.get("/fragment/why")
def show_why(
    pinakes: Library,
    wanted: Asked,
    entry: Annotated[int, Query(alias="id", ge=1, le=2**63 - 1)],
    offset: Offset = 0,
    typing: bool = False,
) -> HTMLResponse:
    """Why a card is where it is; empty where it is no more."""
    card = why(pinakes, wanted, offset, entry, typing=typing)
    return HTMLResponse("") if card is None else page("_why.html", card=card)


@router.get("/fragment/row")
def show_row(pinakes: Library, wanted: Asked) -> HTMLResponse:
    """A row of similar entries; empty when there is nothing to compare."""
    try:
        return page("_cards.html", **row(pinakes, wanted))
    except UsageError:
        return HTMLResponse("")  # no preview, or no vectors of this kind: the row is simply not shown


@router.get("/fragment/works-with")
def show_works_with(pinakes: Library, model: Annotated[int, Query(ge=0, le=2**63 - 1)]) -> HTMLResponse:
    """A row of what loads with an entry."""
    return page("_cards.html", **works_with_row(pinakes, model))


@router.post("/similar")
def show_similar(
    pinakes: Library, wanted: Asked, image: Image, by: Annotated[str, Form()] = "style"
) -> HTMLResponse:
    """What looks like a picture, as a whole page (for browsers without script)."""
    wanted = replace(wanted, by=by, like=None)
    try:
        return page("gallery.html", **gallery(pinakes, wanted, image=image.file.read()), offset=0)
    except (UsageError, BadFileError) as error:
        return page("gallery.html", 400, **faulty(wanted, error), offset=0)


@router.post("/fragment/similar")
def show_similar_results(pinakes: Library, wanted: Asked, image: Image) -> HTMLResponse:
    """What looks like a picture, without the frame."""
    try:
        return page("_workspace.html", **gallery(pinakes, wanted, image=image.file.read()))
    except (UsageError, BadFileError) as error:
        return page("_fault.html", **faulty(wanted, error))


@router.get("/model/{entry_id}")
def show_model(pinakes: Library, entry_id: EntryId, request: Request, later: BackgroundTasks) -> HTMLResponse:
    """Everything known of one entry; who opens its page has seen it."""
    view = model_view(pinakes, entry_id)
    if view is None:
        raise HTTPException(404, f"No model has the number {entry_id}. It may have left the library.")
    answer = page("model.html", **view)
    if looked_at(request):
        later.add_task(see, pinakes, entry_id)
    return answer


@router.get("/map")
def show_map(pinakes: Library, wanted: Asked) -> HTMLResponse:
    """The styles of the library as a map."""
    try:
        drawn = pinakes.map(wanted.query())
    except UsageError as error:
        return page("map.html", 400, wanted=wanted, drawn=None, fault=fault_of(error))
    return page("map.html", wanted=wanted, drawn=drawn, fault=None, source=wanted.url("/fragment/map"))


@router.get("/fragment/map")
def show_map_data(pinakes: Library, wanted: Asked) -> Json:
    """What the map's script draws."""
    return Json(map_data(pinakes.map(wanted.query())))


@router.get("/health")
def show_health(pinakes: Library) -> HTMLResponse:
    """What is wrong in the library, and what to do about it."""
    return page("health.html", **health_view(pinakes))


@router.get("/help")
def show_help() -> HTMLResponse:
    """The query language and the keys."""
    return page("help.html")
