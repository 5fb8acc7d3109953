"""The words of the catalog, read once from ``indexer/data/*.toml`` into frozen records.

Knowledge stands in the tables, each row with its *why*; this module only reads, types and walks them. Every
function is cached and returns immutable data. A fault in a table is a ``TableError`` that
names the file and the row.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, TypeVar

__all__ = [
    "Algorithm",
    "Architecture",
    "BaseLabel",
    "Family",
    "KeyFormat",
    "Kind",
    "TableError",
    "UnknownIdError",
    "adapter_algorithms",
    "architecture",
    "architecture_path",
    "architectures",
    "base_label",
    "base_labels",
    "common_ancestor",
    "families",
    "is_under",
    "key_formats",
    "kinds",
    "leaves",
    "lookalikes",
    "read_table",
    "trained_architecture",
]


class TableError(ValueError):
    """A table of ``indexer/data`` is at fault; the text names the file, the row and the fault."""


class UnknownIdError(LookupError):
    """Nobody knows this id; the text names the table that lists them."""


_DATA = files("indexer") / "data"
_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class Architecture:
    """A tensor layout: what loads. ``role`` is what the tensors are for; ``abstract`` marks a node that is no
    model itself; ``like`` names a twin that no header can tell apart; ``prior`` weighs it among look-alikes
    before names and claims are heard."""

    id: str
    title: str
    why: str
    parent: str | None = None
    media: str = "image"
    role: str = "denoiser"
    abstract: bool = False
    like: str | None = None
    prior: float = 1.0
    licence: str | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file; ``order`` decides between the marks of several (lowest wins)."""

    id: str
    order: int
    title: str
    why: str


@dataclass(frozen=True, slots=True)
class Family:
    """A lineage of weights: what looks right together. ``names`` are words of titles, ``tags`` of
    captions."""

    id: str
    title: str
    architecture: str
    why: str
    names: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A sort of adapter: how its tensors make up a weight change."""

    id: str
    title: str
    why: str


@dataclass(frozen=True, slots=True)
class KeyFormat:
    """A dialect of tensor names among trainers."""

    id: str
    title: str
    why: str


@dataclass(frozen=True, slots=True)
class BaseLabel:
    """A claimed base model. ``architecture`` is ``None`` for services and for labels that name no model."""

    id: str
    media: str = "image"
    architecture: str | None = None
    family: str | None = None
    ecosystem: str | None = None
    licence: str | None = None
    aliases: tuple[str, ...] = ()


@cache
def read_table(name: str) -> Mapping[str, Any]:
    """One table of ``indexer/data``, for instance ``kinds.toml``, as plain data; read once, not to be
    changed."""
    return tomllib.loads((_DATA / name).read_text(encoding="utf-8"))


def _rows(table: str, data: Mapping[str, Any], record: Callable[..., _Row]) -> Mapping[str, _Row]:
    known = {field.name for field in fields(record)}  # type: ignore[arg-type]
    rows: dict[str, _Row] = {}
    for key, row in data.items():
        if unknown := set(row) - known:
            raise TableError(f"{table}: row {key!r} has unknown columns {sorted(unknown)}; see vocabulary.py")
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
        rows[key] = record(id=key, **values)
    return MappingProxyType(rows)


@cache
def architectures() -> Mapping[str, Architecture]:
    """All architectures by id, parents before their children, in the order of the table."""
    return _rows("architectures.toml", read_table("architectures.toml"), Architecture)


@cache
def kinds() -> Mapping[str, Kind]:
    """All kinds of files by id."""
    return _rows("kinds.toml", read_table("kinds.toml"), Kind)


@cache
def families() -> Mapping[str, Family]:
    """All families by id."""
    return _rows("families.toml", read_table("families.toml"), Family)


@cache
def adapter_algorithms() -> Mapping[str, Algorithm]:
    """All sorts of adapters by id."""
    return _rows("adapters.toml", read_table("adapters.toml")["algorithms"], Algorithm)


@cache
def key_formats() -> Mapping[str, KeyFormat]:
    """All dialects of adapter names by id."""
    return _rows("adapters.toml", read_table("adapters.toml")["formats"], KeyFormat)


@cache
def base_labels() -> Mapping[str, BaseLabel]:
    """All base labels by their spelling, Civitai's first."""
    return _rows("base_labels.toml", read_table("base_labels.toml"), BaseLabel)


def base_label(text: str) -> BaseLabel | None:
    """The label that ``text`` spells, whatever its case; also understands the spellings of other tools."""
    return _label_index().get(" ".join(text.lower().split()))


@cache
def _label_index() -> Mapping[str, BaseLabel]:
    index = {label.id.lower(): label for label in base_labels().values()}
    for label in base_labels().values():
        for alias in label.aliases:
            index.setdefault(alias.lower(), label)
    return index


def architecture(architecture_id: str) -> Architecture:
    """The record of an id. Raises ``UnknownIdError``."""
    try:
        return architectures()[architecture_id]
    except KeyError:
        raise UnknownIdError(
            f"no architecture {architecture_id!r}: see indexer/data/architectures.toml"
        ) from None


@cache
def architecture_path(architecture_id: str) -> tuple[str, ...]:
    """The way from the root of the tree: ``flux1-kontext-dev`` -> ``flux1, flux1-dev, flux1-kontext-dev``."""
    parent = architecture(architecture_id).parent
    return (*(architecture_path(parent) if parent else ()), architecture_id)


def is_under(architecture_id: str, ancestor: str) -> bool:
    """Whether ``architecture_id`` is ``ancestor`` or stands below it."""
    return ancestor in architecture_path(architecture_id)


@cache
def leaves(architecture_id: str) -> tuple[str, ...]:
    """The ids without children at or below ``architecture_id``, in the order of the table."""
    parents = {row.parent for row in architectures().values()}
    return tuple(key for key in architectures() if key not in parents and is_under(key, architecture_id))


@cache
def lookalikes(architecture_id: str) -> frozenset[str]:
    """All ids whose tensors are identical to those of ``architecture_id``, itself included."""
    original = architecture(architecture_id).like or architecture_id
    twins = {key for key, row in architectures().items() if row.like == original}
    return frozenset(twins | {original, architecture_id})


def common_ancestor(ids: frozenset[str] | set[str]) -> str | None:
    """The deepest node above (or at) all ``ids``; ``None`` when they have different roots or are none."""
    paths = [architecture_path(key) for key in ids]
    common: str | None = None
    for step in zip(*paths, strict=False):
        if len(set(step)) > 1:
            break
        common = step[0]
    return common


def trained_architecture(text: str) -> str | None:
    """The architecture that trainers and tools mean by ``text``.

    Understands ``ss_base_model_version`` of kohya's and musubi's trainers, ``modelspec.architecture`` (any
    suffix such as ``/lora`` is ignored), ``general.architecture`` of GGUF and SwarmUI's ids. Not
    case-sensitive."""
    return _trainer_index().get(text.strip().lower().partition("/")[0])


@cache
def _trainer_index() -> Mapping[str, str]:
    table = read_table("trainers.toml")["spellings"]
    return {spelling.lower(): key for key, spellings in table.items() for spelling in spellings}
