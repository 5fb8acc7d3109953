"""A tool's library: which folders it says to hold what, and what it knows of single files."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from indexer.domain.claims import ClaimSet

__all__ = ["Library", "Promises", "expanded"]

_MAX_FOLDERS = 1_000
_NEVER = (b"/proc/", b"/sys/", b"/dev/")


@dataclass(frozen=True, slots=True)
class Library:
    """What one tool's configuration says.

    ``tool`` is an id of ``folders.toml``'s layouts, ``folder`` where the tool was found (absolute bytes, as
    all paths). ``promises`` are folders and the category each holds, under the tool's name for it (empty:
    only the names below it tell). ``claims`` are what the tool knows of single files, or of folders that are
    one model. ``problems`` are sentences about what could not be read.
    """

    tool: str
    folder: bytes
    promises: Mapping[bytes, str] = field(default_factory=lambda: MappingProxyType({}))
    claims: Mapping[bytes, ClaimSet] = field(default_factory=lambda: MappingProxyType({}))
    problems: tuple[str, ...] = ()


class Promises:
    """Folders that a configuration names, as they are gathered; what cannot be a model folder is told."""

    def __init__(self, file: bytes) -> None:
        self.folder = os.path.dirname(file)
        self.named: dict[bytes, str] = {}
        self.problems: list[str] = []
        self._file = os.fsdecode(file)

    def add(self, base: bytes, path: str, category: str) -> None:
        """``path`` as a person wrote it, relative to ``base``: ``~`` and variables are filled in."""
        full = os.path.normpath(os.path.join(base, expanded(path)))
        if b"\0" in full or len(self.named) >= _MAX_FOLDERS:
            return
        real = os.path.realpath(full)
        if os.path.join(real, b"").startswith(_NEVER) or _is_above(real, os.path.realpath(self.folder)):
            self.problem(f"names {os.fsdecode(full)!r}, which is no folder of models; it is not read")
        elif not os.path.isdir(full):
            self.problem(f"names {os.fsdecode(full)!r}, which is not there. Is its disk mounted?")
        else:
            self.named.setdefault(full, category)

    def problem(self, text: str) -> None:
        """Note a sentence about the configuration; ``text`` is its end."""
        if len(self.problems) < 20:
            self.problems.append(f"{self._file!r} {text}")


def expanded(path: str) -> bytes:
    """A path as a person wrote it, with ``~`` and environment variables filled in."""
    return os.fsencode(os.path.expandvars(os.path.expanduser(path.strip())))


def _is_above(path: bytes, folder: bytes) -> bool:
    return folder == path or folder.startswith(path.rstrip(b"/") + b"/")
