"""Flat settings, key by key: what most tools write, as JSON or as ``Key: value`` pairs."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from itertools import islice
from typing import Any

from indexer.domain.generation import UsedModel
from indexer.domain.vocabulary import read_table
from indexer.parsers.generation.draft import Draft, as_float, as_int, as_seed, as_text
from indexer.parsers.generation.models import TABLE, clean_hash, fold, tags, use_named

__all__ = ["field_keys", "read_flat", "software"]

_MAX_KEYS = 2_000
_SIZE = re.compile(r"\(?\s*(\d{1,9})\s*[x×*, ]+\s*(\d{1,9})\s*\)?", re.IGNORECASE)


def _prompt(value: Any) -> str | None:
    """A prompt as it stands; lists of prompts are joined line by line."""
    if isinstance(value, list):
        parts = [item.get("prompt") if isinstance(item, dict) else item for item in value[:100]]
        return "\n".join(part for part in parts if isinstance(part, str)) or None
    return value if isinstance(value, str) else None


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "prompt": _prompt,
    "negative_prompt": _prompt,
    "seed": as_seed,
    "steps": as_int,
    "cfg": as_float,
    "width": as_int,
    "height": as_int,
}


@cache
def _fields() -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((row["field"], tuple(row["keys"])) for row in read_table(TABLE)["field"])


@cache
def _models() -> tuple[tuple[re.Pattern[str], dict[str, Any]], ...]:
    return tuple((re.compile(row["match"]), row) for row in read_table(TABLE)["model"])


@cache
def field_keys() -> frozenset[str]:
    """Every folded key that fills a field of a record."""
    return frozenset(key for _, keys in _fields() for key in keys)


def read_flat(settings: Mapping[str, Any], draft: Draft, *, whole: bool = True) -> None:
    """Fill ``draft`` from a map of settings; keys that were not understood go to ``raw["settings"]``.

    ``whole=False`` reads a part of a larger map: nothing is kept as unread.
    """
    keys: dict[str, Any] = {}
    for key, value in islice(settings.items(), _MAX_KEYS):
        keys.setdefault(fold(key), value)
    read = _read_fields(keys, draft)
    read |= _read_models(keys, draft)
    for model in (*tags(draft.prompt), *tags(draft.negative_prompt)):
        draft.use(model)
    unread = {key: value for key, value in settings.items() if fold(key) not in read}
    if whole and unread:
        draft.raw["settings"] = {**unread, **draft.raw.get("settings", {})}


def _read_fields(keys: Mapping[str, Any], draft: Draft) -> set[str]:
    read: set[str] = set()
    for field, names in _fields():
        for name in names:
            if name not in keys or (field != "size" and getattr(draft, field) is not None):
                continue
            if field == "size":
                done = _read_size(keys[name], draft)
            else:
                reader: Callable[[Any], Any] = _READERS.get(field, as_text)
                value = reader(keys[name])
                done = value is not None
                setattr(draft, field, value)
            if done:
                read.add(name)
                break
    return read


def _read_size(value: Any, draft: Draft) -> bool:
    match = _SIZE.match(value) if isinstance(value, str) else None
    if match and (draft.width is None or draft.height is None):
        draft.width, draft.height = int(match.group(1)), int(match.group(2))
    return match is not None


def _read_models(keys: Mapping[str, Any], draft: Draft) -> set[str]:
    read: set[str] = set()
    for key, value in keys.items():
        match = row = None
        for pattern, candidate in _models():
            match = pattern.fullmatch(key)
            if match:
                row = candidate
                break
        if match is None or row is None or value is None or isinstance(value, bool):
            continue
        before = len(draft.models)
        hash_ = _first(keys, row.get("hash", ()), match, read)
        weight = _first(keys, row.get("weight", ()), match, read)
        use_named(draft, row["kind"], value, hash_, weight)
        if len(draft.models) > before and isinstance(value, str):
            read.add(key)
    _use_lone_hashes(keys, draft, read)
    return read


def _use_lone_hashes(keys: Mapping[str, Any], draft: Draft, read: set[str]) -> None:
    """Some tools write a model's hash and no name."""
    for _, row in _models():
        for key in row.get("hash", ()):
            if key in keys and key not in read and (hash_ := clean_hash(keys[key])):
                read.add(key)
                draft.use(UsedModel(row["kind"], None, hash_))


def _first(keys: Mapping[str, Any], names: list[str], match: re.Match[str], read: set[str]) -> Any:
    for name in names:
        key = match.expand(name) if "\\" in name else name
        if keys.get(key) is not None:
            read.add(key)
            return keys[key]
    return None


def software(text: Any) -> str | None:
    """The generator that a ``Software`` field or a version names."""
    if not isinstance(text, str):
        return None
    rows = read_table(TABLE)["software"]
    return next((row["id"] for row in rows if re.fullmatch(row["match"], text.strip(), re.IGNORECASE)), None)
