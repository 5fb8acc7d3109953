"""A dump of model items as the evaluation of search needs it: names, tags, prompts, and who made it."""

import hashlib
import json
import lzma
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

__all__ = [
    "DUMP",
    "Image",
    "Model",
    "letters",
    "model_of",
    "order_key",
    "read_items",
    "versions_of",
    "word_list",
]

DUMP = "models.jsonl.xz"
_WORD = re.compile(r"[^\W_]+")
_TAG = re.compile(r"<[^>]{0,2000}>")


@dataclass(frozen=True, slots=True)
class Image:
    """A sample picture of a model: what it was asked for, and the models that its record names.

    ``place`` is (number of the version, number of the picture) in the item. ``base`` are the first ten hex
    digits of the hash of the checkpoint that drew it.
    """

    place: tuple[int, int]
    prompt: str
    base: str | None


@dataclass(frozen=True, slots=True)
class Model:
    """A published model; lists are those of all its versions together, each value once."""

    id: int
    kind: str
    name: str
    creator: str
    tags: tuple[str, ...]
    triggers: tuple[str, ...]
    file_names: tuple[str, ...]
    hashes: frozenset[str]
    images: tuple[Image, ...] = field(repr=False)

    @property
    def half(self) -> str:
        """Creators repeat themselves, so each is in one half as a whole: the last bit of SHA-256."""
        odd = hashlib.sha256(self.creator.encode()).digest()[-1] & 1
        return "held-out" if odd else "tune"


def read_items(path: Path) -> Iterator[dict[str, Any]]:
    """Items of a dump of JSON lines, packed by xz."""
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            item = json.loads(line)
            if isinstance(item, dict) and isinstance(item.get("id"), int) and item.get("name"):
                yield item


def model_of(item: Mapping[str, Any]) -> Model:
    """The item as a ``Model``."""
    versions = versions_of(item)
    files = [f for v in versions for f in v.get("files") or ()]
    return Model(
        id=item["id"],
        kind=str(item.get("type") or ""),
        name=str(item["name"]),
        creator=str((item.get("creator") or {}).get("username") or item["id"]),
        tags=_each(item.get("tags")),
        triggers=_each(w for v in versions for w in v.get("trainedWords") or ()),
        file_names=_each(f.get("name") for f in files),
        hashes=frozenset(h[:10].lower() for f in files for h in (f.get("hashes") or {}).values() if h),
        images=tuple(_images(versions)),
    )


def versions_of(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The versions of an item, in its order."""
    return [version for version in item.get("modelVersions") or () if isinstance(version, dict)]


def _each(values: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(v for v in values or () if isinstance(v, str) and v.strip()))


def _images(versions: list[dict[str, Any]]) -> Iterator[Image]:
    for number, version in enumerate(versions):
        for place, image in enumerate(version.get("images") or ()):
            meta = image.get("meta")
            prompt = meta.get("prompt") if isinstance(meta, dict) else None
            if isinstance(prompt, str) and prompt.strip():
                yield Image((number, place), prompt, _base(meta))


def _base(meta: Mapping[str, Any]) -> str | None:
    hashes = meta.get("hashes")
    said = hashes.get("model") if isinstance(hashes, dict) else None
    text = str(said or meta.get("Model hash") or "").strip().lower()
    return text[:10] or None


def letters(text: str) -> list[str]:
    """Words without a digit, lower case, in order; what stands in ``<…>`` is left out."""
    found = (word.lower() for word in _WORD.findall(_TAG.sub(" ", text)))
    return [word for word in found if not any(c.isdigit() for c in word)]


@cache
def word_list(name: str) -> frozenset[str]:
    """A list of ``search_words.toml``."""
    table = tomllib.loads(Path(__file__).with_name("search_words.toml").read_text("utf-8"))[name]
    return frozenset(table.get("words") or table["phrases"])


def order_key(task: str, key: object) -> str:
    """A fixed order that looks like chance, the same whatever else the dump holds."""
    return hashlib.sha256(f"pinakes search {task} {key}".encode()).hexdigest()
