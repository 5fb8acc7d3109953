"""Sidecars: what other tools wrote beside a model file, as claims.

Names and keys of those tools stand in ``indexer/data/sidecars.toml``. The name only proposes what a sidecar
is, its keys decide: ``.json`` in particular means something else in every tool. Whatever a sidecar holds,
reading it never raises; its model stays as it is.
"""

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from indexer.domain.claims import Claim, ClaimSet
from indexer.domain.header import HeaderWarning
from indexer.parsers.civitai import permissions
from indexer.parsers.sidecar_values import table
from indexer.parsers.strict_json import JsonFault, decode_text, load_lenient, shorten
from indexer.parsers.table_claims import (
    Shape,
    Warnings,
    bounded,
    is_private,
    objects,
    read_shapes,
    table_claims,
)

__all__ = ["MAX_SIDECAR", "SIDECAR_SUFFIXES", "WARNING_CODES", "parse_sidecar"]

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

_UNSAFE_NAME = re.compile(r"[\\/\0]|\.\.|^.{256}", re.DOTALL)


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
    warnings = Warnings((*encoding, *oddities))
    raw = bounded(content, warnings)
    shape = _shape(suffix, raw)
    claims = (*table_claims(shape, raw, warnings), *_permissions(raw, warnings))
    _check_names(raw, warnings)
    unparsed = {key: value for key, value in raw.items() if key not in shape.keys}
    return ClaimSet(source, claims, raw, unparsed, tuple(warnings))


def _nothing(source: str, code: str, detail: str, *others: HeaderWarning) -> ClaimSet:
    return ClaimSet(source, (), {}, {}, (HeaderWarning(code, detail), *others))


def _shape(suffix: str, raw: Mapping[str, Any]) -> Shape:
    """The shape that the keys tell; the one that the name proposes where they tell none."""
    for row in table()["shape"]:
        if any(key in raw for key in row["any"]) and all(key in raw for key in row["all"]):
            return _shapes()[row["name"]]
    return _shapes()[next(row["shape"] for row in table()["suffix"] if row["suffix"] == suffix)]


@cache
def _shapes() -> Mapping[str, Shape]:
    return MappingProxyType(read_shapes(table()["fields"]))


def _permissions(raw: Mapping[str, Any], warnings: Warnings) -> tuple[Claim, ...]:
    """What the creator allows, where a tool kept Civitai's model beside or around the version."""
    record = raw.get("civitai")
    around = (raw, raw.get("model"), record.get("model") if isinstance(record, dict) else None)
    holders = (tuple(permissions(holder, warnings)) for holder in around if isinstance(holder, dict))
    return next(filter(None, holders), ())


def _check_names(raw: Mapping[str, Any], warnings: Warnings) -> None:
    """Tell file names that are paths and picture addresses that are none; neither is used for anything."""
    for holder in (raw, raw.get("civitai")):
        if not isinstance(holder, dict):
            continue
        for field, key, code, is_odd in (
            ("files", "name", "file_name", _UNSAFE_NAME.search),
            ("images", "url", "private_url", is_private),
        ):
            for item in objects(holder, field, warnings):
                text = item.get(key)
                if isinstance(text, str) and is_odd(text):
                    warnings.add(code, field, f"{shorten(text)}, {WARNING_CODES[code]}")
