"""Our records in the hub's words: numbers, types, base models, AIR, permissions. Tables: ``drop_in.toml``."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

from indexer.catalog.published_records import PublishedModel, PublishedVersion
from indexer.domain.vocabulary import base_label, base_labels
from search.data import search_table

__all__ = [
    "air",
    "base_model",
    "drop_in",
    "is_own",
    "label_of",
    "model_number",
    "moment",
    "number_of",
    "own_number",
    "type_of",
    "uses",
    "version_number",
]


def drop_in() -> Mapping[str, Any]:
    """The table ``search/data/drop_in.toml``."""
    return search_table("drop_in.toml")


def own_number(id_: int) -> int:
    """The number under which a row of ours is known here; the hub's numbers are below."""
    first: int = drop_in()["own"]["first"]
    return first + id_


def is_own(number: int) -> int | None:
    """The row's id behind a number of ours, None for a number of the hub."""
    id_ = number - drop_in()["own"]["first"]
    return id_ if id_ > 0 else None


def model_number(model: PublishedModel) -> int:
    """The hub's number of a model, else ours."""
    return _digits(model.key.removeprefix("civitai:")) or own_number(model.id)


def version_number(version: PublishedVersion) -> int:
    """The hub's number of a version, else ours."""
    return number_of(version.key, version.id)


def number_of(key: str, id_: int) -> int:
    """The number of a version by its key and id."""
    hub, _, number = key.partition("@")
    return (_digits(number) if hub.startswith("civitai:") else None) or own_number(id_)


def _digits(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def type_of(facts: Mapping[str, Any]) -> str:
    """The type of a model by what it was found to be (a document as plain data)."""
    table, kind = drop_in(), facts.get("kind")
    found = table["kinds"].get(kind, "Other")
    return str(table["adapters"].get(facts.get("adapter"), found) if kind == "lora" else found)


def base_model(facts: Mapping[str, Any]) -> str:
    """The base model as a source claims it, spelled as the hub does; else by what the tensors are."""
    claimed = facts.get("base_label")
    if claimed:
        known = base_label(claimed)
        return known.id if known is not None else str(claimed)
    return label_of(facts.get("architecture_path") or (), facts.get("family"))


def label_of(path: Sequence[str], family: str | None) -> str:
    """The hub's label for an architecture (its path, root first) and a family; the nearest one above where
    the architecture has none of its own."""
    for architecture in reversed(path):
        for wanted in (family, None) if family else (None,):
            found = _labels().get((architecture, wanted))
            if found is not None:
                return found
    return str(drop_in()["labels"]["none"])


@cache
def _labels() -> Mapping[tuple[str, str | None], str]:
    """(architecture, family) -> label. The hub's own labels are those with an ecosystem."""
    found: dict[tuple[str, str | None], str] = {}
    for label in base_labels().values():
        if label.architecture and label.ecosystem:
            found.setdefault((label.architecture, label.family), label.id)
    preferred = drop_in()["labels"]
    return found | {(key, None): name for key, name in preferred.items() if key not in ("why", "none")}


def air(
    model: PublishedModel, version: PublishedVersion, kind: str, base: str, file: str | None = None
) -> str:
    """``urn:air:ECOSYSTEM:TYPE:SOURCE:MODEL@VERSION`` (developer.civitai.com, "AIR"), as the hub spelled it
    where it did; ``file`` is the type of the primary one."""
    told = (version.said or {}).get("air")
    if isinstance(told, str) and told.startswith("urn:air:"):
        return told
    number, table = model_number(model), drop_in()
    place = "civitai" if number != own_number(model.id) else "pinakes"
    named = table["air_files"].get(file) or table["air"].get(kind, "other")
    return f"urn:air:{_ecosystem(base)}:{named}:{place}:{number}@{version_number(version)}"


@lru_cache(maxsize=1_000)
def _ecosystem(base: str) -> str:
    label = base_label(base)
    return (label.ecosystem if label and label.ecosystem else "other").lower().replace(" ", "")


def uses(said: Any, entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """``allowCommercialUse`` as a list, however it was spelled; by what ``entries`` (documents as plain data)
    permit where nobody said it."""
    table = drop_in()
    if isinstance(said, list):
        return [word for word in said if isinstance(word, str)]
    if isinstance(said, str):
        inner = said.strip()
        if inner[:1] == "{" and inner[-1:] == "}":
            return [word for part in inner[1:-1].split(",") if (word := part.strip().strip('"'))]
        return list(table["widening"].get(inner, (inner,) if inner else ()))
    granted = {permission for facts in entries for permission in facts["permissions"]}
    return [name for permission, name in table["uses"].items() if permission in granted]


def moment(value: datetime | str | None) -> str:
    """A time as the hub writes it: ``2026-03-01T10:00:00.000Z``; a day begins at midnight."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03}Z"
    return f"{value[:10]}T00:00:00.000Z" if value else ""
