"""Who comes from whom, as files and hubs say it: the parents that claims name."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from indexer.domain.generation import model_stem
from indexer.domain.resources import hash_keys

__all__ = ["MERGED", "TRAINED", "Parent", "parents_of"]

TRAINED = "trained_on"
MERGED = "merged_from"
_MOST = 100
_TAGGED = re.compile(r"(.{0,2000}?)\s*\[([0-9a-fA-F]{8,64})\]", re.DOTALL)
_REPO = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")
_FILE = re.compile(r"\.(?:safetensors|ckpt|pt|pth|bin|sft|gguf)$", re.IGNORECASE)
_NAMELESS = frozenset(
    ("model", "diffusion_pytorch_model", "pytorch_lora_weights", "checkpoint", "unet", "none", "null")
)
"""Names that thousands of files have."""


@dataclass(frozen=True, slots=True)
class Parent:
    """A model that another was made from, as ``source`` names it: ``name`` as written, ``hash`` in lower-case
    hex, ``repository`` where the name may be one of a hub. ``relation`` is ``trained_on`` or
    ``merged_from``."""

    relation: str
    source: str
    name: str | None = None
    hash: str | None = None
    repository: str | None = None

    @property
    def stem(self) -> str | None:
        """The name by which files are looked up; None for names that say nothing."""
        stem = model_stem(self.name) if self.name else ""
        return stem if len(stem) > 2 and stem not in _NAMELESS else None


def parents_of(rows: Iterable[tuple[str, Mapping[str, Any]]]) -> tuple[Parent, ...]:
    """The parents that claims (source, name -> value) tell, each once, at most 100."""
    found: dict[tuple[str, str], Parent] = {}
    for source, claims in rows:
        for parent in _told(source, claims):
            found.setdefault((parent.relation, parent.stem or parent.hash or parent.name or ""), parent)
    merged = {key for relation, key in found if relation == MERGED}
    told = (one for (relation, key), one in found.items() if relation == MERGED or key not in merged)
    return tuple(told)[:_MOST]


def _told(source: str, claims: Mapping[str, Any]) -> Iterator[Parent]:
    digest = claims.get("trained_on_hash")
    base = claims.get(TRAINED)
    if isinstance(base, str) or isinstance(digest, str):
        parent = _parent(TRAINED, source, base if isinstance(base, str) else "", digest)
        if parent:
            yield parent
    merged = claims.get(MERGED)
    for text in merged[:_MOST] if isinstance(merged, list | tuple) else ():
        if isinstance(text, str) and (parent := _parent(MERGED, source, text, None)):
            yield parent


def _parent(relation: str, source: str, text: str, digest: Any) -> Parent | None:
    tagged = _TAGGED.fullmatch(text.strip())
    name, told = (tagged[1], tagged[2]) if tagged else (text.strip(), digest)
    if hash_keys(name):
        name, told = "", told or name
    hashed = told.strip().lower() if isinstance(told, str) and hash_keys(told) else None
    if not name and hashed is None:
        return None
    repository = name if _REPO.fullmatch(name) and not _FILE.search(name) else None
    return Parent(relation, source, name[:300] or None, hashed, repository)
