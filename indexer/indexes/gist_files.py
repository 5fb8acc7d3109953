"""Gists on disk: a folder a segment, plain arrays in it that are mapped, never read whole.

The manifest names the segments and is renamed over the old one last, so a reader sees the old state or the
new one. Folders that the manifest before named stay for readers that have just read it.
"""

import json
import os
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from indexer.domain.gist import reader
from indexer.errors import CatalogError
from indexer.indexes.gist_rows import ARRAYS, Array, Segment

__all__ = ["FORMAT", "Manifest", "Stored", "open_segment", "read_manifest", "store", "write_manifest"]

FORMAT = 1
_MANIFEST = "manifest.json"
_META = "segment.json"


@dataclass(frozen=True, slots=True)
class Stored:
    """A segment of the manifest: its folder's name, and its rows."""

    name: str
    rows: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is there: all changes up to number ``seq`` of the catalog that knows ``generation``.
    ``before`` are segments of the manifest before."""

    format: int
    reader: str
    generation: str
    seq: int
    segments: tuple[Stored, ...]
    before: tuple[str, ...] = ()

    @classmethod
    def fresh(cls) -> "Manifest":
        """Nothing yet, under a new generation."""
        return cls(FORMAT, _reader(), uuid.uuid4().hex, 0, ())


def _reader() -> str:
    return sha256(reader().encode()).hexdigest()[:16]


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest; None where there is none, or one of other rules."""
    try:
        data = json.loads((folder / _MANIFEST).read_bytes())
        stored = tuple(Stored(str(one["name"]), int(one["rows"])) for one in data["segments"])
        found = Manifest(**{**data, "segments": stored, "before": tuple(data["before"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return found if (found.format, found.reader) == (FORMAT, _reader()) else None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Make this the current state, and remove what no manifest names. Raises ``CatalogError``."""
    try:
        _write(folder / _MANIFEST, json.dumps(asdict(manifest), indent=1).encode())
        named = {one.name for one in manifest.segments} | set(manifest.before)
        for path in folder.iterdir():
            if path.is_dir() and path.name not in named:
                shutil.rmtree(path, ignore_errors=True)
    except OSError as error:
        raise _unwritten(folder, error) from error


def store(folder: Path, segment: Segment) -> Stored:
    """Write a segment under a name of its own; nobody sees it yet. Raises ``CatalogError``."""
    arrays = {name: getattr(segment, name) for name in ARRAYS}
    name = new_folder(folder)
    try:
        for column, values in arrays.items():
            values.astype(ARRAYS[column]).tofile(folder / name / column)
    except OSError as error:
        raise _unwritten(folder, error) from error
    seal(folder / name, segment.names, segment.flag_names)
    return Stored(name, len(segment))


def new_folder(folder: Path) -> str:
    """Make an empty segment folder; answers its name. Raises ``CatalogError``."""
    name = uuid.uuid4().hex
    try:
        (folder / name).mkdir(parents=True)
    except OSError as error:
        raise _unwritten(folder, error) from error
    return name


def seal(path: Path, names: Sequence[str], flag_names: Sequence[str]) -> None:
    """Note of a segment whose arrays are written how large they are. Raises ``CatalogError``."""
    try:
        sizes = {column: (path / column).stat().st_size for column in ARRAYS}
        meta = {"names": list(names), "flag_names": list(flag_names), "sizes": sizes}
        for column in ARRAYS:
            _sync(path / column)
        _write(path / _META, json.dumps(meta).encode())
    except OSError as error:
        raise _unwritten(path, error) from error


def open_segment(path: Path) -> Segment:
    """A segment, its arrays mapped. Raises ``OSError`` where it is gone, ``ValueError`` where it is
    damaged."""
    meta = json.loads((path / _META).read_bytes())
    names, flag_names = tuple(map(str, meta["names"])), tuple(map(str, meta["flag_names"]))
    segment = Segment(names, flag_names, **{column: _mapped(path / column, meta) for column in ARRAYS})
    rows = len(segment)
    singles = {"gone", "called_starts", "called", "tag_starts", "tags", "words", "starts", "rows"}
    alike = all(len(getattr(segment, name)) == rows for name in set(ARRAYS) - singles)
    ends = (
        (segment.called_starts, rows, segment.called),
        (segment.tag_starts, rows, segment.tags),
        (segment.starts, len(segment.words), segment.rows),
    )
    if not alike or any(len(s) != count + 1 or s[-1] != len(flat) for s, count, flat in ends):
        raise ValueError(f"{path}: columns of unlike lengths")
    return segment


def _mapped(path: Path, meta: Any) -> Array:
    kind = np.dtype(ARRAYS[path.name])
    size = path.stat().st_size
    if size != meta["sizes"][path.name] or size % kind.itemsize:
        raise ValueError(f"{path}: {size} bytes, which is not what was written")
    if not size:
        return np.zeros(0, kind)  # an empty file cannot be mapped
    return np.asarray(np.memmap(path, kind, "r"))  # slices of a plain array are made quicker


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(content)
    _sync(temporary)
    temporary.replace(path)


def _sync(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def _unwritten(folder: Path, error: OSError) -> CatalogError:
    return CatalogError(
        "gist_index",
        f"The index of gists in {folder} cannot be written ({error.strerror or error}). "
        "Free some space, or give back the right to write.",
    )
