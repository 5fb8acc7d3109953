"""``stack_export.toml``, asked by id: how an architecture is drawn with, what ComfyUI's nodes look like."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

__all__ = [
    "DrawRow",
    "NodeRow",
    "draw_row",
    "export_number",
    "negative_words",
    "node_row",
    "refusal",
    "sampler_id",
    "sampler_name",
    "scheduler_id",
    "scheduler_name",
    "shipped_part",
    "unwired",
]


@cache
def _table() -> Mapping[str, Any]:
    text = (resources.files("search.data") / "stack_export.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@dataclass(frozen=True, slots=True)
class DrawRow:
    """How pictures of an architecture are drawn. ``clip`` is the type of its encoders' loader, ``latent`` the
    node of the empty picture, ``size`` in pixels; ``length`` (frames) and ``fps`` are for video only;
    ``unclip``: it draws a picture anew, through the image encoder of its checkpoint."""

    clip: str
    latent: str
    size: tuple[int, int]
    steps: int
    cfg: float
    sampler: str
    scheduler: str
    guidance: float | None = None
    length: int | None = None
    fps: int | None = None
    unclip: bool = False


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A node of ComfyUI: ``inputs`` are (name, type) of links, ``optional`` those that may stay open,
    ``widgets`` the values in the editor's order, ``outputs`` types; ``package`` is what it comes with where
    it is not ComfyUI's own."""

    id: str
    inputs: tuple[tuple[str, str], ...]
    widgets: tuple[str, ...]
    outputs: tuple[str, ...]
    optional: tuple[str, ...] = ()
    package: str = ""


@cache
def _draws() -> Mapping[str, DrawRow]:
    found: dict[str, DrawRow] = {}
    for row in _table()["architecture"]:
        values = {name: value for name, value in row.items() if name not in ("ids", "why")}
        drawn = DrawRow(**{**values, "size": tuple(row["size"])})
        found |= dict.fromkeys(row["ids"], drawn)
    return found


@cache
def _refused() -> Mapping[str, str]:
    return {id_: row["why"] for row in _table()["refused"] for id_ in row["ids"]}


def draw_row(path: Sequence[str]) -> DrawRow | None:
    """The row of an architecture by its path from the root; None where none is known, or it is refused."""
    for step in reversed(path):
        if step in _refused():
            return None
        if step in _draws():
            return _draws()[step]
    return None


def refusal(path: Sequence[str]) -> str | None:
    """Why no graph from text alone is made for an architecture; None where that is not why."""
    return next((_refused()[step] for step in reversed(path) if step in _refused()), None)


def unwired(kind: str, path: Sequence[str], file: str = "") -> str | None:
    """Why the graph leaves a file of a kind out on an architecture (its path from the root); None where it is
    wired."""
    for row in _table()["unwired"]:
        named = row.get("named", "") in file.lower()
        if kind in row["kinds"] and named and not set(path) & set(row.get("but_on", ())):
            return str(row["why"])
    return None


def shipped_part(options: Sequence[str]) -> str | None:
    """The name under which a part is shipped for ComfyUI: of the first of ``options`` that has one."""
    names = {row["id"]: str(row["file"]) for row in _table()["part"]}
    return next((names[option] for option in options if option in names), None)


@cache
def _nodes() -> Mapping[str, NodeRow]:
    return {
        row["id"]: NodeRow(
            row["id"],
            tuple((name, type_) for name, type_ in row["inputs"]),
            tuple(row["widgets"]),
            tuple(row["outputs"]),
            tuple(row.get("optional", ())),
            row.get("package", ""),
        )
        for row in _table()["node"]
    }


def node_row(class_type: str) -> NodeRow:
    """The node of that name. Raises ``KeyError`` for one that the table does not have."""
    return _nodes()[class_type]


def export_number(name: str) -> float:
    """One of the single numbers."""
    value: float = _table()["numbers"][name]["value"]
    return value


def negative_words() -> frozenset[str]:
    """Words that tell an embedding for the negative prompt."""
    return frozenset(_table()["negative"]["words"])


# ---------------------------------------------------------------- samplers


def _folded(text: str) -> str:
    return "".join(sign for sign in text.casefold() if sign.isalnum() or sign == "+")


@cache
def _spelled(table: str) -> Mapping[str, str]:
    """Every spelling of an id, folded -> the id."""
    return {
        _folded(spelling): row["id"] for row in _table()[table] for spelling in (row["id"], *row["names"])
    }


def sampler_id(text: str) -> tuple[str | None, str | None]:
    """ComfyUI's (sampler, scheduler) for what any tool calls it: ``DPM++ 2M Karras``. None for what nobody
    knows, and for a scheduler that the text does not name."""
    folded = _folded(text)
    samplers = _spelled("sampler")
    if folded in samplers:
        return samplers[folded], None
    for ending, scheduler in _spelled("scheduler").items():
        if folded.endswith(ending) and folded.removesuffix(ending) in samplers:
            return samplers[folded.removesuffix(ending)], scheduler
    return None, None


def scheduler_id(text: str) -> str | None:
    """ComfyUI's scheduler for what any tool calls it."""
    return _spelled("scheduler").get(_folded(text))


def sampler_name(id_: str) -> str:
    """A1111's name of a sampler, else the id."""
    return _named("sampler", id_)


def scheduler_name(id_: str) -> str:
    """A1111's name of a scheduler, else the id."""
    return _named("scheduler", id_)


def _named(table: str, id_: str) -> str:
    return next((str(row["names"][0]) for row in _table()[table] if row["id"] == id_), id_)
