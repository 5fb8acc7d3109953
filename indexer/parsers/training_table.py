"""The table ``training_metadata.toml``, typed and read once."""

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from indexer.domain.vocabulary import read_table

__all__ = ["Row", "Tool", "Words", "kinds", "known_keys", "rows", "source_of", "tools", "words"]


class Row(NamedTuple):
    """``key`` (and ``path`` inside its JSON) tells ``field``; ``claim`` is a name of CLAIM_NAMES."""

    key: str
    path: tuple[str, ...]
    field: str
    type: str
    claim: str | None


class Tool(NamedTuple):
    """``name`` wrote the file when ``key`` is there and its text begins with, or holds, ``match``."""

    name: str
    key: str
    match: re.Pattern[str] | None


class Words(NamedTuple):
    """Values that say nothing: absent ones, hashes of nothing, dataset folders, tags of every picture."""

    nothing: frozenset[str]
    placeholder_hashes: frozenset[str]
    folders: re.Pattern[str]
    tags: frozenset[str]


@cache
def _table() -> Mapping[str, Any]:
    return read_table("training_metadata.toml")


@cache
def rows() -> tuple[Row, ...]:
    """All rows, in order of precedence."""
    return tuple(
        Row(row["key"], tuple(row.get("path", ())), row["field"], row["type"], row.get("claim"))
        for row in _table()["key"]
    )


@cache
def known_keys() -> frozenset[str]:
    """Every metadata key that some row reads."""
    return frozenset(row.key for row in rows())


@cache
def tools() -> tuple[Tool, ...]:
    """Marks of the programs that write model files; the first that fits wins."""
    return tuple(
        Tool(row["name"], row["key"], re.compile(row["match"]) if "match" in row else None)
        for row in _table()["tool"]
    )


@cache
def _sources() -> tuple[tuple[str, tuple[str, ...], frozenset[str]], ...]:
    return tuple(
        (row["name"], tuple(key for key in row["keys"] if key[-1] in "_."), frozenset(row["keys"]))
        for row in _table()["source"]
    )


def source_of(key: str) -> str:
    """Who speaks in ``key``: ``kohya``, ``modelspec``, … or ``other``."""
    for name, prefixes, keys in _sources():
        if key in keys or key.startswith(prefixes):
            return name
    return "other"


@cache
def words() -> Words:
    """Words that carry no information."""
    table = _table()["words"]
    return Words(
        frozenset(table["nothing"]),
        frozenset(table["placeholder_hashes"]),
        re.compile(table["folders"]),
        frozenset(table["tags"]),
    )


@cache
def kinds() -> Mapping[str, str]:
    """Kind of file by the last part of ``modelspec.architecture``."""
    return MappingProxyType({key: kind for key, kind in _table()["kinds"].items() if key != "why"})
