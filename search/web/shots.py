"""Previews on a model's page: each with how it was made, ready to be copied."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from search.web.clean import plain
from search.web.words import kind_title

__all__ = ["Shot", "record_view", "shots_of"]

_GENERATORS = {"a1111": "A1111", "comfyui": "ComfyUI", "invokeai": "InvokeAI", "swarmui": "SwarmUI"}


@dataclass(frozen=True, slots=True)
class Shot:
    """A preview: ``row`` is that of the details; ``record`` as ``record_view`` tells it, None without one."""

    row: Mapping[str, Any]
    record: Mapping[str, Any] | None


def shots_of(rows: Iterable[Mapping[str, Any]], kept_back: Collection[str]) -> list[Shot]:
    """The previews that can be shown. Models hidden for a reason in ``kept_back`` get no link."""
    return [
        Shot(row, record_view(row["generation"], kept_back) if row["generation"] else None)
        for row in rows
        if row["status"] == "ok"
    ]


def record_view(record: Mapping[str, Any], kept_back: Collection[str] = ()) -> dict[str, Any]:
    """A record for a template: ``{generator, prompt, negative, settings [(name, value)], models, whole}``;
    ``whole`` is all of it as A1111 writes it, which most tools read when it is pasted."""
    settings = list(_settings(record))
    return {
        "generator": _generator(record["generator"]),
        "prompt": record["prompt"],
        "negative": record["negative_prompt"],
        "settings": settings,
        "models": [_model(one, kept_back) for one in record["models"]],
        "whole": _whole(record["prompt"], record["negative_prompt"], settings),
    }


def _generator(name: str | None) -> str | None:
    if not name or name == "unknown":
        return None
    return _GENERATORS.get(name, name.capitalize())


def _settings(record: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for name, title in (("steps", "Steps"), ("sampler", "Sampler"), ("scheduler", "Schedule type")):
        if record[name] is not None:
            yield title, str(record[name])
    if record["cfg"] is not None:
        yield "CFG scale", f"{record['cfg']:g}"
    if record["seed"] is not None:
        yield "Seed", str(record["seed"])
    if record["width"] and record["height"]:
        yield "Size", f"{record['width']}x{record['height']}"


def _whole(prompt: str | None, negative: str | None, settings: Sequence[tuple[str, str]]) -> str:
    lines = [prompt or ""] + ([f"Negative prompt: {negative}"] if negative else [])
    return plain("\n".join([*lines, ", ".join(f"{name}: {value}" for name, value in settings)]).strip())


def _model(told: Mapping[str, Any], kept_back: Collection[str]) -> dict[str, Any]:
    """``{title, kind, id, here, hash, weight, sure}``; without ``id`` where it is hidden."""
    hidden = bool(set(told["hidden"]) & set(kept_back))
    number = f"Civitai version {told['version_id']}" if told["version_id"] else "a model without a name"
    named = told["name"] or number
    return {
        "title": named if hidden else told["title"] or named,
        "kind": kind_title(told["kind"]),
        "id": None if hidden else told["id"],
        "here": told["here"],
        "hash": told["hash"],
        "weight": told["weight"],
        "sure": told["sure"],
    }
