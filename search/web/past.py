"""What became of a model, on its page: events in words, ratings with their counts, numbers over time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from search.web.words import count_told, day, source_title

__all__ = ["Event", "Trend", "events_of", "ratings_of", "trends_of"]

_TOLD = {
    "added": "It came into the catalog",
    "heard": "spoke of it for the first time",
    "changed": "says something else",
    "decided": "You decided",
    "withdrawn": "You took your word back",
    "missing": "was not at its place",
    "gone": "Its hub took it down",
}
_COUNTED = {
    "downloads": "downloads",
    "favourites": "favourites",
    "comments": "comments",
}


@dataclass(frozen=True, slots=True)
class Event:
    """``day`` and a sentence; ``changes`` are (name, before, after), None where there was or is nothing."""

    day: str
    told: str
    changes: Sequence[tuple[str, str | None, str | None]]


@dataclass(frozen=True, slots=True)
class Trend:
    """A number over time: ``points`` of a line in a box of 100 by 24, from ``first`` to ``last``."""

    title: str
    first: str
    last: str
    since: str
    points: str


def events_of(history: Iterable[Mapping[str, Any]]) -> list[Event]:
    """The history of ``catalog.history`` for people."""
    return [
        Event(
            day(row["at"]),
            _sentence(row),
            [(one["name"].replace("_", " "), one["before"], one["after"]) for one in row["changes"]],
        )
        for row in history
    ]


def _sentence(row: Mapping[str, Any]) -> str:
    told = _TOLD[row["what"]]
    if row["what"] == "gone" and row["source"]:
        return f"{told} ({row['source'].replace('_', ' ')})"
    who = row["path"] or (source_title(row["source"]) if row["source"] else "It")
    who = who[:1].upper() + who[1:] if row["source"] else who
    return told if row["what"] in ("added", "decided", "withdrawn") else f"{who} {told}"


def ratings_of(
    claims: Iterable[Mapping[str, Any]], statistics: Sequence[Mapping[str, Any]]
) -> list[tuple[str, str]]:
    """Who tells which ratings: (source, sentence), the newest numbers of each source."""
    told: dict[str, Mapping[str, Any]] = {row["source"]: row["claims"] for row in claims}
    told |= {row["source"]: row for row in statistics}
    found = ((source, ", ".join(_counted(row))) for source, row in told.items())
    return [(source_title(source), sentence) for source, sentence in found if sentence]


def _counted(row: Mapping[str, Any]) -> Iterable[str]:
    up, down = row.get("thumbs_up"), row.get("thumbs_down")
    if isinstance(up, int):
        yield f"{count_told(up)} thumbs up" + (f", {count_told(down)} down" if isinstance(down, int) else "")
    mean, votes = row.get("rating"), row.get("rating_count")
    if isinstance(mean, int | float) and isinstance(votes, int) and votes:
        yield f"{mean:.1f} of 5 from {count_told(votes)}"
    for name, title in _COUNTED.items():
        if isinstance(row.get(name), int):
            yield f"{count_told(row[name])} {title}"


def trends_of(statistics: Sequence[Mapping[str, Any]]) -> list[Trend]:
    """Downloads and thumbs of a hub over time, as far as they changed."""
    found = []
    for source in dict.fromkeys(row["source"] for row in statistics):
        for name, title in (("downloads", "Downloads"), ("thumbs_up", "Thumbs up")):
            rows = [row for row in statistics if row["source"] == source and row[name] is not None]
            numbers = [row[name] for row in rows]
            if len(set(numbers)) >= 2:
                first, last = count_told(numbers[0]), count_told(numbers[-1])
                found.append(Trend(title, first, last, day(rows[0]["at"]), _points(numbers)))
    return found


def _points(numbers: Sequence[int]) -> str:
    low, high = min(numbers), max(numbers)
    steep = 20 / (high - low) if high > low else 0.0
    step = 100 / (len(numbers) - 1)
    return " ".join(f"{n * step:.1f},{22 - (value - low) * steep:.1f}" for n, value in enumerate(numbers))
