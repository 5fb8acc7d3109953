"""Forms of the user's own layer. Each works without the script; ``/fragment/*`` answer with a part alone."""

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from indexer import saved as searches
from indexer.domain.marks import LONGEST, Change
from indexer.domain.records import Document
from indexer.personal import wanted_change
from indexer.saved import LONGEST_NAME, LONGEST_QUERY
from search.api.saved import kept
from search.service import Pinakes
from search.web.dependencies import EntryId, Library
from search.web.own import marks_view, saved_view
from search.web.parameters import Wanted
from search.web.templating import page

__all__ = ["router"]

_OURS = re.compile(r"/(?:model/\d{1,19})?(?:\?[!-~]{0,20000})?")

router = APIRouter(include_in_schema=False)

_Flag = Annotated[str, Form(pattern="^(|yes|no)$")]
_Note = Annotated[str | None, Form(max_length=2 * LONGEST["note"])]
_Short = Annotated[str, Form(max_length=2_000)]
_Name = Annotated[str, Form(max_length=4 * LONGEST_NAME)]
_Query = Annotated[str, Form(max_length=LONGEST_QUERY)]
_Back = Annotated[str, Form(max_length=30_000)]


async def _asked(
    favourite: _Flag = "",
    seen: _Flag = "",
    purpose: _Short = "",
    rating: Annotated[str | None, Form(max_length=20)] = None,
    note: _Note = None,
    tag: _Short = "",
    untag: _Short = "",
) -> Change:
    """The change that a form asks for. Raises ``UsageError`` (``mark``)."""
    stars = (rating or "").strip()
    return wanted_change(
        favourite=_flag(favourite),
        seen=_flag(seen),
        purpose=purpose,
        rating=_number(stars) if stars else None,
        unrate=rating is not None and not stars,
        note=None if note is None else note.replace("\r\n", "\n"),
        tag=[part for part in tag.split(",") if part.strip()],
        untag=[untag] if untag else [],
    )


_Asked = Annotated[Change, Depends(_asked)]


def _flag(text: str) -> bool | None:
    return None if not text else text == "yes"


def _number(text: str) -> float | str:
    """A number, or what was sent instead, which is then refused as a rating."""
    return float(text) if re.fullmatch(r"\d(\.\d)?", text) else text


def _away(address: str, otherwise: str) -> Response:
    """Back to where the form stood, and to nowhere but this page."""
    return RedirectResponse(address if _OURS.fullmatch(address) else otherwise, 303)


@router.post("/model/{entry_id}/marks")
def mark(pinakes: Library, entry_id: EntryId, change: _Asked, back: _Back = "") -> Response:
    """Note something of a model, and go back."""
    _mark(pinakes, entry_id, change)
    return _away(back, f"/model/{entry_id}")


@router.post("/fragment/marks/{entry_id}")
def mark_here(pinakes: Library, entry_id: EntryId, change: _Asked) -> HTMLResponse:
    """Note something of a model; answers all that is noted of it."""
    return page("_marks.html", **marks_view(_mark(pinakes, entry_id, change), pinakes.marks.of(entry_id)))


def _mark(pinakes: Pinakes, entry_id: int, change: Change) -> Document:
    """The entry as it is then."""
    if pinakes.entry(entry_id) is not None:
        pinakes.marks.change([entry_id], change)
        if (document := pinakes.entry(entry_id)) is not None:
            return document
    raise HTTPException(404, f"No model has the number {entry_id}. It may have left the library.")


@dataclass(frozen=True, slots=True)
class _Search:
    """What a form asks of a kept search: to remove it, to rename it, or else to keep one."""

    name: str
    query: str
    sort: str
    base: str
    rename: str
    remove: str


async def _sent(
    name: _Name = "",
    query: _Query = "",
    sort: _Short = "relevance",
    base: _Short = "",
    rename: _Name = "",
    remove: _Name = "",
) -> _Search:
    return _Search(name, query, sort, base, rename, remove)


_Sent = Annotated[_Search, Depends(_sent)]


@router.post("/saved")
def save(pinakes: Library, sent: _Sent, back: _Back = "") -> Response:
    """Keep, rename or remove a search, and go back."""
    _save(pinakes, sent)
    return _away(back, "/")


@router.post("/fragment/saved")
def save_here(pinakes: Library, sent: _Sent) -> HTMLResponse:
    """Keep, rename or remove a search; answers all that are kept."""
    _save(pinakes, sent)
    return page("_saved.html", **saved_view(pinakes, Wanted()))


def _save(pinakes: Pinakes, sent: _Search) -> None:
    if sent.remove:
        searches.remove_saved(pinakes.catalog, sent.remove)
    elif sent.rename:
        searches.rename_saved(pinakes.catalog, sent.rename, sent.name)
    else:
        kept(pinakes, sent.name, sent.query, sent.sort, sent.base or None)
