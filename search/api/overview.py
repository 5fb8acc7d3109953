"""Routes on the library as a whole."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from search.api.answering import Json
from search.web.dependencies import Library
from search.web.events import events

__all__ = ["router"]

router = APIRouter(prefix="/api")

_TICK = 1.0  # seconds


@router.get("/progress")
def progress(pinakes: Library) -> Response:
    """What is being done with the library just now: folders read, hubs asked, indexes built."""
    return Json({"working": pinakes.overviews.under_way()})


@router.get("/progress/stream", include_in_schema=False)
def progress_stream(pinakes: Library) -> Response:
    """The same as server-sent events, one whenever it changes."""
    return events(lambda: (pinakes.overviews.under_way(), False), _TICK)


@router.get("/creators")
def creators(
    pinakes: Library,
    sort: Literal["downloads", "models", "rating", "name"] = "downloads",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> Response:
    """Who made the library, and how few made half of it."""
    return Json(pinakes.overviews.creators(sort=sort, limit=limit, offset=offset).to_json())


@router.get("/trends")
def trends(
    pinakes: Library,
    days: Annotated[int, Query(ge=1, le=365)] = 30,
    limit: Annotated[int, Query(ge=1, le=200)] = 24,
) -> Response:
    """Versions a month by base architecture, and what gained most downloads lately."""
    return Json(pinakes.overviews.trends(days=days, limit=limit).to_json())
