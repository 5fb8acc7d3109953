"""One typed value of a field as a filter: the field's type picks what is understood.

    value   = (">" | ">=" | "<" | "<=" | "=")? literal | literal? ".." literal?
    number  = DIGITS ("." DIGITS)? ("k" | "M")?
    size    = number ("B" | "KB" | "MB" | "GB" | "TB" | "KiB" | "MiB" | "GiB")
    date    = YEAR ("-" MONTH ("-" DAY)?)? | "today" | "yesterday"
    age     = DIGITS ("d" | "w" | "mo" | "y")

An age counts back from today: ``<30d`` is younger than 30 days, ``>2w`` older than two weeks, ``30d`` alone
at most that old.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from indexer.domain.fields import Field, FieldType
from indexer.domain.filters import AnyOf, Filter, Range, Words, keyword
from indexer.domain.hub_links import read_air, read_link
from indexer.domain.hubs import hash_values
from indexer.domain.spellings import meaning_of, near_names, plain, unknown_note
from search.query_tokens import Span, typed_words

__all__ = ["MAX_WORDS", "SIZE_UNITS", "merged", "value_filter"]

MAX_WORDS = 64
"""So many words of a text are asked for; engines look up each of them."""

SIZE_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
SIZE_UNITS |= {
    "K": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "KIB": 2**10,
    "MIB": 2**20,
    "GIB": 2**30,
    "TIB": 2**40,
}
"""Bytes of a unit, in capitals."""

_COUNTS = {"": 1, "K": 10**3, "M": 10**6}
_NUMBER = re.compile(r"(-?\d{1,30}(?:\.(\d{1,30}))?)\s*([A-Za-z]*)", re.ASCII)
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2})(?:T[\d:.Z+-]*)?)?)?", re.ASCII)
_AGE = re.compile(r"(\d{1,5})\s*(d|days?|w|weeks?|m|mo|months?|y|years?)", re.ASCII | re.IGNORECASE)
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
_SIGN = re.compile(r"[<>]=?|=")
_BETWEEN = re.compile(r"[\d.]+\.\.[\d.]*|\.\.\d+")
_HEX = re.compile(r"(?:0x)?[0-9a-f]{1,64}", re.IGNORECASE)
_TAKES = {
    FieldType.NUMBER: "a number",
    FieldType.SIZE: "a size like 200MB or 2.5GB",
    FieldType.DATE: "a date like 2025, 2025-06 or 2025-06-30, or an age like 30d, 2w, 6mo or 1y",
}


@dataclass(frozen=True, slots=True)
class _Interval:
    """What a literal covers: ``2025`` is all of that year. Of an ``age``, both are the day it counts back to.
    ``exact`` is the number itself, where it covers all that rounds to it."""

    low: float | str
    high: float | str
    age: bool = False
    exact: float | None = None

    @property
    def least(self) -> float | str:
        """The bound that ``>=`` means."""
        return self.low if self.exact is None else self.exact

    @property
    def most(self) -> float | str:
        """The bound that ``<=`` means."""
        return self.high if self.exact is None else self.exact


def value_filter(field: Field, span: Span, today: date, *, noted: bool = True) -> tuple[Filter, str]:
    """The filter that a value asks for, and a note for people, often empty; none where it is not ``noted``.

    Raises ``QueryError`` for a value that the field cannot take.
    """
    if field.type.ranged:
        return _range(field, span, today), ""
    quoted = span.text.startswith('"')
    if not quoted:
        span = _without_sign(field, span)
    text = span.text.strip('"').strip()
    if not text:
        raise span.error(f"{field.name}: takes a value; this one is empty.")
    if field.type is FieldType.TEXT:
        return _words(field, span, quoted)
    if field.type is FieldType.FLAG:
        return _flag(field, text, span, quoted)
    if field.name == "hash":
        return AnyOf(field, _hash(text, span)), ""
    if field.name == "source":
        return AnyOf(field, _source(text)), ""
    meaning = meaning_of(field.name, text)
    if meaning is None:
        return AnyOf(field, (keyword(text),)), unknown_note(field.name, text) if noted else ""
    return AnyOf(field, tuple(dict.fromkeys(map(keyword, meaning.values)))), meaning.note


def _without_sign(field: Field, span: Span) -> Span:
    """``type:=lora`` is ``type:lora``; an order that the field's values do not have is a mistake."""
    if span.text.startswith("="):
        return span.part(1)
    sign = _SIGN.match(span.text)
    if sign or _BETWEEN.fullmatch(span.text):
        told = f"{sign.group()} compares" if sign else ".. spans"
        held = "words" if field.type is FieldType.TEXT else "names"
        raise span.error(
            f"{field.name}: holds {held}, and {told} numbers, sizes and dates. "
            f"Write it like {field.example}, or the sign itself in quotes."
        )
    return span


def _words(field: Field, span: Span, quoted: bool) -> tuple[Filter, str]:
    found = typed_words(span.text)
    if not found:
        raise span.error(f"{field.name}: takes words; this has none.")
    note = f"{field.name}: asks for the first {MAX_WORDS} of {len(found)} words." if found[MAX_WORDS:] else ""
    return Words(field, found[:MAX_WORDS], quoted or len(found) > 1), note


def _flag(field: Field, text: str, span: Span, quoted: bool) -> tuple[Filter, str]:
    """A flag by any of its names. An unknown one is a mistake; in quotes it is taken as it stands, so that
    links to what an index counts always work."""
    known = _flags(field)
    if found := known.get(plain(text)):
        return AnyOf(field, (found,)), ""
    near = near_names(text, known)
    advice = f" Did you mean {' or '.join(near)}?" if near else ""
    names = ", ".join(choice.name for choice in field.choices)
    message = f"{field.name}: does not know {text[:60]!r}.{advice} It knows: {names}."
    if not quoted:
        raise span.error(message)
    return AnyOf(field, (keyword(text),)), message


@cache
def _flags(field: Field) -> dict[str, str]:
    return {plain(name): choice.name for choice in field.choices for name in (choice.name, *choice.aliases)}


def _hash(text: str, span: Span) -> tuple[str, ...]:
    digits = text.rpartition(":")[2].strip()  # "sha256:…", "blake3:…" as other tools print them
    if _HEX.fullmatch(digits) is None:
        raise span.error("hash: takes hexadecimal digits, all of a hash or its beginning.")
    return hash_values(digits)


def _source(text: str) -> tuple[str, ...]:
    link = read_link(text) or read_air(text)
    return tuple(map(keyword, link.ids)) if link and link.ids else (keyword(text),)


def _range(field: Field, span: Span, today: date) -> Filter:
    """value = (">" | ">=" | "<" | "<=" | "=")? literal | literal? ".." literal?"""
    sign = _SIGN.match(span.text)
    if sign:
        found = _literal(field, span.part(sign.end()), today)
        return _compared(field, sign.group(), found)
    left, dots, right = span.text.strip('"').partition("..")
    if dots:
        return _between(field, span, left, right, today)
    found = _literal(field, span, today)
    return Range(field, low=found.low) if found.age else _equal(field, found)


def _equal(field: Field, found: _Interval) -> Filter:
    return Range(field, low=found.low, high=found.high, high_open=found.exact is not None)


def _compared(field: Field, sign: str, found: _Interval) -> Filter:
    if found.age:
        sign = sign.translate(str.maketrans("<>", "><"))  # an older thing has an earlier day
    match sign:
        case ">=":
            return Range(field, low=found.least)
        case ">":
            return Range(field, low=found.most, low_open=True)
        case "<=":
            return Range(field, high=found.most)
        case "<":
            return Range(field, high=found.least, high_open=True)
    return _equal(field, found)


def _between(field: Field, span: Span, left: str, right: str, today: date) -> Filter:
    if not left and not right:
        raise span.error(f"{field.name}: has a range without bounds. Give one, like {field.example}.")
    # Quotes around both bounds are no part of them.
    inner = span.part(1, len(span.text) - 1) if span.text.startswith('"') else span
    first = _literal(field, inner.part(0, len(left)), today) if left else None
    last = _literal(field, inner.part(len(left) + 2), today) if right else None
    ages = {found.age for found in (first, last) if found}
    if len(ages) > 1:
        raise span.error(f"{field.name}: takes a range of two dates or of two ages, not one of each.")
    if True in ages:
        first, last = last, first
    low, high = first.least if first else None, last.most if last else None
    if low is not None and high is not None and low > high:  # type: ignore[operator]  # both of one sort
        raise span.error("The range runs backwards: the smaller bound goes first.")
    return Range(field, low=low, high=high)


def _literal(field: Field, span: Span, today: date) -> _Interval:
    text = span.text.strip('"').strip()
    found = _days(text, today) if field.type is FieldType.DATE else _number(text, field)
    if found is None:
        raise span.error(f"{field.name}: takes {_TAKES[field.type]}, not {text[:60]!r}.")
    return found


def _number(text: str, field: Field) -> _Interval | None:
    found = _NUMBER.fullmatch(text)
    units = SIZE_UNITS if field.type is FieldType.SIZE else _COUNTS
    if found is None or found[3].upper() not in units:
        return None
    unit = units[found[3].upper()]
    value = float(found[1]) * unit
    step = unit * 10.0 ** -len(found[2] or "") / 2
    if not field.about or (field.type is FieldType.SIZE and step < 1):
        return _Interval(value, value)
    return _Interval(value - step, value + step, exact=value)


def _days(text: str, today: date) -> _Interval | None:
    lowered = text.lower()
    if lowered in ("today", "yesterday"):
        day = (today - timedelta(days=lowered == "yesterday")).isoformat()
        return _Interval(day, day)
    if age := _AGE.fullmatch(lowered):
        day = _days_ago(today, int(age[1]) * _DAYS[age[2][0]])
        return _Interval(day, day, age=True)
    found = _DATE.fullmatch(text)
    return None if found is None else _calendar(found[1], found[2], found[3])


def _days_ago(today: date, days: int) -> str:
    return (today - timedelta(days=min(days, (today - date.min).days))).isoformat()


def _calendar(year: str, month: str | None, day: str | None) -> _Interval | None:
    try:
        date(max(1, int(year)), int(month or 1), int(day or 1))
    except ValueError:
        return None
    first = f"{year}-{int(month or 1):02}-{int(day or 1):02}"
    return _Interval(first, f"{year}-{int(month or 12):02}-{int(day or 31):02}")


def merged(field: Field, nodes: Sequence[Filter]) -> Filter | None:
    """Several whole values as one filter, where all of them are whole values."""
    if not all(isinstance(node, AnyOf) for node in nodes):
        return None
    values = (value for node in nodes if isinstance(node, AnyOf) for value in node.values)
    return AnyOf(field, tuple(dict.fromkeys(values)))
