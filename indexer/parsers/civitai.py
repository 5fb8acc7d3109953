"""A model as Civitai's public API v1 tells it (``models``, ``models/ID``, dumps of them), as records.

One bad field is a warning, one bad version or file is left out with a warning; only an item that names no
model is refused. Where each thing stands is ``indexer/data/civitai.toml``.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from indexer.domain.claims import Claim, ClaimSet
from indexer.domain.hubs import HubFile, HubImage, HubModel, HubVersion, Refused, Statistics
from indexer.domain.vocabulary import read_table
from indexer.parsers.fields import hex_digest, iso_date
from indexer.parsers.sidecar_values import READERS, ValueFaultError
from indexer.parsers.strict_json import shorten
from indexer.parsers.table_claims import (
    Shape,
    Warnings,
    bounded,
    objects,
    read_shapes,
    read_value,
    table_claims,
)

__all__ = ["digest", "hub_image", "parse_item", "permissions"]

_LARGEST_ID = 2**63 - 1
_APART = ("modelVersions", "stats", "creator")
_VERSION_APART = ("files", "images", "stats")
_WIDENING = {
    "Rent": ("Image", "RentCivit", "Rent"),
    "Sell": ("Image", "RentCivit", "Rent", "Sell"),
}
_PERMISSIONS = ("allowNoCredit", "allowCommercialUse", "allowDerivatives", "allowDifferentLicense")


@cache
def _shapes() -> Mapping[str, Shape]:
    return read_shapes(read_table("civitai.toml")["fields"])


def parse_item(item: Any, source: str = "civitai", *, nameless: bool = False) -> HubModel | Refused:
    """One item of a models listing. ``nameless`` accepts items without an id, as other tools' lists have
    them; their source is ``list``.

    Never raises for content.
    """
    if not isinstance(item, dict):
        return Refused(source, digest(item), "item", f"{shorten(item)} is not an object", item)
    number = item.get("id")
    numbered = type(number) is int and 0 < number <= _LARGEST_ID
    if not numbered and not (nameless and number is None and isinstance(item.get("name"), str)):
        detail = f"its id {shorten(number)} is not a positive whole number of 64 bits"
        return Refused(source, digest(item), "item", detail, item)
    warnings = Warnings()
    item = bounded(item, warnings)
    source = source if numbered else "list"
    key = f"{source}:{number if numbered else digest(item)}"
    versions = _versions(key, source, item, warnings)
    claims = [*table_claims(_shapes()["model"], item, warnings), *permissions(item, warnings)]
    raw = {name: value for name, value in item.items() if name not in _APART}
    creator = read_value(item, ("creator", "username"), "text", warnings)
    if isinstance(item.get("creator"), dict):
        raw["creator"] = item["creator"]
    statistics = _statistics(item, warnings)
    told = tuple(warnings)
    return HubModel(
        key=key,
        source=source,
        claims=ClaimSet(source, tuple(claims), raw, _unread_stats(item), told),
        versions=versions,
        creator=creator,
        statistics=statistics,
        gone=_gone(item),
        warnings=told,
    )


def permissions(item: Mapping[str, Any], warnings: Warnings) -> Iterator[Claim]:
    """What the creator allows, as one claim: ``credit`` and ``share_alike`` are demands, ``derivatives`` and
    ``commercial`` (a sorted list of Image, RentCivit, Rent, Sell) are allowances."""
    if not any(name in item for name in _PERMISSIONS):
        return
    said: dict[str, Any] = {}
    for name, key, turned in (
        ("credit", "allowNoCredit", True),
        ("derivatives", "allowDerivatives", False),
        ("share_alike", "allowDifferentLicense", True),
    ):
        value = item.get(key)
        if isinstance(value, bool):
            said[name] = value is not turned
        elif value is not None:
            warnings.add("value_type", key, f"{shorten(value)} is not true or false")
    if (uses := _commercial(item.get("allowCommercialUse"), warnings)) is not None:
        said["commercial"] = uses
    if said:
        yield Claim("permissions", said)


def _commercial(value: Any, warnings: Warnings) -> list[str] | None:
    """A set, spelled as a list or as PostgreSQL writes an array (``{Image,Sell}``). A single word, as answers
    of 2023 have it, is the widest use: those before it are allowed too."""
    if value is None:
        return None
    if isinstance(value, str):
        inner = value.strip()
        listed = inner[:1] == "{" and inner[-1:] == "}"
        parts = inner[1:-1].split(",") if listed else _WIDENING.get(inner, (inner,))
    elif isinstance(value, list):
        parts = [part for part in value if isinstance(part, str)]
    else:
        warnings.add("value_type", "allowCommercialUse", f"{shorten(value)} is not a set of uses")
        return None
    return sorted({part.strip().strip('"') for part in parts} - {"None", ""})[:10]


def _versions(key: str, source: str, item: Mapping[str, Any], warnings: Warnings) -> tuple[HubVersion, ...]:
    found: dict[str, HubVersion] = {}
    for version in objects(item, "modelVersions", warnings):
        number = version.get("id")
        if type(number) is int and 0 < number <= _LARGEST_ID:
            name = str(number)
        elif number is None:
            name = digest([version.get("name"), version.get("baseModel"), _names(version)])
        else:
            warnings.add(
                "value_type", "modelVersions.id", f"{shorten(number)} is no id; the version is left out"
            )
            continue
        found[f"{key}@{name}"] = _version(f"{key}@{name}", source, version)
    return tuple(found.values())


def _names(version: Mapping[str, Any]) -> list[Any]:
    files = version.get("files")
    return [f.get("name") for f in files if isinstance(f, dict)] if isinstance(files, list) else []


def _version(key: str, source: str, version: Mapping[str, Any]) -> HubVersion:
    warnings = Warnings()
    claims = list(table_claims(_shapes()["version"], version, warnings))
    if (until := _early_access(version, warnings)) is not None:
        claims.append(Claim("early_access_until", until))
    files = tuple(_files(version, warnings))
    images = tuple(_images(version, warnings))
    raw = {name: value for name, value in version.items() if name not in _VERSION_APART}
    statistics = _statistics(version, warnings)
    said = ClaimSet(source, tuple(claims), raw, _unread_stats(version), tuple(warnings))
    return HubVersion(key, said, files, images, statistics, _gone(version))


def _early_access(version: Mapping[str, Any], warnings: Warnings) -> str | None:
    """The end of early access as older answers tell it: days after publication."""
    days = version.get("earlyAccessTimeFrame")
    if version.get("earlyAccessEndsAt") or type(days) is not int or not 0 < days <= 3650:
        return None
    start = read_value(version, ("publishedAt",), "date", warnings) or read_value(
        version, ("createdAt",), "date", warnings
    )
    if start is None:
        return None
    return iso_date((datetime.fromisoformat(start) + timedelta(days=days)).isoformat())


def _files(version: Mapping[str, Any], warnings: Warnings) -> Iterator[HubFile]:
    for place, file in enumerate(objects(version, "files", warnings)):
        name = file.get("name")
        if not isinstance(name, str):
            warnings.add("value_type", "files.name", f"{shorten(name)} is not a name; the file is left out")
            continue
        metadata = file.get("metadata")
        told = metadata if isinstance(metadata, dict) else {}
        url = read_value(file, ("downloadUrl",), "url", warnings)
        # What stands as "verdict" beside a file is a finding of ours: no hub says it.
        apart = {"id", "name", "hashes", "primary", "type", "sizeKB", "verdict"}
        apart |= {"downloadUrl"} if url else set()
        yield HubFile(
            key=str(file["id"]) if type(file.get("id")) is int else f"{place}:{name[:200]}",
            name=name[:1000],
            type=_short(file.get("type")),
            size=_bytes(file.get("sizeKB"), warnings),
            format=_short(told.get("format")),
            precision=_short(told.get("fp")),
            primary=file.get("primary") is True,
            url=url,
            hashes=dict(_hashes(file.get("hashes"), warnings)),
            detail={key: value for key, value in file.items() if key not in apart},
        )


def _short(value: Any) -> str | None:
    return value[:100] if isinstance(value, str) and value.strip() else None


def _bytes(kilobytes: Any, warnings: Warnings) -> int | None:
    if kilobytes is None:
        return None
    if isinstance(kilobytes, bool) or not isinstance(kilobytes, int | float) or not 0 <= kilobytes < 2**53:
        warnings.add("value_range", "files.sizeKB", f"{shorten(kilobytes)} is no size")
        return None
    return round(kilobytes * 1024)


def _hashes(value: Any, warnings: Warnings) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if not isinstance(value, dict):
        warnings.add("value_type", "files.hashes", f"{shorten(value)} is not an object")
        return
    rows = read_table("civitai.toml")["hashes"]
    for name, text in value.items():
        row = rows.get(name) if name != "why" else None
        if row is None or text is None:
            continue
        try:
            yield row["kind"], hex_digest(str(text), *row["digits"])[: row["keep"]]
        except ValueError as error:
            warnings.add("value_range", f"files.hashes.{name}", f"{shorten(text)}: {error}")


def _images(version: Mapping[str, Any], warnings: Warnings) -> Iterator[HubImage]:
    for image in objects(version, "images", warnings):
        if (found := hub_image(image, warnings)) is not None:
            yield found


def hub_image(image: Mapping[str, Any], warnings: Warnings) -> HubImage | None:
    """An image of a version or of the images route; None where it has no usable address."""
    url = read_value(image, ("url",), "url", warnings) if image.get("url") else None
    if url is None:
        return None
    media = image.get("type")
    apart = ("url", "width", "height", "hash", "type")
    return HubImage(
        url=url,
        media=media if media in ("video", "audio") else "image",
        width=_pixels(image.get("width")),
        height=_pixels(image.get("height")),
        nsfw_level=_level(image, warnings),
        blurhash=_short(image.get("hash")),
        meta={key: value for key, value in image.items() if key not in apart},
    )


def _pixels(value: Any) -> int | None:
    return value if type(value) is int and 0 < value < 1_000_000 else None


def _level(image: Mapping[str, Any], warnings: Warnings) -> int | None:
    for key in ("browsingLevel", "nsfwLevel", "nsfw"):
        if (level := read_value(image, (key,), "nsfw", warnings)) is not None:
            return int(level)
    return None


def _statistics(holder: Mapping[str, Any], warnings: Warnings) -> Statistics | None:
    stats = holder.get("stats")
    if not isinstance(stats, dict):
        return None
    values: dict[str, Any] = {}
    for name, key, kind in _numbers():
        if stats.get(key) is not None:
            try:
                values[name] = READERS[kind](stats[key])
            except ValueFaultError as fault:
                warnings.add(fault.code, f"stats.{key}", str(fault))
    return Statistics(**values)


def _unread_stats(holder: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers that no column is made for, kept as they are."""
    stats = holder.get("stats")
    if not isinstance(stats, dict):
        return {}
    known = {key for _, key, _ in _numbers()}
    left = {k: v for k, v in stats.items() if k not in known}
    return {"stats": left} if left else {}


@cache
def _numbers() -> tuple[tuple[str, str, str], ...]:
    """Name, key of stats and type of each number that has a column."""
    rows = read_table("civitai.toml")["statistics"]
    return tuple((name, row["key"], row["type"]) for name, row in rows.items() if name != "why")


def _gone(holder: Mapping[str, Any]) -> str | None:
    words = [str(word).lower() for key in ("mode", "status") if (word := holder.get(key))]
    return next((name for name, spelled in _gone_words() if not spelled.isdisjoint(words)), None)


@cache
def _gone_words() -> tuple[tuple[str, frozenset[str]], ...]:
    rows = read_table("civitai.toml")["gone"]
    return tuple((name, frozenset(spelled)) for name, spelled in rows.items() if name != "why")


def digest(value: Any) -> str:
    """A name for an item that has none: 16 hex digits of its content."""
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
