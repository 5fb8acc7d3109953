"""A person's own layer over the catalog: favourites, ratings and notes by purpose, what was seen, tags."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from indexer.domain.filters import keyword

__all__ = [
    "LONGEST",
    "NOTHING_NOTED",
    "NO_MARKS",
    "Change",
    "Marks",
    "Opinion",
    "changed",
    "from_data",
    "marks_told",
    "merged",
    "stars",
    "to_data",
    "worded",
]

LONGEST = {"purpose": 50, "note": 10_000, "tag": 100}
"""Characters that are kept of each."""

_MOST = 1_000
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Opinion:
    """What somebody thinks of a model for one purpose: 0 to 5 stars in halves, and a note."""

    rating: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Marks:
    """All marks on one entry. ``favourite`` and ``seen`` are None while nobody said anything; ``opinions``
    are by purpose, ``""`` for none in particular; ``at`` is when something was last said."""

    favourite: bool | None = None
    seen: bool | None = None
    opinions: Mapping[str, Opinion] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    at: datetime = _BEGINNING

    @property
    def rating(self) -> float | None:
        """Mean of the ratings for all purposes."""
        stars = [opinion.rating for opinion in self.opinions.values() if opinion.rating is not None]
        return round(sum(stars) / len(stars), 2) if stars else None

    @property
    def notes(self) -> tuple[str, ...]:
        """All notes, that of no purpose first."""
        return tuple(self.opinions[name].note for name in sorted(self.opinions) if self.opinions[name].note)


NO_MARKS = Marks()
NOTHING_NOTED = "nothing noted"


@dataclass(frozen=True, slots=True)
class Change:
    """What is to change; None leaves things as they are. ``rating`` and ``note`` are for ``purpose``;
    ``unrate`` takes the rating away, an empty ``note`` the note."""

    favourite: bool | None = None
    seen: bool | None = None
    rating: float | None = None
    unrate: bool = False
    note: str | None = None
    purpose: str = ""
    tag: tuple[str, ...] = ()
    untag: tuple[str, ...] = ()


def changed(marks: Marks, change: Change, at: datetime) -> Marks:
    """The marks after a change at a moment; the very same where it changes nothing."""
    fresh = replace(
        marks,
        favourite=marks.favourite if change.favourite is None else change.favourite,
        seen=marks.seen if change.seen is None else change.seen,
        opinions=_with_opinion(marks.opinions, change),
        tags=_without(_joined(marks.tags, change.tag), change.untag),
    )
    return marks if fresh == marks else replace(fresh, at=at)


def _with_opinion(opinions: Mapping[str, Opinion], change: Change) -> Mapping[str, Opinion]:
    old = opinions.get(change.purpose, Opinion())
    rating = None if change.unrate else old.rating if change.rating is None else change.rating
    new = Opinion(rating, old.note if change.note is None else change.note)
    others = {name: opinion for name, opinion in opinions.items() if name != change.purpose}
    return others if new == Opinion() else {**others, change.purpose: new}


def _joined(tags: Sequence[str], more: Iterable[str]) -> tuple[str, ...]:
    """Tags in one spelling each, the first one's."""
    found: dict[str, str] = {}
    for tag in (*tags, *more):
        found.setdefault(keyword(tag), tag)
    return tuple(found.values())


def _without(tags: Sequence[str], fewer: Iterable[str]) -> tuple[str, ...]:
    gone = set(map(keyword, fewer))
    return tuple(tag for tag in tags if keyword(tag) not in gone)


def merged(one: Marks, other: Marks) -> Marks:
    """The marks of what proved to be one thing: the later word counts, tags and notes are kept from both.

    Merging the same again changes nothing.
    """
    late, early = (one, other) if one.at >= other.at else (other, one)
    purposes = dict.fromkeys((*one.opinions, *other.opinions))
    return Marks(
        favourite=early.favourite if late.favourite is None else late.favourite,
        seen=early.seen if late.seen is None else late.seen,
        opinions={
            name: _both(late.opinions.get(name, Opinion()), early.opinions.get(name, Opinion()))
            for name in purposes
        },
        tags=_joined(late.tags, early.tags),
        at=late.at,
    )


def _both(late: Opinion, early: Opinion) -> Opinion:
    rating = early.rating if late.rating is None else late.rating
    if early.note in late.note or late.note in early.note:
        return Opinion(rating, max(late.note, early.note, key=len))
    return Opinion(rating, f"{early.note}\n\n{late.note}")


def to_data(marks: Marks) -> dict[str, Any]:
    """The marks as plain JSON data."""
    return {
        "favourite": marks.favourite,
        "seen": marks.seen,
        "opinions": [
            {"purpose": name, "rating": opinion.rating, "note": opinion.note}
            for name, opinion in sorted(marks.opinions.items())
        ],
        "tags": list(marks.tags),
        "at": marks.at.isoformat(),
    }


def marks_told(marks: Mapping[str, Any]) -> str:
    """Marks in a line for people."""
    told = [word for word, holds in (("favourite", marks["favourite"]), ("seen", marks["seen"])) if holds]
    for opinion in marks["opinions"]:
        stars = "" if opinion["rating"] is None else f"{opinion['rating']:g} of 5"
        about = f" for {opinion['purpose']}" if opinion["purpose"] else ""
        told.append(": ".join(filter(None, (f"{stars}{about}".strip(), opinion["note"]))))
    told += [f"#{tag}" for tag in marks["tags"]]
    return "; ".join(told) or NOTHING_NOTED


def from_data(data: Mapping[str, Any]) -> Marks:
    """The marks back from ``to_data``. Raises ``ValueError`` that names what is not as it should be."""
    opinions = {}
    for row in _list(data, "opinions"):
        if not isinstance(row, Mapping):
            raise ValueError(f"an opinion is {row!r:.50}, not an object")
        purpose = worded("purpose", row.get("purpose") or "")
        opinions[purpose] = Opinion(stars(row.get("rating")), worded("note", row.get("note") or ""))
    return Marks(
        favourite=_flag(data, "favourite"),
        seen=_flag(data, "seen"),
        opinions={name: opinion for name, opinion in opinions.items() if opinion != Opinion()},
        tags=_joined((), (worded("tag", tag) for tag in _list(data, "tags") if tag)),
        at=_moment(data.get("at")),
    )


def stars(value: Any) -> float | None:
    """A rating. Raises ``ValueError`` unless it is 0 to 5 in halves, or None."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 5 or value * 2 % 1:
        raise ValueError(f"a rating is {value!r:.50}; it is 0 to 5 in steps of a half, such as 4.5")
    return float(value)


def worded(what: str, value: Any) -> str:
    """A purpose, note or tag without blanks around it; purposes in lower case. Raises ``ValueError`` where it
    is no text or too long."""
    if not isinstance(value, str):
        raise ValueError(f"a {what} is {value!r:.50}, not a text")
    text = value.strip() if what == "note" else " ".join(value.split())
    if len(text) > LONGEST[what]:
        raise ValueError(f"a {what} has {len(text):,} characters; at most {LONGEST[what]:,} are kept")
    return text.lower() if what == "purpose" else text


def _list(data: Mapping[str, Any], name: str) -> list[Any]:
    value = data.get(name) or []
    if not isinstance(value, list) or len(value) > _MOST:
        raise ValueError(f"{name} is {value!r:.50}, not a list of at most {_MOST:,}")
    return value


def _flag(data: Mapping[str, Any], name: str) -> bool | None:
    value = data.get(name)
    if value is not None and not isinstance(value, bool):
        raise ValueError(f"{name} is {value!r:.50}, not true, false or null")
    return value


def _moment(value: Any) -> datetime:
    if value is None:
        return _BEGINNING
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"at is {value!r:.50}, no moment such as 2026-01-31T12:00:00+00:00") from None
