"""Numbers and dates in the filter panel: steps of one click, and two boxes for the bounds."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from indexer.domain.fields import FIELDS, Field, FieldType
from search.data import search_table
from search.query_values import SIZE_UNITS
from search.web.parameters import Clause, Wanted, parameter_of
from search.web.values import Value

__all__ = ["RangeFacet", "range_told", "ranges"]

_AGE = re.compile(r"\d[dwmy]|^$", re.IGNORECASE)
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)([A-Z]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RangeFacet:
    """A group of the filter panel. ``low`` and ``high`` are what the boxes hold; ``kept`` is all else that is
    asked for, as hidden fields of their form."""

    name: str
    title: str
    help: str
    open: bool
    values: Sequence[Value]
    kind: str
    step: str
    most: str
    unit: str
    low: str
    high: str
    kept: Sequence[tuple[str, str]]


def ranges(wanted: Wanted) -> list[RangeFacet]:
    """The groups in the order of ``panel.toml``."""
    return [_range(wanted, FIELDS[name], row) for name, row in search_table("panel.toml").items()]


def range_told(field: Field, value: str) -> str:
    """A range for people: ``16 to 32``."""
    known: dict[str, str] = dict(search_table("panel.toml").get(field.name, {}).get("steps", ()))
    if value in known:
        return known[value]
    low, high = _bounds(value)
    if low and high:
        return low if low == high else f"{low} to {high}"
    return f"from {low}" if low else f"to {high}" if high else value


def _range(wanted: Wanted, field: Field, row: Mapping[str, Any]) -> RangeFacet:
    bare = wanted.without(field)
    asked = [clause for clause in wanted.clauses if clause.field is field]
    chosen = next((clause.values[0] for clause in asked if not clause.negated), "")
    low, high = (_boxed(field, bound) for bound in _bounds(chosen))
    name = parameter_of(field)
    return RangeFacet(
        name=name,
        title=field.title,
        help=field.help,
        open=bool(asked),
        values=[_step(wanted, bare, Clause(field, (value,)), title) for value, title in row["steps"]],
        kind="date" if field.type is FieldType.DATE else "number",
        step=row.get("step", ""),
        most=row.get("most", ""),
        unit=row.get("unit", ""),
        low=low,
        high=high,
        kept=parse_qsl(urlsplit(bare.url()).query),
    )


def _step(wanted: Wanted, bare: Wanted, clause: Clause, title: str) -> Value:
    state = wanted.state(clause.field, clause.values[0])

    def link(verb: str, *, negated: bool) -> str:
        asked = () if state == verb else (replace(clause, negated=negated),)
        return replace(bare, clauses=(*bare.clauses, *asked)).url()

    return Value(title, None, state, link("include", negated=False), link("exclude", negated=True))


def _bounds(value: str) -> tuple[str, str]:
    """The two bounds of a value of the query language, empty where there is none or where it is an age."""
    low, dots, high = value.partition("..")
    if dots:
        return low, high
    bound = value.lstrip("<>=")
    sign = value[: len(value) - len(bound)]
    if not sign:
        return ("", "") if _AGE.search(value) else (value, value)
    return ("" if "<" in sign else bound), ("" if ">" in sign else bound)


def _boxed(field: Field, bound: str) -> str:
    """A bound as its box holds it: sizes in MB, numbers plain, days as they are."""
    if field.type is FieldType.DATE:
        return bound if re.fullmatch(r"\d{4}-\d{2}-\d{2}", bound) else ""
    found = _NUMBER.fullmatch(bound)
    if found is None:
        return ""
    if field.type is not FieldType.SIZE:
        return "" if found[2] else found[1]
    unit = SIZE_UNITS.get(found[2].upper())
    return "" if unit is None else f"{float(found[1]) * unit / 1e6:.3f}".rstrip("0").rstrip(".")
