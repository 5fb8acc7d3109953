"""What may be done with a model and its pictures: by licences, hubs' permissions and the base's licence.

Every statement counts and the strictest wins. What nobody knows permits nothing: a model is called
``commercial`` only where somebody said that its pictures may be sold and nothing known speaks against it.
It is called ``non-commercial`` where something known forbids that. The table is ``licences.toml``.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from indexer.domain.vocabulary import (
    TableError,
    architecture_path,
    architectures,
    base_label,
    base_labels,
    is_under,
    read_table,
)

__all__ = [
    "COMMERCIAL",
    "NON_COMMERCIAL",
    "Licence",
    "Permitted",
    "base_licences",
    "civitai_permits",
    "licence_named",
    "licences",
    "permission_titles",
    "permitted",
    "strictest",
    "together",
]

COMMERCIAL = "commercial"
NON_COMMERCIAL = "non-commercial"
_FOR_MONEY = frozenset(("sell-images", "run-as-service", "sell-model"))
_SELL_IMAGES = "sell-images"
_LONGEST = 300
_WORD = re.compile(r"[a-z]+\+*|\d+(?:\.\d+)*")
_IDLE = frozenset(("licence", "license", "agreement", "v", "version", "the", "terms", "of", "use"))


@dataclass(frozen=True, slots=True)
class Licence:
    """A row: what it permits are keys of ``permission_titles``; ``condition`` is a line for people."""

    id: str
    title: str
    permits: frozenset[str]
    why: str
    names: tuple[str, ...] = ()
    non_commercial: bool = False
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class Permitted:
    """What may be done: ``permits`` in the order of the table; ``forbidden``: something known says that
    pictures may not be sold; ``strict`` names who said so, strictest first."""

    permits: tuple[str, ...]
    forbidden: bool
    strict: tuple[str, ...] = ()

    def ids(self) -> tuple[str, ...]:
        """``commercial`` or ``non-commercial`` where that is known, then what is permitted."""
        if self.forbidden:
            return (NON_COMMERCIAL, *self.permits)
        return (COMMERCIAL, *self.permits) if _SELL_IMAGES in self.permits else self.permits


@cache
def permission_titles() -> Mapping[str, str]:
    """Id of a permission -> what it means, as a clause."""
    return {id_: text for id_, text in read_table("licences.toml")["permissions"].items() if id_ != "why"}


@cache
def licences() -> Mapping[str, Licence]:
    """All licences by id. Raises ``TableError`` for a row that permits what nobody knows."""
    rows = {id_: _licence(id_, row) for id_, row in read_table("licences.toml")["licence"].items()}
    for row in rows.values():
        if unknown := row.permits - permission_titles().keys():
            raise TableError(f"licences.toml: {row.id!r} permits {sorted(unknown)}; see [permissions] there")
    return rows


def _licence(id_: str, row: Mapping[str, Any]) -> Licence:
    values = dict(row) | {"permits": frozenset(row["permits"]), "names": tuple(row.get("names", ()))}
    return Licence(id=id_, **values)


def _folded(text: str) -> str:
    """The words that tell licences apart: ``CC BY-NC 4.0`` and ``cc-by-nc-4.0`` are one."""
    return " ".join(word for word in _WORD.findall(text[:_LONGEST].lower()) if word not in _IDLE)


@cache
def _index() -> Mapping[str, Licence]:
    index: dict[str, Licence] = {}
    for row in licences().values():
        for name in (row.id, row.title, *row.names):
            index.setdefault(_folded(name), row)
    return index


@lru_cache(4_096)
def licence_named(text: str | None) -> Licence | None:
    """The licence that ``text`` spells. Words that forbid commercial use make an unknown one
    ``non-commercial``; None for others that nobody knows."""
    folded = _folded(text or "")
    found = _index().get(folded)
    if found is not None:
        return found
    unfree = map(_folded, read_table("licences.toml")["unfree"]["words"])
    if any(f" {words} " in f" {folded} " for words in unfree):
        return licences()["non-commercial"]
    return None


def civitai_permits(said: Any) -> Permitted | None:
    """What a ``permissions`` claim of Civitai's allows; None where it says nothing.

    A commercial use that is not named is forbidden; where the claim names no uses at all, none is known.
    """
    return _allowed(_said(said))


def _allowed(said: "_Said | None") -> Permitted | None:
    if said is None:
        return None
    credit, derivatives, alike, uses = said
    table = read_table("licences.toml")["civitai"]
    known = {table[use] for use in uses or () if use != "why" and use in table}
    known |= {"merge"} if derivatives else set()
    known |= {"different-licence"} if alike is False else set()
    known |= {"no-credit"} if credit is False else set()
    forbidden = uses is not None and _SELL_IMAGES not in known
    return Permitted(_ordered(known), forbidden, ("permissions of its creator",) if forbidden else ())


def _ordered(permits: Iterable[str]) -> tuple[str, ...]:
    wanted = set(permits)
    return tuple(id_ for id_ in permission_titles() if id_ in wanted)


@cache
def base_licences(
    architecture: str | None, label: str | None = None, family: str | None = None
) -> tuple[str, ...]:
    """Licences of what a thing was made for: of its architecture, of the base label that is claimed for it,
    as far as the two agree, and of its family. All of them count.

    An architecture without a licence has that of the nodes above it, or else the strictest of those below it,
    unless the label tells which of these it is.
    """
    told = base_label(label or "")
    said = told.architecture if told else None
    if said is not None and architecture is not None and not _agree(said, architecture):
        told, said = None, None
    closer = said if architecture is None or (said and is_under(said, architecture)) else architecture
    kin = next((row.licence for row in base_labels().values() if family and row.family == family), None)
    found = (told.licence if told else None, _architecture_licence(closer), kin)
    return tuple(dict.fromkeys(text for text in found if text))


def _agree(one: str, other: str) -> bool:
    return (
        one in architectures() and other in architectures() and (is_under(one, other) or is_under(other, one))
    )


def _architecture_licence(architecture: str | None) -> str | None:
    if architecture is None or architecture not in architectures():
        return None
    for node in reversed(architecture_path(architecture)):
        if stated := architectures()[node].licence:
            return stated
    below = (row.licence for id_, row in architectures().items() if is_under(id_, architecture))
    known = [row for row in map(licence_named, below) if row is not None]
    by_money = sorted(known, key=lambda row: (len(row.permits & _FOR_MONEY), len(row.permits)))
    return by_money[0].title if by_money else None


def strictest(named: Iterable[str | None]) -> Permitted:
    """What may be done with things under all these licences at once, as a stack of a base and adapters is.

    Licences are spelled as ``licence_named`` reads them. One that is unknown, or None, permits nothing, but
    forbids nothing that could be told either.
    """
    rows = [licence_named(text) for text in named]
    permits = frozenset(permission_titles()) if rows else frozenset[str]()
    for row in rows:
        permits &= row.permits if row is not None else frozenset()
    strict = [row for row in rows if row is not None and _SELL_IMAGES not in row.permits]
    strict.sort(key=lambda row: len(row.permits))
    return Permitted(_ordered(permits), bool(strict), tuple(dict.fromkeys(row.title for row in strict)))


def together(parts: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """``Document.permissions`` of a stack: what all its parts permit. Answers in the same form."""
    all_parts = [frozenset(part) for part in parts]
    common = frozenset.intersection(*all_parts) if all_parts else frozenset[str]()
    forbidden = any(NON_COMMERCIAL in part for part in all_parts)
    return Permitted(_ordered(common), forbidden).ids()


def permitted(stated: str | None, permissions: Any, bases: Iterable[str]) -> Permitted:
    """What may be done with a model: ``stated`` is its licence, ``permissions`` a claim of Civitai's;
    ``bases``, as ``base_licences`` tells them, limit what may be done for money, where they are known."""
    return _permitted(str(stated or ""), _said(permissions), tuple(bases))


_Said = tuple[bool | None, bool | None, bool | None, tuple[str, ...] | None]


def _said(claim: Any) -> _Said | None:
    """A ``permissions`` claim as a tuple, since few differ: credit, derivatives, share_alike, uses."""
    if not isinstance(claim, Mapping):
        return None
    credit, derivatives, alike = (
        value if isinstance(value := claim.get(name), bool) else None
        for name in ("credit", "derivatives", "share_alike")
    )
    uses = claim.get("commercial")
    named = tuple(map(str, uses)) if isinstance(uses, list | tuple) else None
    return credit, derivatives, alike, named


@lru_cache(4_096)
def _permitted(stated: str, said: _Said | None, bases: tuple[str, ...]) -> Permitted:
    own: list[frozenset[str]] = []
    strict: list[str] = []
    allowed = _allowed(said)
    if allowed is not None:
        own.append(frozenset(allowed.permits))
        strict += allowed.strict
    if _folded(stated) not in _unstated():
        row = licence_named(stated)
        own.append(row.permits if row is not None else frozenset())
        strict += _strict(row)
    permits = frozenset.intersection(*own) if own else frozenset[str]()
    for limit in map(licence_named, bases):
        if limit is not None:
            permits -= _FOR_MONEY - limit.permits
            strict += _strict(limit)
    return Permitted(_ordered(permits), bool(strict), tuple(dict.fromkeys(strict)))


def _strict(row: Licence | None) -> list[str]:
    return [row.title] if row is not None and _SELL_IMAGES not in row.permits else []


@cache
def _unstated() -> frozenset[str]:
    return frozenset(("", *map(_folded, read_table("licences.toml")["unstated"]["names"])))
