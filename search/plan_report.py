"""A plan as files: JSON, CSV, and the data that a page of it shows. Written whole or not at all."""

import csv
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from indexer.errors import UsageError
from search.plan_answer import Item, Plan

__all__ = ["COLUMNS", "FORMATS", "plan_csv", "plan_json", "write_text"]

FORMATS = (".html", ".csv", ".json")

_SHOWN = 3
COLUMNS = (
    *("id", "name", "version", "kind", "architecture", "family", "category", "size", "action", "reasons"),
    *(
        f"candidate_{n}_{part}"
        for n in range(1, _SHOWN + 1)
        for part in ("id", "name", "score", "local", "url")
    ),
    *("conversion", "licence_from", "licence_to", "licence_change"),
    *(
        "images",
        "steps_low",
        "steps_high",
        "rank",
        "gpu_hours_low",
        "gpu_hours_high",
        "cost_low",
        "cost_high",
    ),
    *("currency", "files"),
)
"""Columns of the CSV, one row a model."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def plan_json(plan: Plan) -> str:
    """The plan as indented JSON, so that two of them can be compared line by line."""
    return orjson.dumps(plan.to_json(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def plan_csv(plan: Plan) -> str:
    """The plan as a table for a spreadsheet: comma, double quotes, CR LF (RFC 4180)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for item in plan.items:
        row = _row(item)
        writer.writerow([_cell(row.get(column)) for column in COLUMNS])
    return text.getvalue()


def _row(item: Item) -> dict[str, Any]:
    told = item.to_json()
    change, train = told["licence_change"] or {}, told["retrain"] or {}
    cost: Mapping[str, Any] = train.get("cost_range") or {}
    return {
        **told,
        **dict(_candidates(told["candidates"])),
        "reasons": " ".join(told["reasons"]),
        "files": "; ".join(told.get("files", ())),
        "licence_from": change.get("from"),
        "licence_to": change.get("to"),
        "licence_change": change.get("told"),
        "images": train.get("images"),
        "rank": train.get("rank"),
        **_ends("steps", train.get("steps")),
        **_ends("gpu_hours", cost.get("gpu_hours")),
        **_ends("cost", cost.get("money")),
        "currency": cost.get("currency"),
    }


def _candidates(candidates: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    for number, candidate in enumerate(candidates[:_SHOWN], 1):
        for part in ("id", "name", "score", "local", "url"):
            yield f"candidate_{number}_{part}", candidate[part]


def _ends(name: str, span: Sequence[float] | None) -> dict[str, Any]:
    return {} if span is None else {f"{name}_low": span[0], f"{name}_high": span[1]}


def _cell(value: Any) -> str:
    """A cell. A spreadsheet takes some text for formulas, so strangers' names get an apostrophe before."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text


def write_text(path: Path, make: Callable[[], str]) -> None:
    """Write what ``make`` answers; a reader sees the old file or the whole new one. Raises ``UsageError``
    (``out``)."""
    text = make()
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        try:
            temporary.write_text(text, "utf-8", newline="")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(
            "out", f"{str(path)!r} cannot be written: {error.strerror}. Choose another place."
        ) from None
