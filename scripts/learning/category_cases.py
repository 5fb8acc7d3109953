"""Labelled cases of categories from a hub's model items, with the label hidden from what a judge may see.

A hub files each model under one category, and lists it among the tags. The label is that tag; the case is
the rest: every tag of the hub's list is taken out, whatever its case. For checkpoints the label is the look
that people's tags name, where they name one only, and all tags that name looks are taken out.

Creators repeat themselves, so each belongs to one half as a whole, by the last bit of the SHA-256 of the
name.
"""

import hashlib
import json
import lzma
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from indexer.domain.filters import keyword
from indexer.domain.vocabulary import read_table

__all__ = ["Case", "read_cases"]

_KINDS = {
    "LORA": "lora",
    "LoCon": "lora",
    "DoRA": "lora",
    "TextualInversion": "textual_inversion",
    "Hypernetwork": "hypernetwork",
    "AestheticGradient": "unknown",
    "Poses": "unknown",
    "Checkpoint": "checkpoint",
}


@dataclass(frozen=True)
class Case:
    """``label`` is the hidden category, ``sort`` is ``adapter`` or ``checkpoint``; ``seen`` are the arguments
    of ``judge_category`` without the label, ``tags`` all tags with it; ``held_out`` names the half."""

    label: str
    sort: str
    creator: str
    held_out: bool
    tags: tuple[str, ...]
    seen: dict[str, Any] = field(repr=False)


def read_cases(folder: Path) -> list[Case]:
    """Cases of all ``*.jsonl.xz`` in ``folder``: Civitai API v1 model items, one a line."""
    return [case for path in sorted(folder.glob("*.jsonl.xz")) for case in _cases(path)]


def _cases(path: Path) -> Iterator[Case]:
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            case = _case(json.loads(line))
            if case:
                yield case


def _case(item: dict[str, Any]) -> Case | None:
    kind = _KINDS.get(item.get("type", ""))
    tags = tuple(tag for tag in item.get("tags") or () if isinstance(tag, str))
    if kind is None or not tags:
        return None
    sort = "checkpoint" if kind == "checkpoint" else "adapter"
    labels = _labels(sort)
    found = {labels[keyword(tag)] for tag in tags if keyword(tag) in labels}
    if len(found) != 1:
        return None
    hidden = {tag for one in ("adapter", "checkpoint") for tag in _hub_tags(one)} | set(labels)
    seen = tuple(tag for tag in tags if keyword(tag) not in hidden)
    creator = (item.get("creator") or {}).get("username") or str(item.get("id"))
    odd = hashlib.sha256(creator.encode()).digest()[-1] & 1
    return Case(found.pop(), sort, creator, bool(odd), tags, {"kind": kind, "tags": seen, **_texts(item)})


def _hub_tags(sort: str) -> dict[str, str]:
    rows = read_table("categories.toml")["category"]
    return {tag: row["id"] for row in rows if row["of"] in ("any", sort) for tag in row["hub"]}


def _labels(sort: str) -> dict[str, str]:
    """Tag -> category. Of checkpoints the looks alone, as people name them."""
    if sort == "adapter":
        return _hub_tags(sort)
    rows = [row for row in read_table("categories.toml")["category"] if row["of"] == "checkpoint"]
    return {tag: row["id"] for row in rows if "last" not in row for tag in (*row["tags"], *row["hub"])}


def _texts(item: dict[str, Any]) -> dict[str, Any]:
    versions = (item.get("modelVersions") or [])[:3]
    images = [image for version in versions for image in version.get("images") or ()]
    files = [file for version in versions for file in version.get("files") or ()]
    return {
        "title": item.get("name") or "",
        "description": item.get("description") or "",
        "trigger_words": tuple(w for version in versions for w in version.get("trainedWords") or ()),
        "file_name": files[0].get("name", "") if files else "",
        "prompts": tuple(p for image in images if (p := (image.get("meta") or {}).get("prompt"))),
    }
