"""Writing the next generation of a vector index: files first, the manifest last, and nothing in between.

A writer makes the new files under names that no manifest knows yet, then renames the manifest over the old
one: a reader in another process sees the old state or the new one, never a mixture. Files of the generation
before are kept, for readers that have just read the older manifest. One writer at a time (the catalog's
lock).
"""

import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.indexes.vector_manifest import (
    FORMAT,
    GENERATED,
    MANIFEST,
    Manifest,
    SavedIndex,
    VectorIndexError,
    read_manifest,
)

__all__ = ["GenerationWriter", "packed", "writing"]


class GenerationWriter:
    """The generation that is being written; made by ``writing``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.number = _latest(folder) + 1
        self._files: dict[str, tuple[int, str]] = {}

    def path(self, role: str) -> Path:
        """Where a file of this generation lies once it was added."""
        return self.folder / f"g{self.number}-{role}"

    def add(self, role: str, write: Callable[[Path], None]) -> Path:
        """Let ``write`` make a file, seal it, and give it its name."""
        path = self.path(role)
        self._files[path.name] = _finish(path, write)
        return path

    def add_rows(self, role: str, write: Callable[[Path], None]) -> Path:
        """As ``add`` for a file whose content is sealed elsewhere, block by block."""
        path = self.path(role)
        write(path)
        _sync(path)
        self._files[path.name] = (path.stat().st_size, "by blocks")
        return path

    def add_bytes(self, role: str, content: bytes) -> Path:
        """As ``add`` for what is in memory already."""
        return self.add(role, lambda path: _write_bytes(path, content))

    def extend(self, role: str, saved: SavedIndex, size: int, append: Callable[[Path], None]) -> Path:
        """Go on behind the first ``size`` bytes of an earlier generation's file, without copying where links
        are to be had. Readers of that generation keep to its size; what a killed writer left is cut off."""
        old, path = saved.path(role), self.path(role)
        try:
            os.link(old, path)
        except OSError:
            shutil.copyfile(old, path)
        os.truncate(path, size)
        return self.add_rows(role, append)

    def keep(self, role: str, saved: SavedIndex) -> None:
        """Take over a file of an earlier generation in this folder as it is."""
        name = saved.name(role)
        self._files[name] = saved.manifest.files[name]

    def commit(
        self,
        kind: str,
        identity: str,
        dimension: int,
        count: int,
        trained: int = 0,
        note: Mapping[str, Any] | None = None,
    ) -> Manifest:
        """Make this the current generation."""
        manifest = Manifest(
            FORMAT, kind, self.number, identity, dimension, count, trained, self._files, dict(note or {})
        )
        text = json.dumps(asdict(manifest), indent=1).encode()
        _finish(self.folder / MANIFEST, lambda path: _write_bytes(path, text))
        _sweep(self.folder, manifest)
        return manifest


@contextmanager
def writing(folder: Path) -> Iterator[GenerationWriter]:
    """Write the next generation of the index in ``folder``; nothing changes without ``commit``.

    On any failure the current generation stays as it was and no partial file is left; raises
    ``VectorIndexError("write")`` when the disk is full or read-only.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        current = _current(folder)
        _sweep_ahead(folder, current)
        writer = GenerationWriter(folder)
        try:
            yield writer
        finally:
            _sweep_ahead(folder, max(current, _current(folder)))
    except OSError as error:
        detail = f"{folder}: not written ({error.strerror or error}); free space or fix permissions"
        raise VectorIndexError("write", detail) from error


def packed(array: NDArray[Any]) -> Callable[[Path], None]:
    """A writer of ``array`` in numpy's format."""
    content = io.BytesIO()
    np.save(content, np.ascontiguousarray(array), allow_pickle=False)
    return lambda path: _write_bytes(path, content.getvalue())


def _write_bytes(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _finish(path: Path, write: Callable[[Path], None]) -> tuple[int, str]:
    """Write under a temporary name, make it durable, rename; return size and SHA-256."""
    temporary = path.with_name(f".{path.name}.tmp")
    write(temporary)
    _sync(temporary)
    with temporary.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    size = temporary.stat().st_size
    temporary.replace(path)
    _sync_folder(path.parent)
    return size, digest


def _sync(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":  # elsewhere a folder cannot be opened; the rename is durable by itself
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _current(folder: Path) -> int:
    """The current generation; where that cannot be read, the highest: nothing is ahead of it."""
    try:
        return read_manifest(folder).generation
    except VectorIndexError as error:
        return 0 if error.code == "no_index" else _latest(folder)


def _latest(folder: Path) -> int:
    """The highest generation of which any trace is here, so that no name is used twice."""
    found = [GENERATED.fullmatch(path.name) for path in folder.iterdir()]
    return max((int(match[1]) for match in found if match), default=0)


def _sweep_ahead(folder: Path, current: int) -> None:
    """Remove what crashed or failed writers left: temporary files, and generations that were never made."""
    for path in folder.glob(".*.tmp"):
        path.unlink(missing_ok=True)
    for path in folder.iterdir():
        match = GENERATED.fullmatch(path.name)
        if match and int(match[1]) > current:
            path.unlink(missing_ok=True)


def _sweep(folder: Path, manifest: Manifest) -> None:
    """Remove files of generations older than the one before, unless the manifest still names them."""
    for path in folder.iterdir():
        match = GENERATED.fullmatch(path.name)
        if match and path.name not in manifest.files and int(match[1]) < manifest.generation - 1:
            path.unlink(missing_ok=True)
