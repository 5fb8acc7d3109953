"""All texts of an image, read as one record: which dialect each is in, and whose word counts most."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from indexer.domain.generation import GenerationRecord
from indexer.parsers.generation.a1111 import read_infotext
from indexer.parsers.generation.civitai import is_extra_metadata, read_civitai_meta, read_extra_metadata
from indexer.parsers.generation.comfy_graph import is_prompt
from indexer.parsers.generation.comfy_workflow import is_workflow
from indexer.parsers.generation.comfyui import read_graphs
from indexer.parsers.generation.draft import UNKNOWN, Draft
from indexer.parsers.generation.drawthings import is_drawthings, read_drawthings
from indexer.parsers.generation.flat import field_keys, read_flat, software
from indexer.parsers.generation.fooocus import is_fooocus, read_fooocus
from indexer.parsers.generation.invokeai import is_invokeai, read_dream, read_invokeai
from indexer.parsers.generation.json_text import load, looks_like_json
from indexer.parsers.generation.models import fold
from indexer.parsers.generation.novelai import is_novelai, read_novelai
from indexer.parsers.generation.stability_matrix import (
    is_project,
    is_stability_matrix,
    read_project,
    read_stability_matrix,
)
from indexer.parsers.generation.swarmui import is_swarmui, read_swarmui
from indexer.parsers.generation.tensorart import is_tensorart, read_tensorart
from indexer.parsers.image_chunks import TextChunk

__all__ = ["read_generation", "record_of_civitai"]

_OBJECTS: tuple[tuple[Callable[[dict[str, Any]], bool], Callable[[dict[str, Any]], Draft]], ...] = (
    (is_swarmui, read_swarmui),
    (is_stability_matrix, read_stability_matrix),
    (is_project, read_project),
    (is_novelai, read_novelai),
    (is_drawthings, read_drawthings),
    (is_tensorart, read_tensorart),
    (is_invokeai, read_invokeai),
    (is_fooocus, read_fooocus),
)
"""Dialects of JSON, the surest marks first."""

_PROMPT_KEYWORDS = frozenset(("prompt", "parameters", "positiveprompt", "generationdata", "positive"))
_SOFTWARE = ("Software", "xmp:CreatorTool")
_GRAPHS = frozenset(("prompt", "workflow", "graph", "comfyui", "generationdata"))
_NESTED = ("prompt", "workflow")
_FEWEST_KEYS = 3
_MAX_NESTING = 3
_MAX_RAW = 1 << 20
_SECOND = re.compile(r"#\d+$")


class _Reading:
    """One image's texts on their way into a record."""

    def __init__(self, size: tuple[int, int] | None) -> None:
        self.size = size
        self.told: list[Draft] = []  # dialects that state settings, in order of trust
        self.texts: dict[str, str] = {}
        self.graphs: dict[str, Any] = {}
        self.notes = Draft()

    def read(self, keyword: str, text: str, depth: int = 0) -> None:
        """Read one text; what no dialect knows is kept."""
        known = self._object(keyword, text, depth) if looks_like_json(text) else False
        if known:
            return
        draft = read_infotext(text)
        if draft is None and fold(keyword) == "dream":
            draft = read_dream(text)
        if draft is None and fold(keyword) in _PROMPT_KEYWORDS and not looks_like_json(text):
            draft = Draft(prompt=text.strip())
        if draft is None:
            self.keep(keyword, text)
        else:
            self.told.append(draft)

    def keep(self, keyword: str, text: str) -> None:
        """Keep a text that was not understood; of equal keywords the second gets a number."""
        name = keyword
        while name in self.texts and self.texts[name] != text:
            number = int(name.rpartition("#")[2]) + 1 if _SECOND.search(name) else 2
            name = f"{keyword}#{number}"
        if len(text) > _MAX_RAW:
            self.notes.warn(
                "value_truncated", f"{keyword[:40]!a} has {len(text)} characters; the rest was cut"
            )
        self.texts[name] = text[:_MAX_RAW]

    def _object(self, keyword: str, text: str, depth: int) -> bool:
        """Read a text of JSON; True where some dialect knew it, or where its fault was told."""
        trial = Draft()
        value = load(text, trial, "workflow_json" if fold(keyword) in _GRAPHS else "json")
        if value is None and read_infotext(text) is not None:
            return False  # a prompt that is itself an object, with a settings line below it
        self.notes.warnings |= trial.warnings
        if self._value(keyword, text, value, depth):
            return True
        if fold(keyword) in _GRAPHS:
            self.notes.warn("workflow_json", f"{keyword[:40]!a} is no graph that can be read; kept as text")
            self.keep(keyword, text)
            return True
        return False

    def _value(self, keyword: str, text: str, value: Any, depth: int) -> bool:
        if not isinstance(value, dict):
            return False
        if is_prompt(value) or is_workflow(value):
            self._graph("prompt" if is_prompt(value) else "workflow", value, text, depth)
            return True
        for knows, read in _OBJECTS:
            if knows(value):
                self.told.append(read(value))
                return True
        if depth < _MAX_NESTING and any(_is_graph(value.get(name)) for name in _NESTED):
            self._nested(value, depth)
            return True
        if len(field_keys() & {fold(key) for key in value}) >= _FEWEST_KEYS:
            draft = Draft(software(value.get("software")) or UNKNOWN)
            read_flat(value, draft)
            self.told.append(draft)
            return True
        return False

    def _graph(self, name: str, value: Mapping[str, Any], text: str, depth: int) -> None:
        """Keep a graph, as text too: it is too large to be worth taking apart. The first of a kind counts."""
        self.graphs.setdefault(name, value)
        if not depth:
            self.keep(name, text)
        if is_extra_metadata(dict(value)):
            self.told.append(read_extra_metadata(dict(value)))

    def _nested(self, value: Mapping[str, Any], depth: int) -> None:
        """``{"prompt": {graph}, "workflow": {graph}}`` in one text, as SaveImagePlus and Civitai write it."""
        for name, item in value.items():
            if isinstance(item, str):
                self.read(name, item, depth + 1)
            elif _is_graph(item):
                self._graph(name, item, "", depth + 1)
        self.notes.raw |= {name: item for name, item in value.items() if not isinstance(item, str)}

    def finish(self) -> GenerationRecord | None:
        """The record of all that was read; None where the image tells nothing of its making."""
        result = Draft()
        for draft in sorted(self.told, key=lambda draft: draft.generator == UNKNOWN):
            result.fill(draft)
        if self.graphs:
            result.fill(read_graphs(self.graphs.get("prompt"), self.graphs.get("workflow"), self.size))
        faulty = bool({"workflow_json", "json_nan"} & self.notes.warnings.keys())
        if not result.tells() and not self.graphs and not faulty:
            return None
        result.fill(self.notes)
        if result.generator == UNKNOWN:
            named = (software(self.texts.get(key)) for key in _SOFTWARE)
            result.generator = next((name for name in named if name), "comfyui" if faulty else UNKNOWN)
        if self.texts:
            result.raw["texts"] = self.texts
        return result.record()


def _is_graph(value: Any) -> bool:
    return is_prompt(value) or is_workflow(value) or (isinstance(value, str) and '"class_type"' in value)


def read_generation(
    chunks: Iterable[TextChunk], size: tuple[int, int] | None = None
) -> GenerationRecord | None:
    """The generation record of an image's texts; None where they tell nothing of how it was made.

    ``size`` is the picture's, in pixels. What is broken becomes a warning of the record: ``json``,
    ``json_nan``, ``workflow_json``, ``prompt_partial``, ``many_models``, ``many_nodes``, ``value_truncated``.
    Never raises.
    """
    listed = list(chunks)
    texts: dict[str, str] = {}
    for chunk in listed:
        texts.setdefault(chunk.keyword, chunk.text)
    reading = _Reading(size)
    listed = _read_keywords(listed, texts, reading)
    if is_novelai(texts):
        reading.told.append(read_novelai(texts))
        listed = [chunk for chunk in listed if chunk.keyword not in ("Comment", "Source")]
    for chunk in listed:
        reading.read(chunk.keyword, chunk.text)
    return reading.finish()


def _read_keywords(listed: list[TextChunk], texts: dict[str, str], reading: _Reading) -> list[TextChunk]:
    """Easy Diffusion writes a text for each setting: ``prompt``, ``seed``, ``num_inference_steps``, …"""
    known = {fold(key) for key, text in texts.items() if not looks_like_json(text)} & field_keys()
    if len(known) < _FEWEST_KEYS or not known & {"seed", "steps", "numinferencesteps"}:
        return listed
    draft = Draft("easydiffusion" if any("stable" in key.casefold() for key in texts) else UNKNOWN)
    read_flat(texts, draft)
    reading.told.append(draft)
    return []


def record_of_civitai(meta: Any) -> GenerationRecord | None:
    """The record of an image's ``meta`` in Civitai's API, in both shapes; None where it tells nothing."""
    if not isinstance(meta, dict):
        return None
    draft = read_civitai_meta(meta)
    return draft.record() if draft.tells() else None
