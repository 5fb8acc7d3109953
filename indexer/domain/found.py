"""What a source finds and what the pipeline makes of it, on its way into the catalog."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from indexer.domain.claims import ClaimSet
from indexer.domain.header import Program
from indexer.domain.verdict import Verdict

__all__ = ["FoundFile", "FoundPath", "Judged", "Problem", "WalkProblem"]


@dataclass(frozen=True, slots=True)
class FoundPath:
    """A file beside a model file: absolute path as bytes (names need not be UTF-8), size, mtime in ns.

    A picture from inside the model file is kept under home: ``original`` is its name there, ``path`` names
    its content.
    """

    path: bytes
    size: int
    mtime_ns: int
    original: str | None = None


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A model found on disk, with what lies beside it: one file, or several that are one model (a bundle).

    ``directory`` is relative to the root, ``name`` the file's name, both as bytes. ``inode`` is
    ``st_dev:st_ino``. ``sidecars`` are (suffix, path) pairs; ``previews`` are in order of preference.
    ``surroundings`` is a digest that changes when anything beside the file changes, or what its folder and
    its tool say of it; not when all of it moves together.

    A bundle's ``parts`` are its weight files; ``path`` and ``name`` are those of the file that stands for it
    (index, ``model_index.json``, first shard), ``inode`` that of the first part, ``size`` the sum of the
    parts, ``mtime_ns`` the newest time, and ``surroundings`` also covers the parts and the files that say how
    they belong together.
    """

    path: bytes
    directory: bytes
    name: bytes
    size: int
    mtime_ns: int
    inode: str
    sidecars: tuple[tuple[str, FoundPath], ...]
    previews: tuple[FoundPath, ...]
    surroundings: str
    claims: tuple[ClaimSet, ...] = ()
    parts: tuple[FoundPath, ...] = ()


@dataclass(frozen=True, slots=True)
class WalkProblem:
    """A folder that could not be read; what the catalog knows of it stays as it is."""

    path: bytes
    detail: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A readable file: its content's name, what it is, what is claimed about it."""

    found: FoundFile
    fingerprint: str
    container: str
    verdict: Verdict
    claims: tuple[ClaimSet, ...]
    warnings: dict[str, str] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    picture: tuple[str, bytes] | None = None
    """Media type and bytes of the picture in its metadata; a stranger's."""
    fit: bytes | None = None
    """What of it takes part in fitting, as ``domain.fit.pack`` makes it; None where nobody asked."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that could not be read: a stable code, a sentence, and whether to retry unchanged."""

    found: FoundFile
    code: str
    detail: str
    retry: bool
    program: Program | None = None
