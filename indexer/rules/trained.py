"""Which parts does an adapter train? Text encoders, groups of blocks, and what inside them.

The words are in ``indexer/data/trained.toml``. A template is read once, ever; of single names only the number
of the block is looked at.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from itertools import compress, islice
from typing import NamedTuple

from indexer.domain.verdict import TrainedPart
from indexer.domain.vocabulary import read_table
from indexer.rules.modules import Role
from indexer.rules.profile import Profile

__all__ = ["named_parts", "trained_parts"]

_MOST_TENSORS = 100_000
_MOST_BLOCKS = 10_000
_SIDE = frozenset({"alpha", "scale", "rescale", "reshape", "bias", "diff_b", "magnitude"})
"""Factors that stand beside others: their modules are known without them."""
_NUMBER = re.compile("[0-9]{1,4}")
_ENCODER = re.compile(r"(?:lora_te|text_encoder_)([0-9])")
_NAMED = re.compile(r"text_encoders\.([a-z0-9_]{1,20})\.")
_EMBEDDED = "bundle_emb."


class _Place(NamedTuple):
    """Where a template's modules stand: group of blocks, layer, and where in the name the block's number is.

    ``start`` is the offset of that number when no other stands before it, else ``before`` counts those.
    """

    group: str
    layer: str
    start: int
    before: int


@cache
def _groups() -> tuple[re.Pattern[str], Mapping[str, str]]:
    titles = {word: title for word, title in read_table("trained.toml")["blocks"].items() if word != "why"}
    words = "|".join(sorted(titles, key=lambda word: (-len(word), word)))
    return re.compile(rf"(?:^|_)({words})(?=_|$)"), titles


@cache
def _layers() -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((row["name"], tuple(row["words"])) for row in read_table("trained.toml")["layer"])


@lru_cache(maxsize=50_000)
def _place(template: str, prefix: str, dots: int) -> _Place:
    cut = len(prefix)
    flat = template[cut:].rsplit(".", dots)[0].replace(".", "_").lower()
    pattern, titles = _groups()
    found = pattern.search(flat)
    group = titles[found[1]] if found else ""
    numbered = found and group != "middle" and flat[found.end() : found.end() + 2] == "_#"
    start = cut + found.end() + 1 if found and numbered else -1
    return _Place(group, _layer(flat, group), start, template[: max(0, start)].count("#"))


def _layer(flat: str, group: str) -> str:
    if group in read_table("trained.toml")["unet"]["blocks"]:
        flat = flat.replace("attentions_", "")  # every module of a UNet's transformer stands below that word
        if "proj_out" in flat:
            return "projection"
    padded = f"_{flat}_"
    return next((name for name, words in _layers() if any(word in padded for word in words)), "other")


def _component(name: str) -> tuple[str, str | None]:
    """Part and encoder: trainers number encoders in the order of the model, ComfyUI names them."""
    number = _ENCODER.match(name)
    if number and number[1] not in "01":
        return f"text_encoder_{number[1]}", None
    named = _NAMED.match(name)
    return "text_encoder", read_table("trained.toml")["encoders"].get(named[1]) if named else None


def trained_parts(profile: Profile, roles: Mapping[str, Role]) -> tuple[TrainedPart, ...]:
    """The parts that an adapter changes, the denoiser first. One pass over the names."""
    blocks: dict[tuple[str, str | None], dict[str, set[int]]] = {}
    layers: dict[tuple[str, str | None], dict[str, None]] = {}
    for template, names in _by_template(profile, roles).items():
        role = roles[template]
        place = _place(template, role.prefix, role.dots)
        for part, mine in _by_component(names, role).items():
            groups = blocks.setdefault(part, {})
            if place.group:
                groups.setdefault(place.group, set()).update(_numbers(mine, place))
            layers.setdefault(part, {})[place.layer] = None
    found = [
        TrainedPart(*part, _ranges(blocks[part]), _ordered(layers[part])) for part in sorted(layers, key=str)
    ]
    if any(template.startswith(_EMBEDDED) for template in profile.counts):
        found.append(TrainedPart("embedding", None, (), ()))
    return tuple(found)


def named_parts(parts: Iterable[TrainedPart], encoders: Sequence[str]) -> tuple[TrainedPart, ...]:
    """The parts with the ids of their encoders, of which ``encoders`` are the architecture's, in order."""
    return tuple(
        part if part.model or not part.part.startswith("text_encoder") else _with_model(part, encoders)
        for part in parts
    )


def _with_model(part: TrainedPart, encoders: Sequence[str]) -> TrainedPart:
    position = int(part.part[-1]) - 1 if part.part[-1].isdigit() else 0
    return replace(part, model=encoders[position]) if position < len(encoders) else part


def _by_template(profile: Profile, roles: Mapping[str, Role]) -> dict[str, list[str]]:
    wanted: dict[str, list[str]] = {
        template: [] for template, role in roles.items() if role.slot not in _SIDE and role.slot != "up"
    }
    chosen = list(map(wanted.__contains__, islice(profile.templates, _MOST_TENSORS)))
    names, templates = compress(profile.names, chosen), compress(profile.templates, chosen)
    for name, template in zip(names, templates, strict=True):
        wanted[template].append(name)
    return {template: names for template, names in wanted.items() if names}


def _by_component(names: list[str], role: Role) -> Mapping[tuple[str, str | None], list[str]]:
    if role.part == "denoiser":
        return {("denoiser", None): names}
    found: dict[tuple[str, str | None], list[str]] = {}
    for name in names:
        found.setdefault(_component(name), []).append(name)
    return found


def _numbers(names: list[str], place: _Place) -> Iterable[int]:
    """The block numbers of names of one template."""
    if place.start < 0:
        return ()
    if place.before == 0:
        heads = {name[place.start : place.start + 4] for name in names}
        return [number for number in map(_leading_number, heads) if number is not None]
    every = (islice(_NUMBER.finditer(name), place.before, place.before + 1) for name in names)
    return {int(match[0]) for matches in every for match in matches}


@lru_cache(maxsize=20_000)
def _leading_number(head: str) -> int | None:
    match = _NUMBER.match(head)
    return int(match[0]) if match else None


def _ranges(groups: Mapping[str, set[int]]) -> tuple[str, ...]:
    order = list(dict.fromkeys(_groups()[1].values()))
    named = sorted(groups.items(), key=lambda item: order.index(item[0]))
    return tuple(f"{group} {spans}" if (spans := _spans(found)) else group for group, found in named)


def _spans(numbers: set[int]) -> str:
    """``0-3, 5`` of {0, 1, 2, 3, 5}."""
    spans: list[list[int]] = []
    for number in sorted(numbers)[:_MOST_BLOCKS]:
        if spans and spans[-1][1] == number - 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in spans[:50])


def _ordered(layers: Mapping[str, None]) -> tuple[str, ...]:
    order = [name for name, _ in _layers()]
    return tuple(sorted(layers, key=lambda name: order.index(name) if name in order else len(order)))
