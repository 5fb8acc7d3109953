"""The gallery: ask the library what a request wants, and gather what its templates show."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from indexer.domain.fields import FIELDS
from indexer.errors import PinakesError
from search.answers import Answer
from search.picture import MadeWith, made_with
from search.query import QueryError
from search.service import SORTS, Pinakes
from search.web.own import saved_view
from search.web.parameters import Clause, Wanted
from search.web.ranges import ranges
from search.web.shots import record_view
from search.web.views import SORT_TITLES, Card, blurred, cards, chips, facets, widened_fields, yours

__all__ = ["PAGE", "Fault", "fault_of", "faulty", "gallery", "more_cards", "row", "why"]

PAGE = 36
"""Cards of a page: divides by 2, 3, 4 and 6 columns."""

_LIKE = 72
_SEEDS = 1_000_000
_HIDDEN = Clause(FIELDS["is"], ("adult", "real_person", "minor"))


@dataclass(frozen=True, slots=True)
class Fault:
    """Why nothing could be looked for. ``before``, ``at`` and ``after`` cut the query at the fault."""

    message: str
    before: str = ""
    at: str = ""
    after: str = ""


def fault_of(error: PinakesError) -> Fault:
    """An error as the page shows it."""
    if not isinstance(error, QueryError):
        return Fault(error.detail)
    line = error.detail.splitlines()[1][4:] if "\n" in error.detail else ""
    start, end = error.start, max(error.end, error.start + 1)
    return Fault(error.message, line[:start], line[start:end] or "\u00a0", line[end:])


def gallery(
    pinakes: Pinakes, wanted: Wanted, offset: int = 0, image: bytes | None = None, *, typing: bool = False
) -> dict[str, Any]:
    """Everything that ``gallery.html`` and ``_workspace.html`` show. ``typing``: the last word may go on.

    Raises ``QueryError`` (its caret under ``wanted.q``), ``UsageError`` and the errors of the catalog.
    """
    if wanted.sort == "random" and not wanted.seed:
        wanted = replace(wanted, seed=1 + secrets.randbelow(_SEEDS))  # further pages go on in this order
    with wanted.asking():
        answer = _ask(pinakes, wanted, offset, image, typing=typing)
        counted = _facet_counts(pinakes, wanted, answer)
    looked = image is not None or wanted.like is not None
    made = None if image is None else made_with(pinakes, image)
    hidden = replace(wanted, clauses=(*wanted.clauses, _HIDDEN), like=None)
    return (
        _frame(wanted)
        | {
            "answer": answer,
            "cards": cards(answer.hits),
            "facets": facets(wanted, counted),
            "ranges": ranges(wanted) if answer.total or _narrowed(wanted) else [],
            "unfilled": 0 if answer.total or looked or _narrowed(wanted) else pinakes.stats()["entries"],
            "yours": yours(wanted, counted),
            "made": None if made is None else _made(made),
            "more": None if looked else _more(wanted, answer, offset),
            "blurred": blurred(answer),
            "why": None if image is not None else _why(wanted, offset, typing=typing),
            "hidden_url": hidden.url(),
            "like": answer.query.get("like"),
            "pictured": image is not None,
        }
        | saved_view(pinakes, wanted)
    )


def _narrowed(wanted: Wanted) -> bool:
    """Whether less than everything is asked for."""
    return bool(wanted.q.strip() or wanted.clauses)


def _made(made: MadeWith) -> dict[str, Any]:
    return record_view(made.to_json()) | {"have": made.have}


def faulty(wanted: Wanted, error: PinakesError) -> dict[str, Any]:
    """What the gallery shows instead of an answer."""
    return _frame(wanted) | {"fault": fault_of(error)}


def _frame(wanted: Wanted) -> dict[str, Any]:
    return {
        "wanted": wanted,
        "answer": None,
        "cards": [],
        "chips": chips(wanted),
        "facets": [],
        "ranges": [],
        "unfilled": 0,
        "yours": [],
        "saved": [],
        "saving": None,
        "made": None,
        "here": wanted.url(),
        "sorts": {name: SORT_TITLES.get(name, name.capitalize()) for name in SORTS},
        "more": None,
        "why": None,
        "blurred": 0,
        "hidden_url": "",
        "unbased_url": replace(wanted, base=None).url(),
        "like": None,
        "pictured": False,
        "fault": None,
        "prefix": "card",
    }


def more_cards(pinakes: Pinakes, wanted: Wanted, offset: int) -> dict[str, Any]:
    """The next cards, for the end of the grid."""
    with wanted.asking():
        answer = _ask(pinakes, wanted, offset, None)
    more = _more(wanted, answer, offset)
    shown = {"cards": cards(answer.hits), "why": _why(wanted, offset)}
    return shown | {"more": more, "prefix": "card", "here": wanted.url()}


def row(pinakes: Pinakes, wanted: Wanted, limit: int = 12) -> dict[str, Any]:
    """A short row of what looks like one entry. Raises ``UsageError`` when it has no picture."""
    answer = pinakes.similar(wanted.like or 0, by=wanted.by, base=wanted.base, limit=limit + 1)
    shown = [card for card in cards(answer.hits) if card.document.id != wanted.like][:limit]
    why = _why(wanted, 0)
    return {
        "cards": shown,
        "why": why,
        "more": None,
        "prefix": wanted.by,
        "here": f"/model/{wanted.like or 0}",
    }


def why(pinakes: Pinakes, wanted: Wanted, offset: int, entry_id: int, *, typing: bool = False) -> Card | None:
    """The card of an entry on a page that was shown, to say why it is there; None where it is no more."""
    with wanted.asking():
        hits = _ask(pinakes, wanted, offset, None, typing=typing).hits
    return next((card for card in cards(hits) if card.document.id == entry_id), None)


def _why(wanted: Wanted, offset: int, *, typing: bool = False) -> str:
    """Where that can be asked; the card's id goes at its end."""
    more = {"typing": 1} if typing else {}
    return wanted.url("/fragment/why", offset=offset, **more, id="")


def _ask(
    pinakes: Pinakes, wanted: Wanted, offset: int, image: bytes | None, *, typing: bool = False
) -> Answer:
    what = image if image is not None else wanted.like
    if what is not None:
        return pinakes.similar(what, by=wanted.by, base=wanted.base, query=wanted.query(), limit=_LIKE)
    return pinakes.search(
        wanted.query(),
        base=wanted.base,
        sort=wanted.sort,
        limit=PAGE,
        offset=offset,
        seed=wanted.seed,
        typing=typing,
    )


def _facet_counts(pinakes: Pinakes, wanted: Wanted, answer: Answer) -> Mapping[str, Mapping[str, int]]:
    counted = dict(answer.facets or pinakes.search(wanted.query(), limit=1).facets)
    for field in widened_fields(wanted):
        others = replace(wanted.without(field), sort="relevance")
        counted[field.name] = pinakes.search(others.query(), limit=1).facets.get(field.name, {})
    return counted


def _more(wanted: Wanted, answer: Answer, offset: int) -> dict[str, Any] | None:
    """Links to the next cards: a whole page, and the fragment that the script appends."""
    after = offset + PAGE
    if after >= answer.total or not answer.hits:
        return None
    return {
        "page": wanted.url(offset=after),
        "fragment": wanted.url("/fragment/cards", offset=after),
        "left": answer.total - after,
    }
