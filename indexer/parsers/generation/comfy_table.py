"""``comfy_nodes.toml``, compiled once and asked by name."""

import re
from functools import cache, lru_cache
from typing import Any

from indexer.domain.vocabulary import read_table

__all__ = ["in_group", "inputs_of", "model_kind", "output_rank", "row_of", "says_nothing", "widget_names"]

_NAME = "comfy_nodes.toml"
_CACHE_SIZE = 4096


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


@cache
def _compiled(table: str) -> tuple[tuple[re.Pattern[str], dict[str, Any]], ...]:
    return tuple((_pattern(row["class"]), row) for row in read_table(_NAME)[table])


@cache
def _groups() -> dict[str, re.Pattern[str]]:
    return {row["id"]: _pattern(row["match"]) for row in read_table(_NAME)["group"]}


@lru_cache(_CACHE_SIZE)
def in_group(group: str, name: str) -> bool:
    """True where an input's name belongs to a group of names."""
    return _groups()[group].fullmatch(name) is not None


def row_of(table: str, class_type: str) -> dict[str, Any] | None:
    """The first row of a table whose ``class`` fits."""
    return next((row for pattern, row in _compiled(table) if pattern.fullmatch(class_type)), None)


def says_nothing(class_type: str) -> bool:
    """True for nodes behind which a conditioning says nothing."""
    return row_of("zero", class_type) is not None


def output_rank(class_type: str) -> int | None:
    """0 for nodes that save pictures, 1 for those that show them, None for all others."""
    row = row_of("output", class_type)
    return int(row["rank"]) if row else None


@cache
def _model_rows() -> tuple[tuple[re.Pattern[str], re.Pattern[str], str], ...]:
    rows = read_table(_NAME)["model"]
    return tuple((_pattern(row["class"]), _pattern(row["input"]), row["kind"]) for row in rows)


@lru_cache(_CACHE_SIZE)
def model_kind(class_type: str, name: str) -> str | None:
    """The kind of model that an input of a node names; None where it is no such input."""
    for class_, input_, kind in _model_rows():
        if input_.fullmatch(name) and class_.fullmatch(class_type):
            return kind
    return None


@cache
def inputs_of(field: str) -> tuple[str, ...]:
    """Names of the inputs that hold a sampler's setting."""
    return tuple(next(row["inputs"] for row in read_table(_NAME)["field"] if row["field"] == field))


@cache
def _widgets() -> dict[str, tuple[str, ...]]:
    return {name: tuple(row["names"]) for row in read_table(_NAME)["widgets"] for name in row["classes"]}


def widget_names(class_type: str) -> tuple[str, ...]:
    """The order in which the editor saves a node's values; empty where it is not known."""
    return _widgets().get(class_type, ())
