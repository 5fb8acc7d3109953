"""Entries in an order, on from a place that stays valid while others come and go.

Engines skip and take; a skip moves when something is put in before it. So a place is a value and an id: what
comes after is asked for by a filter on the value, and only what has that very value is skipped by count.
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from indexer.catalog.published_records import StoredEntry
from indexer.domain.cards import day_number
from indexer.domain.fields import FIELDS
from indexer.domain.filters import ALL, And, Filter, Not, Range
from indexer.indexes.text import TextIndex, TextQuery

__all__ = ["Ordered", "Phase", "Place", "Read", "phases_of", "read_on", "stands_first", "value_of"]


class Ordered(Protocol):
    """What orders go by, as a document and an entry have it."""

    @property
    def id(self) -> int:
        """Of the version."""

    @property
    def rating(self) -> float | None:
        """In stars."""

    @property
    def downloads(self) -> int | None:
        """A number."""

    @property
    def created(self) -> str | None:
        """A day, as ``YYYY-MM-DD``."""


Read = Callable[[Sequence[int]], Mapping[int, Ordered]]
"""Entries by id."""

_COLUMNS = {"newest": "created", "oldest": "created", "rating": "rating", "downloads": "downloads"}
_EPOCH = date(1970, 1, 1).toordinal()
_WINDOW = 100_000
"""So many entries of one day are put in order at most."""


@dataclass(frozen=True, slots=True)
class Place:
    """The last entry that was read: its phase, value and id, and how many of its value came with it."""

    phase: int = 0
    value: float = 0.0
    id: int = 0
    skip: int = 0

    @property
    def begun(self) -> bool:
        """Whether something of this phase was read."""
        return self.id > 0


@dataclass(frozen=True, slots=True)
class Phase:
    """Entries of ``where`` by ``order``; those without a value belong to the next phase."""

    order: str
    where: Filter


def phases_of(orders: Sequence[str], where: Filter) -> list[Phase]:
    """The orders one after the other, each for what the ones before have no value of."""
    phases: list[Phase] = []
    lacking: list[Filter] = []
    for order in orders:
        known = _known(order)
        phases.append(Phase(order, And((where, *lacking, known))))
        lacking.append(Not(known))
    return [*phases, Phase("any", And((where, *lacking)))]


def _known(order: str) -> Filter:
    column = _COLUMNS[order]
    return Range(FIELDS[column], low=_iso(1) if column == "created" else 0.0)


def stands_first(phases: Sequence[Phase], place: Place, siblings: Iterable[StoredEntry]) -> bool:
    """Whether none of an entry's ``siblings`` stands before it; ``place`` is that after the entry."""
    own = (_sign(phases[place.phase].order) * place.value, place.id)
    for number, phase in enumerate(phases[: place.phase + 1]):
        for sibling in siblings:
            if sibling.id == place.id or not _may_stand(phase.order, sibling):
                continue
            before = number < place.phase or _key(phase.order, sibling) < own
            if before and phase.where.match(sibling.document):
                return False
    return True


def _may_stand(order: str, entry: Ordered) -> bool:
    """Whether an entry has a value that an order goes by."""
    return order == "any" or getattr(entry, _COLUMNS[order]) is not None


def _key(order: str, entry: Ordered) -> tuple[float, int]:
    return (_sign(order) * value_of(order, entry), entry.id)


def value_of(order: str, entry: Ordered) -> float:
    """What an order goes by: a day counted from 1970, or a number as engines keep it (32 bits)."""
    if order in ("newest", "oldest"):
        return float(day_number(entry.created))
    if order == "any":
        return 0.0
    return _single(float(getattr(entry, _COLUMNS[order]) or 0.0))


def _sign(order: str) -> int:
    return 1 if order in ("oldest", "any") else -1


def read_on(
    text: TextIndex, phases: Sequence[Phase], place: Place, size: int, read: Read
) -> Iterator[tuple[int, Place]]:
    """Ids from a place on with the place after each, ``size`` entries looked up at a time; to the end."""
    for number in range(place.phase, len(phases)):
        here = place if number == place.phase else Place(number)
        yield from _phase(text, phases[number], here, size, read)


def _phase(text: TextIndex, phase: Phase, place: Place, size: int, read: Read) -> Iterator[tuple[int, Place]]:
    take = _ascending if phase.order == "oldest" else _descending
    while True:
        found = take(text, phase, place, size, read)
        for id_, value in found:
            same = place.begun and value == place.value
            place = Place(place.phase, value, id_, place.skip + 1 if same else 1)
            yield id_, place
        if not found:
            return


def _descending(
    text: TextIndex, phase: Phase, place: Place, size: int, read: Read
) -> list[tuple[int, float]]:
    """The next entries of an engine's own order; ties are by id."""
    where = And((phase.where, _at_most(phase.order, place.value))) if place.begun else phase.where
    query = TextQuery((), where=where, order="newest" if phase.order == "any" else phase.order)
    skip, ids = _skipped(text, query, phase, place, size, read)
    while True:
        known = read(ids)
        found = [(id_, value_of(phase.order, known[id_])) for id_ in ids if id_ in known]
        after = _rest(phase.order, found, place)
        if after or len(ids) <= size:
            return after
        skip += len(ids)
        ids = text.search(query, size + 1, offset=skip).ids


def _skipped(
    text: TextIndex, query: TextQuery, phase: Phase, place: Place, size: int, read: Read
) -> tuple[int, Sequence[int]]:
    """How many hits to skip so that no later one is missed, and the hits after them. Where entries of the
    same value were taken out since, the remembered number is too large."""
    skip = max(0, place.skip - 1)
    while True:
        ids = text.search(query, size + 1, offset=skip).ids
        if skip == 0 or (ids and ids[0] == place.id):
            return skip, ids
        known = read(ids[:1])
        if known and not _is_after(phase.order, (ids[0], value_of(phase.order, known[ids[0]])), place):
            return skip, ids
        skip //= 2


def _rest(order: str, found: list[tuple[int, float]], place: Place) -> list[tuple[int, float]]:
    """What comes after the place: behind its entry, or by value and id where that is gone."""
    if not place.begun:
        return found
    ids = [id_ for id_, _ in found]
    if place.id in ids:
        return found[ids.index(place.id) + 1 :]
    return [one for one in found if _is_after(order, one, place)]


def _is_after(order: str, one: tuple[int, float], place: Place) -> bool:
    return (_sign(order) * one[1], one[0]) > (_sign(order) * place.value, place.id)


def _at_most(order: str, value: float) -> Filter:
    if order == "any":
        return ALL
    if order == "newest":
        return Range(FIELDS["created"], high=_iso(int(value)))
    return Range(FIELDS[_COLUMNS[order]], high=_next_single(value))


def _ascending(text: TextIndex, phase: Phase, place: Place, size: int, read: Read) -> list[tuple[int, float]]:
    """The oldest entries after a place. Engines give the newest first; so days are halved until they hold
    few enough."""
    first = int(place.value) if place.begun else 1
    wanted = size + (place.skip if place.begun else 0)
    newest = text.search(TextQuery((), where=phase.where, order="newest"), 1).ids
    low, high = first, max((int(value_of("oldest", one)) for one in read(newest).values()), default=first)
    while low < high:
        middle = (low + high) // 2
        if text.search(_days(phase, first, middle), 1).total >= wanted:
            high = middle
        else:
            low = middle + 1
    for last in (low - 1, low):
        ids = text.matching(_days(phase, first, last).where, _WINDOW) if last >= first else []
        known = read(ids)
        found = [(id_, value_of("oldest", one)) for id_, one in known.items()]
        after = sorted(
            (one for one in found if not place.begun or _is_after("oldest", one, place)),
            key=lambda one: (one[1], one[0]),
        )
        if after:
            return after
    return []


def _days(phase: Phase, first: int, last: int) -> TextQuery:
    return TextQuery((), where=And((phase.where, Range(FIELDS["created"], low=_iso(first), high=_iso(last)))))


def _iso(number: int) -> str:
    return date.fromordinal(_EPOCH + number).isoformat()


def _single(value: float) -> float:
    found: float = struct.unpack("<f", struct.pack("<f", min(value, 3e38)))[0]
    return found


def _next_single(value: float) -> float:
    """The next larger number of 32 bits: what engines hold equal to ``value`` is below."""
    bits = struct.unpack("<i", struct.pack("<f", max(0.0, value)))[0]
    found: float = struct.unpack("<f", struct.pack("<i", bits + 1))[0]
    return found
