"""The libraries below a folder: every tool's root, however deep, and what its configuration says.

One pass over folder names, before the walk, since a configuration may speak of folders that are walked
earlier. Reads no model.
"""

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from indexer.domain.claims import ClaimSet
from indexer.sources.extra_paths import read_comfyui
from indexer.sources.folders import layout_of
from indexer.sources.invokeai import read_invokeai
from indexer.sources.library import Library
from indexer.sources.webui_paths import read_stability_matrix, read_swarmui, read_webui

__all__ = ["Elsewhere", "Survey", "survey"]

_READERS: tuple[Callable[[bytes, Collection[bytes]], Library | None], ...] = (
    read_invokeai,
    read_swarmui,
    read_comfyui,
    read_webui,
    read_stability_matrix,
)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A folder outside the root that a tool reads models from: its category under the tool's name for it."""

    path: Path
    tool: str
    category: str


@dataclass
class Survey:
    """What was found below ``root``.

    ``tools`` are folders that a tool keeps models in, by path; ``links`` maps the real path of each folder
    that is reached through a symbolic link to the path it is walked under. ``apart`` are folders below that
    are roots of their own.
    """

    root: bytes
    libraries: list[Library] = field(default_factory=list)
    above: list[Library] = field(default_factory=list)
    tools: dict[bytes, str] = field(default_factory=dict)
    links: dict[bytes, bytes] = field(default_factory=dict)
    category: str = ""
    apart: tuple[Path, ...] = ()

    @cached_property
    def promises(self) -> Mapping[bytes, str]:
        """Folders whose category a configuration tells, under the paths of the walk and their real ones."""
        named: dict[bytes, str] = {self.root: self.category} if self.category else {}
        for library in (*self.libraries, *self.above):
            for path, category in library.promises.items():
                named.setdefault(path, category)
                named.setdefault(os.path.realpath(path), category)
        return named

    @cached_property
    def _claims(self) -> Mapping[bytes, ClaimSet]:
        claims: dict[bytes, ClaimSet] = {}
        for library in (*self.above, *self.libraries):
            claims.update(library.claims)
        return claims

    def claims_for(self, path: bytes) -> tuple[ClaimSet, ...]:
        """What the tools know of one model: a file, or a folder that is one model."""
        said = self._claims.get(path)
        return (said,) if said else ()

    def tool_of(self, directory: bytes) -> str:
        """The tool whose folder this is, or ``default``."""
        while directory.startswith(self.root):
            tool = self.tools.get(directory)
            if tool:
                return tool
            parent = os.path.dirname(directory)
            directory = parent if parent != directory else b""
        return self.above[0].tool if self.above else "default"

    @property
    def problems(self) -> list[str]:
        """Sentences about configurations that could not be read."""
        return [text for library in (*self.libraries, *self.above) for text in library.problems]

    def elsewhere(self) -> list[Elsewhere]:
        """Folders outside the root that tools in it read models from, each once."""
        root = os.path.join(os.path.realpath(self.root), b"")
        found: dict[bytes, Elsewhere] = {}
        for library in self.libraries:
            for path, category in library.promises.items():
                real = os.path.realpath(path)
                if not os.path.join(real, b"").startswith(root) and _is_text(real):
                    found.setdefault(real, Elsewhere(Path(os.fsdecode(real)), library.tool, category))
        return [found[path] for path in sorted(found)]


def _is_text(path: bytes) -> bool:
    try:
        path.decode()
    except UnicodeDecodeError:
        return False  # roots are named in UTF-8
    return True


def survey(root: Path, skip: Collection[Path] = (), apart: Sequence[Path] = (), category: str = "") -> Survey:
    """Look through the folders below ``root``, in the order in which ``walk`` enters them.

    ``category`` is what the root itself is known to hold. Never raises: what cannot be read is told by the
    walk.
    """
    top = os.fsencode(root).rstrip(b"/") or b"/"
    found = Survey(top, category=category, apart=tuple(apart))
    found.above = list(_above(top))
    seen = {identity for path in (*skip, *apart) if (identity := _identity(os.fsencode(path)))}
    pending = [(top, False)]
    while pending:
        directory, linked = pending.pop()
        identity = _identity(directory)
        if identity is None or identity in seen:
            continue
        seen.add(identity)
        if linked:
            found.links[os.path.realpath(directory)] = directory
        names, folders = _names(directory)
        for reader in _READERS:
            library = reader(directory, names)
            if library:
                found.libraries.append(library)
                found.tools.setdefault(directory, library.tool)
        tool = layout_of({name.decode("utf-8", "replace") for name in folders})
        if tool:
            found.tools.setdefault(directory, tool)
        pending.extend(
            (os.path.join(directory, name), folders[name]) for name in sorted(folders, reverse=True)
        )
    return found


def _above(root: bytes) -> Iterator[Library]:
    """Libraries whose models folder the root is: what they say of its files counts."""
    directory = root
    for _ in range(2):
        directory = os.path.dirname(directory)
        names, _folders = _names(directory)
        for reader in _READERS:
            library = reader(directory, names)
            if library:
                yield library


def _names(directory: bytes) -> tuple[set[bytes], dict[bytes, bool]]:
    """All names in a folder, and those of its folders with whether each is a link."""
    names: set[bytes] = set()
    folders: dict[bytes, bool] = {}
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                names.add(entry.name)
                if entry.is_dir():
                    folders[entry.name] = entry.is_symlink()
    except OSError:
        pass  # the walk tells it
    return names, folders


def _identity(path: bytes) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino
