"""The user's own layer on the page: what its templates show, and who looked at what."""

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import Request

from indexer import saved as searches
from indexer.domain.records import Document
from indexer.errors import CatalogError
from search.service import Pinakes
from search.web.parameters import Wanted

__all__ = ["looked_at", "marks_view", "saved_view", "see"]

_LOG = logging.getLogger("pinakes.page")
_HALVES = tuple(half / 2 for half in range(1, 11))


def marks_view(document: Document, marks: Mapping[str, Any]) -> dict[str, Any]:
    """What ``_marks.html`` shows: the opinion in general first, even where there is none yet. What another
    tool calls a favourite is one, unless the user says otherwise."""
    by_purpose = {one["purpose"]: one for one in marks["opinions"]}
    general = by_purpose.pop("", {"purpose": "", "rating": None, "note": ""})
    return {
        "entry_id": document.id,
        "favourite": "favourite" in document.flags,
        "marks": marks,
        "opinions": [general, *by_purpose.values()],
        "halves": _HALVES,
    }


def saved_view(pinakes: Pinakes, wanted: Wanted) -> dict[str, Any]:
    """What ``_saved.html`` shows: the searches that are kept; ``saving`` is the one that could be, None where
    nothing is asked for, or what is like a picture."""
    rows = [
        {"name": one.name, "query": one.query, "sort": one.sort, "url": _url(one)}
        for one in searches.saved_searches_of(pinakes.catalog)
    ]
    query = wanted.query().strip()
    asks = (query or wanted.sort != "relevance") and wanted.like is None
    return {"saved": rows, "saving": query if asks else None, "wanted": wanted}


def _url(one: searches.Saved) -> str:
    pairs = [("q", one.query)] if one.query else []
    pairs += [("sort", one.sort)] if one.sort != "relevance" else []
    pairs += [("base", one.base)] if one.base else []
    return f"/?{urlencode(pairs)}"


def looked_at(request: Request) -> bool:
    """Whether a person opened this page: a browser says that it navigates here, and not from elsewhere.

    Programs, prefetching and other sites' frames and pictures mark nothing.
    """
    told = request.headers
    return (
        told.get("sec-fetch-mode") == "navigate"
        and told.get("sec-fetch-dest") == "document"
        and told.get("sec-fetch-site") in ("same-origin", "none")
        and "sec-purpose" not in told
        and not request.scope.get("pinakes.bare")
    )


def see(pinakes: Pinakes, entry_id: int) -> None:
    """Note that a model was looked at; a catalog that cannot take it now is no fault of the page."""
    try:
        pinakes.marks.see(entry_id)
    except CatalogError as error:
        _LOG.warning("model %s was looked at, which could not be noted: %s", entry_id, error.detail)
