"""Sidecars: what other tools wrote beside a model file, as claims.

Names and keys of those tools stand in ``indexer/data/sidecars.toml``. The name only proposes what a sidecar
is, its keys decide: ``.json`` in particular means something else in every tool. Whatever a sidecar holds,
reading it never raises; its model stays as it is.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from indexer.domain.claims import CLAIM_NAMES, Claim, ClaimSet
from indexer.domain.header import HeaderWarning
from indexer.parsers.fields import MAX_TEXT, MAX_WORDS
from indexer.parsers.sidecar_values import READERS, ValueFaultError, table
from indexer.parsers.strict_json import JsonFault, decode_text, load_lenient, shorten

__all__ = ["MAX_SIDECAR", "SIDECAR_SUFFIXES", "WARNING_CODES", "parse_sidecar", "split_sidecar_name"]

MAX_SIDECAR: Final = 64 << 20  # bytes; the largest honest ones hold a version with hundreds of pictures

SIDECAR_SUFFIXES: Final[Mapping[str, str]] = MappingProxyType(
    {row["suffix"]: f"sidecar:{row['suffix'][1:]}" for row in table()["suffix"]}
)

WARNING_CODES: Final[Mapping[str, str]] = {
    "sidecar": "cannot be read: empty, cut short, not JSON, not an object; let its tool write it again",
    "json_depth": "brackets nest deeper than any tool writes; nothing was read",
    "encoding": "not plain UTF-8; read all the same",
    "duplicate_key": "a key stands twice; the last one was read",
    "number_range": "a number past 64 bits, NaN or infinity; kept as text or left out",
    "value_type": "a field holds another type than its tool writes; the other fields were read",
    "value_range": "a field's value is impossible; left out",
    "capped": "a list or object is longer than kept",
    "value_truncated": "a text is longer than kept",
    "surrogate": "half of a surrogate pair; read as U+FFFD",
    "nul": "a NUL character in a text",
    "file_name": "a file name is a path; it is shown, never opened",
    "private_url": "a picture's address is no public web page; it is never fetched",
}

_MAX_KEYS = 10_000
_UNSAFE_NAME = re.compile(r"[\\/\0]|\.\.|^.{256}", re.DOTALL)


class _Shape(NamedTuple):
    """Rows of one shape of sidecar: (claim, paths, type), and the top-level keys they look at."""

    rows: tuple[tuple[str, tuple[tuple[str, ...], ...], str], ...]
    keys: frozenset[str]


class _Warnings:
    """The first warning of each code and field."""

    def __init__(self, told: Iterable[HeaderWarning] = ()) -> None:
        self._told = {(warning.code, ""): warning for warning in told}

    def add(self, code: str, field: str, detail: str) -> None:
        self._told.setdefault((code, field), HeaderWarning(code, f"{field}: {detail}" if field else detail))

    def __iter__(self) -> Iterator[HeaderWarning]:
        return iter(self._told.values())


def split_sidecar_name(name: str) -> tuple[str, str] | None:
    """(stem, suffix) where ``name`` is a sidecar's, e.g. (``style``, ``.civitai.info``); else None."""
    lowered = name.lower()
    for suffix in SIDECAR_SUFFIXES:
        if lowered.endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)], suffix
    return None


def parse_sidecar(suffix: str, data: bytes) -> ClaimSet:
    """Claims of a sidecar whose name ends with ``suffix``, a key of ``SIDECAR_SUFFIXES``.

    Never raises for content: oddities are warnings with a code of ``WARNING_CODES``; a sidecar that cannot be
    read gives no claims and the warning ``sidecar`` or ``json_depth``, and earlier claims should be kept.
    """
    source = SIDECAR_SUFFIXES[suffix]
    if len(data) > MAX_SIDECAR:
        return _nothing(source, "sidecar", f"{len(data):,} bytes; at most {MAX_SIDECAR:,} are read")
    text, encoding = decode_text(data)
    text = text.rstrip("\0 \t\r\n")
    if not text:
        return _nothing(
            source, "sidecar", "empty; its tool was interrupted, let it write the file again", *encoding
        )
    try:
        content, oddities = load_lenient(text)
    except JsonFault as fault:
        code = "sidecar" if fault.code == "json" else fault.code
        return _nothing(source, code, fault.detail, *encoding)
    if not isinstance(content, dict):
        return _nothing(source, "sidecar", f"holds {shorten(content)}, not an object", *encoding, *oddities)
    warnings = _Warnings((*encoding, *oddities))
    raw = _bounded(content, warnings)
    shape = _shape(suffix, raw)
    claims = tuple(_claims(shape, raw, warnings))
    _check_names(raw, warnings)
    unparsed = {key: value for key, value in raw.items() if key not in shape.keys}
    return ClaimSet(source, claims, raw, unparsed, tuple(warnings))


def _nothing(source: str, code: str, detail: str, *others: HeaderWarning) -> ClaimSet:
    return ClaimSet(source, (), {}, {}, (HeaderWarning(code, detail), *others))


def _bounded(value: Any, warnings: _Warnings) -> Any:
    """``value`` with overlong texts, lists and objects cut; depth is bounded by the reader."""
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            warnings.add("value_truncated", "", f"text of {len(value):,} characters; {MAX_TEXT:,} are kept")
        return value[:MAX_TEXT]
    if isinstance(value, list):
        if len(value) > MAX_WORDS:
            warnings.add("capped", "", f"list of {len(value):,}; {MAX_WORDS:,} are kept")
        return [_bounded(item, warnings) for item in value[:MAX_WORDS]]
    if isinstance(value, dict):
        if len(value) > _MAX_KEYS:
            warnings.add("capped", "", f"object of {len(value):,} keys; {_MAX_KEYS:,} are kept")
        return {key[:MAX_TEXT]: _bounded(item, warnings) for key, item in list(value.items())[:_MAX_KEYS]}
    return value


def _shape(suffix: str, raw: Mapping[str, Any]) -> _Shape:
    """The shape that the keys tell; the one that the name proposes where they tell none."""
    for row in table()["shape"]:
        if any(key in raw for key in row["any"]) and all(key in raw for key in row["all"]):
            return _shapes()[row["name"]]
    return _shapes()[next(row["shape"] for row in table()["suffix"] if row["suffix"] == suffix)]


@cache
def _shapes() -> Mapping[str, _Shape]:
    shapes = {}
    for name, fields in table()["fields"].items():
        rows = tuple(
            (claim, tuple(map(_split_path, row["paths"])), row["type"])
            for claim, row in fields.items()
            if claim in CLAIM_NAMES
        )
        shapes[name] = _Shape(rows, frozenset(path[0] for _, paths, _ in rows for path in paths))
    return MappingProxyType(shapes)


def _split_path(path: str) -> tuple[str, ...]:
    """Parts of ``a.b.0``; a backslash keeps a dot inside a part."""
    return tuple(part.replace("\0", ".") for part in path.replace("\\.", "\0").split("."))


def _claims(shape: _Shape, raw: Mapping[str, Any], warnings: _Warnings) -> Iterator[Claim]:
    for name, paths, kind in shape.rows:
        for path in paths:
            value = _read(raw, path, kind, warnings)
            if value is not None:
                yield Claim(name, value)
                break


def _read(raw: Any, path: tuple[str, ...], kind: str, warnings: _Warnings) -> Any:
    """The claim's value at ``path``; None where absent, empty or wrong."""
    value = raw
    for depth, part in enumerate(path):
        if isinstance(value, list) and part == "0":
            value = value[0] if len(value) == 1 else None
        elif isinstance(value, dict):
            value = value.get(part)
        elif value is not None:
            warnings.add("value_type", ".".join(path[:depth]), f"{shorten(value)} is not an object")
            return None
    if value is None:
        return None
    try:
        return READERS[kind](value)
    except ValueFaultError as fault:
        warnings.add(fault.code, ".".join(path), str(fault))
        return fault.so_far


def _check_names(raw: Mapping[str, Any], warnings: _Warnings) -> None:
    """Tell file names that are paths and picture addresses that are none; neither is used for anything."""
    for holder in (raw, raw.get("civitai")):
        if not isinstance(holder, dict):
            continue
        for field, key, code, is_odd in (
            ("files", "name", "file_name", _UNSAFE_NAME.search),
            ("images", "url", "private_url", _is_private),
        ):
            for item in _objects(holder, field, warnings):
                text = item.get(key)
                if isinstance(text, str) and is_odd(text):
                    warnings.add(code, field, f"{shorten(text)}, {WARNING_CODES[code]}")


def _objects(holder: Mapping[str, Any], field: str, warnings: _Warnings) -> Iterator[dict[str, Any]]:
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


def _is_private(url: str) -> bool:
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
