"""A stack made ready to be loaded somewhere: files by the names that loaders know, words, settings. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from search.stack_table import (
    DrawRow,
    export_number,
    negative_words,
    sampler_id,
    scheduler_id,
)

__all__ = ["Ingredient", "Recipe", "Settings", "called_by", "is_negative", "prompts_of", "settings_of"]

_WORD = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Ingredient:
    """A model as tools load it. ``file`` is its path below the folder of its category, with ``/`` between
    names; None where no file of it is here. ``encoders``: it changes text encoders too. ``negative``: an
    embedding for the negative prompt. ``held``: the library has it. ``hashes`` are SHA-256, AutoV2 … by
    name, as far as measured; ``addresses`` where it is published; ``tower`` is the image encoder through
    which it looks at a picture."""

    name: str
    kind: str
    file: str | None
    id: int | None = None
    version: str = ""
    architecture: str | None = None
    weight: float = 1.0
    triggers: tuple[str, ...] = ()
    encoders: bool = False
    negative: bool = False
    held: bool = True
    hashes: Mapping[str, str] = field(default_factory=dict)
    addresses: tuple[str, ...] = ()
    tower: "Ingredient | None" = None


@dataclass(frozen=True, slots=True)
class Settings:
    """How to sample, by ComfyUI's names. ``told`` names the settings that pictures told; the others are what
    is usual for the architecture. ``batch`` pictures are drawn at once."""

    steps: int
    cfg: float
    sampler: str
    scheduler: str
    width: int
    height: int
    guidance: float | None = None
    length: int | None = None
    fps: int | None = None
    batch: int = 1
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipe:
    """All of it. ``encoders`` and ``vae`` are loaded beside the base where it does not hold them; ``clip`` is
    the type of the encoders' loader, ``latent`` the node of the empty picture. ``unclip``: the base draws a
    picture anew. ``notes`` are sentences about what could not be put in."""

    base: Ingredient
    architecture: str
    addons: tuple[Ingredient, ...]
    encoders: tuple[Ingredient, ...]
    vae: Ingredient | None
    clip: str
    latent: str
    settings: Settings
    positive: str
    negative: str
    notes: tuple[str, ...] = ()
    unclip: bool = False


def called_by(triggers: Sequence[str], spoken: Sequence[Mapping[str, Any]] = ()) -> tuple[str, ...]:
    """The trigger words that a prompt should hold: what most pictures say, else the first few.

    ``spoken`` are ``{word, share}`` of the resource graph.
    """
    most = [str(row["word"]) for row in spoken if row["share"] >= export_number("spoken")]
    return tuple(most) or tuple(triggers[: int(export_number("words"))])


def prompts_of(addons: Iterable[Ingredient]) -> tuple[str, str]:
    """The positive and the negative prompt: trigger words, and embeddings by their names."""
    positive: dict[str, None] = {}
    negative: dict[str, None] = {}
    for addon in addons:
        target = negative if addon.negative else positive
        target |= dict.fromkeys(_phrases(addon))
    return ", ".join(positive), ", ".join(negative)


def _phrases(addon: Ingredient) -> Iterator[str]:
    if addon.kind == "textual_inversion":
        if addon.file:
            stem = addon.file.rpartition(".")[0] or addon.file
            yield f"embedding:{stem}" if addon.weight == 1 else f"(embedding:{stem}:{addon.weight:g})"
        return
    for words in addon.triggers:
        yield from (phrase.strip() for phrase in words.split(",") if phrase.strip())


def is_negative(*texts: str) -> bool:
    """Whether names and tags tell an embedding for the negative prompt."""
    return any(negative_words() & set(_WORD.findall(text.casefold())) for text in texts)


def settings_of(row: DrawRow, usage: Mapping[str, Any]) -> Settings:
    """The settings: of the pictures that use the base where enough of them agree, else the usual ones.

    ``usage`` is what the resource graph tells of the base (``{records, settings {NAME: {value, share}}}``).
    """
    width, height = row.size
    plain = Settings(
        row.steps,
        row.cfg,
        row.sampler,
        row.scheduler,
        width,
        height,
        row.guidance,
        row.length,
        row.fps,
    )
    if usage.get("records", 0) < export_number("records"):
        return plain
    told = {
        name: told["value"]
        for name, told in usage.get("settings", {}).items()
        if told["share"] >= export_number("share")
    }
    found = dict(_told(row, told))
    return replace(plain, **found, told=tuple(found))


def _told(row: DrawRow, told: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if isinstance(told.get("steps"), int) and 1 <= told["steps"] <= 200:
        yield "steps", told["steps"]
    cfg = told.get("cfg")
    if isinstance(cfg, int | float) and 0 < cfg <= 30:
        # Tools write the guidance of distilled models where others have cfg.
        if row.guidance is None:
            yield "cfg", float(cfg)
        elif cfg > 1:
            yield "guidance", float(cfg)
    sampler, scheduler = sampler_id(str(told.get("sampler", "")))
    if sampler is not None:
        yield "sampler", sampler
        scheduler = scheduler_id(str(told.get("scheduler", ""))) or scheduler
        if scheduler is not None:
            yield "scheduler", scheduler
