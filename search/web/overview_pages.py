"""Routes of the pages on the library as a whole."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from indexer.errors import UsageError
from search.web.dependencies import Library
from search.web.overview import creators_view, trends_view
from search.web.templating import page

__all__ = ["router"]

router = APIRouter(include_in_schema=False)


@router.get("/creators")
def show_creators(
    pinakes: Library, sort: str = "downloads", offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0
) -> HTMLResponse:
    """Who made the library."""
    try:
        return page("creators.html", **creators_view(pinakes, sort, offset))
    except UsageError:
        return page("creators.html", **creators_view(pinakes, "downloads", offset))


@router.get("/trends")
def show_trends(pinakes: Library, days: Annotated[int, Query(ge=1, le=365)] = 30) -> HTMLResponse:
    """What is made for which base, and what rises."""
    return page("trends.html", **trends_view(pinakes, days))
