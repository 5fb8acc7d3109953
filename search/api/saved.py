"""``/api/saved``: searches under a name. Names may hold any character, so they travel as a parameter."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from indexer import saved as searches
from indexer.saved import LONGEST_NAME, LONGEST_QUERY, Saved
from search.api.answering import Json
from search.service import Pinakes
from search.web.dependencies import Library

__all__ = ["kept", "router"]

router = APIRouter(prefix="/api/saved")

Name = Annotated[str, Query(min_length=1, max_length=LONGEST_NAME, description="The search's name")]


class SearchAsked(BaseModel):
    """A search to keep."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=LONGEST_NAME)
    query: str = Field(max_length=LONGEST_QUERY, description="Words and filters, as in search")
    sort: str = Field("relevance", max_length=100)
    base: str | None = Field(None, max_length=100, description="Architecture that you use")


class NameAsked(BaseModel):
    """Another name."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=LONGEST_NAME)


def kept(pinakes: Pinakes, name: str, query: str, sort: str = "relevance", base: str | None = None) -> Saved:
    """Keep a search that can be understood. Raises ``UsageError`` and ``QueryError`` for another."""
    pinakes.search(query, sort=sort, base=base, limit=1, facets=False)
    return searches.save_search(pinakes.catalog, name, query, sort=sort, base=base)


@router.get("")
def saved(pinakes: Library) -> Response:
    """All searches that are kept, by name: ``[{name, query, sort, base, made_at}]``."""
    return Json([asdict(one) for one in searches.saved_searches_of(pinakes.catalog)])


@router.post("")
def save(pinakes: Library, asked: SearchAsked) -> Response:
    """Keep a search, in place of the one of that name. It must be one that can be understood."""
    return Json(asdict(kept(pinakes, asked.name, asked.query, asked.sort, asked.base)))


@router.patch("")
def rename(pinakes: Library, name: Name, asked: NameAsked) -> Response:
    """Give a search another name."""
    _known(pinakes, name)
    return Json(asdict(searches.rename_saved(pinakes.catalog, name, asked.name)))


@router.delete("")
def remove(pinakes: Library, name: Name) -> Response:
    """Forget a search."""
    _known(pinakes, name)
    searches.remove_saved(pinakes.catalog, name)
    return Json({"removed": name})


def _known(pinakes: Pinakes, name: str) -> None:
    if all(one.name != name for one in searches.saved_searches_of(pinakes.catalog)):
        raise HTTPException(404, f"No search is kept as {name!r}. GET /api/saved lists them.")
