"""The cast of the demo library, read from ``indexer/data/demo*.toml``: who plays, in what, called what."""

import tomllib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from indexer.errors import UsageError

__all__ = ["Cast", "Part", "load_cast"]

_TABLES = ("demo.toml", "demo_adapters.toml")


@dataclass(frozen=True, slots=True)
class Part:
    """One model of the cast: a row ``[[model]]``. ``styles`` and ``subjects`` name its previews pairwise."""

    path: str
    name: str
    form: str = "adapter"
    kind: str = "lora"
    architecture: str | None = None
    family: str | None = None
    base: str | None = None
    version: str = "v1"
    creator: str = "doorstep"
    category: str | None = "style"
    tags: tuple[str, ...] = ()
    trigger: tuple[str, ...] = ()
    style: str | None = None
    styles: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    naming: str = "preview"
    sidecars: tuple[str, ...] = ()
    recipe: str | None = None
    target: str | None = None
    adapter: str = "lora"
    rank: int = 0
    alpha: float | None = None
    dtype: str = "F16"
    trainer: str = "kohya"
    vectors: Mapping[str, list[int]] = field(default_factory=dict)
    copy_of: str | None = None
    equivalent_of: str | None = None
    bad: str | None = None
    note: str = ""
    real_person: bool = False
    nsfw_level: int = 1
    thumbs_up: int | None = None
    downloads: int | None = None

    @property
    def stem(self) -> str:
        return self.path.rpartition("/")[2].rpartition(".")[0]

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]

    @property
    def number(self) -> int:
        """A stable number for ids and accidents, the same for the same path."""
        return zlib.crc32(self.path.encode())

    @property
    def drawn(self) -> tuple[tuple[str, str], ...]:
        """``(style, subject)`` of each preview."""
        styles = self.styles or (self.style or "film",) * len(self.subjects)
        return tuple(zip(styles, self.subjects, strict=True))


@dataclass(frozen=True, slots=True)
class Cast:
    """All tables, by name: see the comments in ``demo.toml``."""

    parts: tuple[Part, ...]
    subjects: Mapping[str, Mapping[str, Any]]
    styles: Mapping[str, Mapping[str, Any]]
    naming: Mapping[str, Mapping[str, str]]
    bases: Mapping[str, Mapping[str, Any]]
    recipes: Mapping[str, Mapping[str, Any]]
    targets: Mapping[str, Mapping[str, Any]]


def _part(row: Mapping[str, Any]) -> Part:
    # A style is what most adapters teach; other kinds have no category unless told.
    values: dict[str, Any] = {} if row.get("kind", "lora") == "lora" else {"category": None}
    values |= {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    try:
        return Part(**values)
    except TypeError as error:
        raise UsageError(
            "bad_demo_table", f"demo model {row.get('path')!r}: {error}; see cast.py for the columns"
        ) from error


@cache
def load_cast() -> Cast:
    """Both tables as one; read once. Raises ``UsageError`` (``bad_demo_table``) naming the row at fault."""
    folder = files("indexer") / "data"
    tables = [tomllib.loads((folder / name).read_text(encoding="utf-8")) for name in _TABLES]
    parts = tuple(_part(row) for table in tables for row in table["model"])
    first = tables[0]
    return Cast(
        parts,
        first["subjects"],
        first["styles"],
        first["naming"],
        first["bases"],
        first["recipes"],
        first["targets"],
    )
