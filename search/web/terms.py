"""A model's licence in plain words: what is allowed, what is not, and what nobody says."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from indexer.domain.licences import NON_COMMERCIAL, base_licences, licence_named, permission_titles
from indexer.domain.records import Document
from search.web.words import source_title

__all__ = ["Terms", "terms_of"]

_DEEDS = {
    "sell-images": "sell pictures made with it, or use them commercially",
    "run-as-service": "offer it in a generation service that takes money",
    "sell-model": "sell it, or merges with it",
    "merge": "share what you derive from it",
    "different-licence": "give what you derive from it other permissions",
    "no-credit": "use it without naming its creator",
}
"""What each permission allows, after *you may*."""

_FOR_MONEY = ("sell-images", "run-as-service", "sell-model")
_SALE = {
    True: "Pictures made with it may be sold.",
    False: "Pictures made with it may not be sold.",
    None: "Nobody says whether pictures made with it may be sold.",
}


@dataclass(frozen=True, slots=True)
class Terms:
    """``allowed``, ``refused`` and ``unknown`` are deeds, after *you may*; ``by`` tells who says so;
    ``condition`` is what the licence makes it depend on."""

    headline: str
    allowed: Sequence[str]
    refused: Sequence[str]
    unknown: Sequence[str]
    by: Sequence[str]
    condition: str | None = None


def terms_of(document: Document, claims: Iterable[Mapping[str, Any]]) -> Terms:
    """What may be done with a model. ``claims`` are the rows of its details; the strictest word counts."""
    licence = licence_named(document.licence)
    creator = [row for row in claims if isinstance(row["claims"].get("permissions"), Mapping)]
    bases = base_licences(document.architecture, document.base_label, document.family)
    limits = [row for row in map(licence_named, bases) if row is not None]
    sorted_: dict[str, list[str]] = {"allowed": [], "refused": [], "unknown": []}
    for id_, clause in permission_titles().items():
        if id_ in document.permissions:
            state = "allowed"
        elif licence is not None or creator or (id_ in _FOR_MONEY and _refused(id_, limits)):
            state = "refused"
        else:
            state = "unknown"
        sorted_[state].append(_DEEDS.get(id_, clause))
    sold = None
    if "sell-images" in document.permissions:
        sold = True
    elif NON_COMMERCIAL in document.permissions:
        sold = False
    said = [f"its licence, {document.licence}"] if document.licence else []
    said += [f"its creator's permissions as told by {source_title(source)}" for source in _sources(creator)]
    said += [f"the licence of its base, {text}" for text in bases if text != document.licence]
    condition = licence.condition if licence is not None else None
    return Terms(_SALE[sold], **sorted_, by=said, condition=condition)


def _refused(permission: str, limits: Iterable[Any]) -> bool:
    return any(permission not in row.permits for row in limits)


def _sources(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(row["source"] for row in rows))
