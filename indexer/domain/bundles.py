"""Names of files that are one model together: shards, their indexes, diffusers folders. Names only.

Spellings are those of transformers and diffusers (``save_pretrained``, ``_add_variant``) and of gguf-split:
``X-00001-of-00003.safetensors`` with ``X.safetensors.index.json``, the variant before or after the numbers.
"""

import re
from typing import NamedTuple

__all__ = ["MODEL_INDEX", "Shard", "Weights", "index_names", "index_of", "is_bundle", "shard"]

MODEL_INDEX = b"model_index.json"
"""The file that makes a folder a diffusers pipeline."""

_SHARD = re.compile(
    rb"(?P<stem>.+)-(?P<place>[0-9]{5})-of-(?P<total>[0-9]{5})(?P<variant>\.[a-z0-9_]+)?"
    rb"\.(?P<suffix>safetensors|bin|gguf|pth?|ckpt)",
    re.IGNORECASE | re.DOTALL,
)
_INDEX = re.compile(
    rb"(?P<stem>.+)\.(?P<suffix>safetensors|bin|pt)\.index(?P<variant>\.[a-z0-9_]+)?\.json",
    re.IGNORECASE | re.DOTALL,
)


class Weights(NamedTuple):
    """What the shards of one model and their index share: ``(b"model.fp16", b"safetensors")``."""

    stem: bytes
    suffix: bytes


class Shard(NamedTuple):
    """One shard's name taken apart: ``head`` and ``tail`` stand around its number, which counts from 1."""

    weights: Weights
    place: int
    total: int
    head: bytes
    tail: bytes

    def sibling(self, place: int) -> bytes:
        """The name of another shard of the same model."""
        return b"%s%05d%s" % (self.head, place, self.tail)


def shard(name: bytes) -> Shard | None:
    """The parts of a shard's name; ``None`` for any other name, and for the only shard of one."""
    found = _SHARD.fullmatch(name) if b"-of-" in name else None
    if found is None or int(found["total"]) < 2 or not 1 <= int(found["place"]) <= int(found["total"]):
        return None
    around = name[: found.start("place")], name[found.end("place") :]
    return Shard(_named(found), int(found["place"]), int(found["total"]), *around)


def index_of(name: bytes) -> Weights | None:
    """Whose index a file is, by its name."""
    found = _INDEX.fullmatch(name) if b".index" in name else None
    return _named(found) if found else None


def index_names(of: Weights) -> tuple[bytes, ...]:
    """How the index of these shards may be called."""
    plain = b"%s.%s.index.json" % of
    stem, dot, variant = of.stem.rpartition(b".")
    return (plain, b"%s.%s.index.%s.json" % (stem, of.suffix, variant)) if dot else (plain,)


def is_bundle(name: bytes) -> bool:
    """Whether a place of this name stands for several files: nothing there has a hash of its own."""
    return name == MODEL_INDEX or index_of(name) is not None or shard(name) is not None


def _named(found: re.Match[bytes]) -> Weights:
    return Weights(found["stem"] + (found["variant"] or b""), found["suffix"].lower())
