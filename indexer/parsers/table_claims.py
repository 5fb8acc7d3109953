"""Claims from a stranger's JSON by a table: rows of (claim, paths, type) say where each value stands.

The tables are ``sidecars.toml`` and ``civitai.toml`` of ``indexer/data``; the types are functions of
``sidecar_values.py``.
A wrong value is a warning on its field; the others are read all the same.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import orjson

from indexer.domain.claims import CLAIM_NAMES, Claim
from indexer.domain.header import HeaderWarning
from indexer.parsers.fields import MAX_TEXT, MAX_WORDS
from indexer.parsers.sidecar_values import READERS, ValueFaultError
from indexer.parsers.strict_json import shorten

__all__ = [
    "Shape",
    "Warnings",
    "bounded",
    "is_private",
    "objects",
    "read_shapes",
    "read_value",
    "table_claims",
]

_MAX_KEYS = 10_000


class Shape(NamedTuple):
    """Rows of one shape of JSON: (claim, paths, type), and the top-level keys they look at."""

    rows: tuple[tuple[str, tuple[tuple[str, ...], ...], str], ...]
    keys: frozenset[str]


class Warnings:
    """The first warning of each code and field."""

    def __init__(self, told: Iterable[HeaderWarning] = ()) -> None:
        self._told = {(warning.code, ""): warning for warning in told}

    def add(self, code: str, field: str, detail: str) -> None:
        """Note what is odd about ``field``; the first word on it stays."""
        self._told.setdefault((code, field), HeaderWarning(code, f"{field}: {detail}" if field else detail))

    def __iter__(self) -> Iterator[HeaderWarning]:
        return iter(self._told.values())


def read_shapes(fields: Mapping[str, Mapping[str, Any]]) -> dict[str, Shape]:
    """The shapes of a table's ``[fields.*]`` sections, by name."""
    shapes = {}
    for name, rows in fields.items():
        read = tuple(
            (claim, tuple(map(_split_path, row["paths"])), row["type"])
            for claim, row in rows.items()
            if claim in CLAIM_NAMES
        )
        shapes[name] = Shape(read, frozenset(path[0] for _, paths, _ in read for path in paths))
    return shapes


def _split_path(path: str) -> tuple[str, ...]:
    """Parts of ``a.b.0``; a backslash keeps a dot inside a part."""
    return tuple(part.replace("\0", ".") for part in path.replace("\\.", "\0").split("."))


def table_claims(shape: Shape, raw: Mapping[str, Any], warnings: Warnings) -> Iterator[Claim]:
    """One claim a row: the first of its paths that holds a usable value."""
    for name, paths, kind in shape.rows:
        for path in paths:
            value = read_value(raw, path, kind, warnings)
            if value is not None:
                yield Claim(name, value)
                break


def read_value(raw: Any, path: tuple[str, ...], kind: str, warnings: Warnings) -> Any:
    """The value at ``path`` as ``kind`` reads it; None where absent, empty or wrong."""
    value = raw
    for depth, part in enumerate(path):
        if isinstance(value, dict):
            value = value.get(part)
        elif value is None:
            return None
        elif isinstance(value, list) and part == "0":
            value = value[0] if len(value) == 1 else None
        else:
            warnings.add("value_type", ".".join(path[:depth]), f"{shorten(value)} is not an object")
            return None
    if value is None:
        return None
    try:
        return READERS[kind](value)
    except ValueFaultError as fault:
        warnings.add(fault.code, ".".join(path), str(fault))
        return fault.so_far


def bounded(value: Any, warnings: Warnings) -> Any:
    """``value`` with overlong texts, lists and objects cut; depth is bounded by the JSON reader."""
    return value if _is_small(value) else _cut(value, warnings)


def _is_small(value: Any) -> bool:
    """Whether nothing in ``value`` can be overlong, as the size of its JSON and the commas in it tell."""
    try:
        text = orjson.dumps(value)
    except (TypeError, ValueError, RecursionError):  # numbers beyond 64 bits, half surrogates
        return False
    # A list of n items has n - 1 commas. Texts are counted too: there are few that have so many.
    return len(text) <= MAX_TEXT and text.count(b",") < MAX_WORDS


def _cut(value: Any, warnings: Warnings) -> Any:
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            warnings.add("value_truncated", "", f"text of {len(value):,} characters; {MAX_TEXT:,} are kept")
        return value[:MAX_TEXT]
    if isinstance(value, list):
        if len(value) > MAX_WORDS:
            warnings.add("capped", "", f"list of {len(value):,}; {MAX_WORDS:,} are kept")
        return [_cut(item, warnings) for item in value[:MAX_WORDS]]
    if isinstance(value, dict):
        if len(value) > _MAX_KEYS:
            warnings.add("capped", "", f"object of {len(value):,} keys; {_MAX_KEYS:,} are kept")
        return {key[:MAX_TEXT]: _cut(item, warnings) for key, item in list(value.items())[:_MAX_KEYS]}
    return value


def objects(holder: Mapping[str, Any], field: str, warnings: Warnings) -> Iterator[dict[str, Any]]:
    """The objects of the list ``field``; whatever else stands in it is a warning."""
    value = holder.get(field)
    if value is not None and not isinstance(value, list):
        warnings.add("value_type", field, f"{shorten(value)} is not a list")
        return
    for item in value or ():
        if not isinstance(item, dict):
            warnings.add("value_type", field, f"{shorten(item)} is not an object")
            continue
        if not isinstance(item.get("meta"), dict | None):
            warnings.add("value_type", f"{field}.meta", f"{shorten(item['meta'])} is not an object")
        yield item


def is_private(url: str) -> bool:
    """True unless ``url`` is an http(s) address of a named host or of a public number."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return True
    if parts.scheme not in ("http", "https") or ("." not in host and ":" not in host):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host.rsplit(".", 1)[-1][:1].isdigit() or host.endswith((".local", ".internal", ".localhost"))
