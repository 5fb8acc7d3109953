"""Names of models in every spelling that tools use: texts, lists, objects, tags in prompts."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from indexer.domain.generation import UsedModel
from indexer.domain.vocabulary import read_table
from indexer.parsers.generation.draft import Draft, as_float, as_text

__all__ = [
    "TABLE",
    "air_model",
    "clean_hash",
    "fold",
    "is_no_model",
    "kind_named",
    "models_in",
    "tags",
    "use_named",
]

TABLE = "generation.toml"

_NAME_KEYS = (
    "name",
    "modelfilename",
    "modelname",
    "model",
    "lora",
    "loraname",
    "file",
    "filename",
    "path",
    "label",
    "air",
)
_HASH_KEYS = ("hash", "sha256", "modelhash", "autov2", "autov3", "lorahash")
_WEIGHT_KEYS = (
    "weight",
    "strength",
    "strengthmodel",
    "modelstrength",
    "multiplier",
    "scale",
    "alpha",
    "unetweight",
)
_VERSION_KEYS = ("modelversionid", "versionid", "civitaiversionid")
_ON_KEYS = ("on", "enabled", "isenabled", "active")
_INNER = (
    "model",
    "lora",
    "controlmodel",
    "ipadaptermodel",
    "t2iadaptermodel",
    "controlnetmodel",
    "modelinfo",
)
_MAX_NAME = 500
_MAX_ITEMS = 1_000
_MAX_INNER = 4

_TAG = re.compile(
    r"<(lora|lyco|loha|locon|lokr|dora|hypernet|embed):([^<>:\n]{1,300})(?::([^<>\n]{0,200}))?>",
    re.IGNORECASE,
)
_EMBEDDING = re.compile(r"(?<![\w/])embedding:([\w\-. /\\+]{1,200}?)(?=[\s,:()\[\]{}|<>]|$)")
_IN_TAG = re.compile(r"(?:^|:)(?:unet=|te=)?([+-]?\d*\.?\d+)(?=:|$)")
_NAME_HASH = re.compile(r"(.+?)\s*[\[(]([0-9a-fA-F]{8,64})[\])]")
_COMBINED = re.compile(r"(?:(True|False)\s+:\s+)?(.+?)\s+:\s+([+-]?\d*\.?\d+)")
_AIR = re.compile(
    r"(?:urn:)?(?:air:)?(?:[\w.-]+:)?([\w.-]+):(\w[\w-]*):([\w./-]+)@([\w.-]+?)(?:\+\w+)?(?:\.\w+)?"
)
_HASH = re.compile(r"(?:0x|blake3:|sha256:|blake3_single:)?([0-9a-fA-F]{8,64})")


def fold(key: str) -> str:
    """A key's letters and digits in lower case: the form that ``generation.toml`` is written in."""
    return "".join(filter(str.isalnum, key)).casefold()


@cache
def _nothing() -> re.Pattern[str]:
    rows = read_table(TABLE)["nothing"]
    return re.compile("|".join(f"(?:{row['match']})" for row in rows), re.IGNORECASE)


def is_no_model(name: str) -> bool:
    """True for the words that stand where no model was chosen, and for what can be no name."""
    name = name.strip()
    return not name or len(name) > _MAX_NAME or "\n" in name or _nothing().fullmatch(name) is not None


@cache
def _kinds() -> dict[str, str]:
    return {name: row["kind"] for row in read_table(TABLE)["kind"] for name in row["names"]}


def kind_named(name: Any, default: str = "unknown") -> str:
    """Our kind for a hub's or a tool's word."""
    return _kinds().get(fold(name), default) if isinstance(name, str) else default


def clean_hash(value: Any) -> str | None:
    """A hash without its prefix; None for what is no hash."""
    match = _HASH.fullmatch(value.strip()) if isinstance(value, str) else None
    return match.group(1) if match else None


def air_model(text: str) -> UsedModel | None:
    """The model that an AIR (``urn:air:sdxl:lora:civitai:1234@5678``) names; None for any other text."""
    match = _AIR.fullmatch(text) if "@" in text else None
    if not match:
        return None
    version = match.group(4) if match.group(2).startswith("civitai") else None
    return UsedModel(kind_named(match.group(1)), text, version_id=version)


def use_named(draft: Draft, kind: str, value: Any, hash_: Any = None, weight: Any = None) -> None:
    """Name the model of a field: a plain name, ``name [hash]``, ``name : weight``, or a list or an object."""
    if not isinstance(value, str):
        for model in models_in(value, kind):
            draft.use(model)
        return
    name = value.strip()
    if len(name) > 2 and name[0] == name[-1] and name[0] in "'\"":
        name = name[1:-1]
    if is_no_model(name):
        return
    if (air := air_model(name)) is not None:
        draft.use(air)
        return
    combined, hashed = _COMBINED.fullmatch(name), _NAME_HASH.fullmatch(name)
    if combined:
        if combined.group(1) == "False" or is_no_model(combined.group(2)):
            return
        name, weight = combined.group(2), combined.group(3)
    elif hashed:
        name, hash_ = hashed.group(1), hashed.group(2)
    draft.use(UsedModel(kind, name, clean_hash(hash_), None, as_float(weight)))


def models_in(value: Any, kind: str) -> Iterator[UsedModel]:
    """The models of a list, of an object, or of an object of name -> weight."""
    if isinstance(value, dict):
        model = _of_object(value, kind)
        if model is not None:
            yield model
        elif all(isinstance(item, int | float | str) for item in value.values()):
            for name, weight in list(value.items())[:_MAX_ITEMS]:
                if not is_no_model(name):
                    yield UsedModel(kind, name, clean_hash(weight), None, as_float(weight))
        return
    for item in value[:_MAX_ITEMS] if isinstance(value, list) else ():
        if isinstance(item, dict):
            if (model := _of_object(item, kind)) is not None:
                yield model
        else:
            yield from _of_item(item, kind)


def _of_item(item: Any, kind: str) -> Iterator[UsedModel]:
    """A text, or a short list: name, weight; or name, hash, weight; or enabled, name, weight."""
    parts = item if isinstance(item, list) else [item]
    if not parts or parts[0] is False:
        return
    texts = [part for part in parts if isinstance(part, str)]
    if not texts:
        return
    inner = Draft()
    numbers = [number for part in parts[1:] if (number := as_float(part)) is not None and part is not True]
    hash_ = next((text for text in texts[1:] if clean_hash(text)), None)
    use_named(inner, kind, texts[0], hash_, numbers[-1] if numbers else None)
    yield from inner.models


def _of_object(item: dict[str, Any], kind: str, depth: int = 0) -> UsedModel | None:
    """The model of one object; the object within it names it where it only holds settings."""
    keys = {fold(key): value for key, value in item.items()}
    if any(keys.get(key) is False for key in _ON_KEYS) or depth > _MAX_INNER:
        return None
    weight = next((number for key in _WEIGHT_KEYS if (number := as_float(keys.get(key))) is not None), None)
    for key in _INNER:
        if isinstance(keys.get(key), dict):
            inner = _of_object(keys[key], kind, depth + 1)
            if inner is not None:
                return UsedModel(inner.kind, inner.name, inner.hash, inner.version_id, weight)
    name = next((text for key in _NAME_KEYS if isinstance(text := keys.get(key), str) and text), None)
    version = next((as_text(keys[key]) for key in _VERSION_KEYS if keys.get(key)), None)
    if name is None and version is None:
        return None
    if name is not None and (is_no_model(name) or len(name) > _MAX_NAME):
        return None
    air = air_model(str(keys.get("air") or name or ""))
    hash_ = next((found for key in _HASH_KEYS if (found := clean_hash(keys.get(key)))), None)
    told_kind = air.kind if air and air.kind != "unknown" else kind_named(keys.get("type"), kind)
    return UsedModel(told_kind, name, hash_, version or (air.version_id if air else None), weight)


def tags(prompt: str | None) -> Iterator[UsedModel]:
    """The models that a prompt names: ``<lora:name:weight>`` and its kin, ``embedding:name``."""
    if not prompt:
        return
    for match in _TAG.finditer(prompt):
        weight = _IN_TAG.search(match.group(3) or "")
        kind = kind_named(match.group(1), "lora")
        if not is_no_model(match.group(2)):
            yield UsedModel(
                kind, match.group(2).strip(), None, None, as_float(weight.group(1)) if weight else None
            )
    for match in _EMBEDDING.finditer(prompt):
        yield UsedModel("textual_inversion", match.group(1).strip())
