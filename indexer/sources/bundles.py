"""Files that are one model: sharded weights, and diffusers folders. Decided by names alone.

Names decide so that a walk stays a matter of stats and no index can claim files that are not plainly its own;
what the indexes say is read when the model is judged.
"""

import os
import re
from dataclasses import dataclass
from itertools import chain

from indexer.domain.bundles import MODEL_INDEX, Weights, index_names, index_of, shard
from indexer.domain.found import FoundPath
from indexer.sources.listing import Listing

__all__ = ["COMPONENT", "Bundle", "is_component_weight", "take_folder", "take_shards", "without_component"]

COMPONENT = re.compile(
    rb"(unet|transformer|vae|text_encoder|image_encoder|prior|decoder|controlnet|vqgan|movq)(_[0-9]+)?"
)
"""Folders that pipelines keep weights in; others are components where a configuration lies in them too."""

_CONFIG = b"config.json"
_SETTINGS = (_CONFIG, b"scheduler_config.json")
_PLAIN = (b"diffusion_pytorch_model", b"pytorch_model", b"model")
_VARIANTS = (b"", b".fp16", b".bf16")
"""Which of several complete copies is read: full precision as published, then halves, then any other."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """Several files that are one model.

    ``name`` is the file in ``directory`` that stands for it, ``parts`` its weights, ``settings`` the files
    that say how they belong together, ``stems`` the names under which sidecars and previews may lie in the
    folder (best first), ``folder`` whether it is the folder itself, ``components`` its paths below that hold
    parts.
    """

    name: bytes
    parts: tuple[FoundPath, ...]
    settings: tuple[FoundPath, ...]
    stems: tuple[bytes, ...]
    folder: bool = False
    components: frozenset[bytes] = frozenset()


def take_shards(listing: Listing) -> list[Bundle]:
    """The sharded models of a folder; their shards leave ``listing.models``.

    An index without shards stands for what is missing, unless other models in the folder say that its
    weights are simply kept in another form.
    """
    groups: dict[Weights, dict[int, list[bytes]]] = {}
    for name in listing.models:
        part = shard(name) if b"-of-" in name else None
        if part:
            groups.setdefault(part.weights, {}).setdefault(part.total, []).append(name)
    indexes = {of: n for n in listing.others if b".index" in n and (of := index_of(n)) is not None}
    alone = not listing.models
    bundles = [
        _sharded(listing, index, sorted(chain(*groups.pop(of, {}).values())), index)
        for of, index in indexes.items()
        if alone or of in groups
    ]
    for totals in groups.values():
        for names in totals.values():
            part = shard(names[0])
            if part:
                bundles.append(_sharded(listing, part.sibling(1), sorted(names), None))
    return bundles


def _sharded(listing: Listing, name: bytes, shards: list[bytes], index: bytes | None) -> Bundle:
    parts = tuple(listing.model(part) for part in shards)
    for part in shards:
        del listing.models[part]
    own = index_of(name) or getattr(shard(name), "weights", None)
    settings = (listing.others[index],) if index else ()
    return Bundle(name, parts, settings, (own.stem,) if own else ())


def take_folder(listing: Listing) -> Bundle | None:
    """The diffusers pipeline that a folder is, or ``None``.

    Costs one more listing for each subfolder. Raises ``OSError`` when one of them cannot be read.
    """
    if MODEL_INDEX not in listing.others:
        return None
    parts: list[FoundPath] = []
    settings = [listing.others[MODEL_INDEX]]
    components = set()
    for path in sorted(listing.folders.values()):
        inner = Listing(path)
        settings += [inner.others[name] for name in _SETTINGS if name in inner.others]
        known = _CONFIG in inner.others or COMPONENT.fullmatch(os.path.basename(path))
        chosen = _chosen(inner) if known else None
        if chosen:
            settings += [inner.others[n] for n in index_names(chosen[0]) if n in inner.others]
            parts += chosen[1]
            if not os.path.islink(path):  # a linked folder is listed where it really is
                components.add(path)
    if not parts:
        return None
    stems = (b"preview", os.path.basename(listing.directory), MODEL_INDEX.partition(b".")[0])
    return Bundle(MODEL_INDEX, tuple(parts), tuple(settings), stems, True, frozenset(components))


def without_component(listing: Listing) -> None:
    """Leave out what the pipeline above already took: the weights of a component, and their indexes."""
    listing.models = {name: s for name, s in listing.models.items() if not is_component_weight(name)}
    listing.others = {name: path for name, path in listing.others.items() if index_of(name) is None}


def is_component_weight(name: bytes) -> bool:
    """Whether a file is called as diffusers and transformers call the weights of a component."""
    return _component_weight(name) is not None


def _component_weight(name: bytes) -> Weights | None:
    part = shard(name)
    stem, suffix = part.weights if part else os.path.splitext(name)
    suffix = suffix.lower().lstrip(b".")
    known = suffix in (b"safetensors", b"bin") and stem.partition(b".")[0] in _PLAIN
    return Weights(stem, suffix) if known else None


def _chosen(listing: Listing) -> tuple[Weights, list[FoundPath]] | None:
    """The copy of a component's weights to read: complete, safetensors, of the plainest variant."""
    copies: dict[tuple[Weights, int], list[bytes]] = {}
    for name in listing.models:
        named = _component_weight(name)
        if named:
            part = shard(name)
            copies.setdefault((named, part.total if part else 1), []).append(name)
    if not copies:
        return None
    (best, _), names = min(copies.items(), key=lambda item: (len(item[1]) < item[0][1], *_order(item[0][0])))
    return best, [listing.model(name) for name in sorted(names)]


def _order(copy: Weights) -> tuple[bool, int, bytes]:
    variant = copy.stem[len(copy.stem.partition(b".")[0]) :]
    place = _VARIANTS.index(variant) if variant in _VARIANTS else len(_VARIANTS)
    return copy.suffix != b"safetensors", place, copy.stem
