"""What a saved vector index consists of, and what is checked before anything reads it.

A folder holds ``manifest.json`` and the files it names, each ``gN-ROLE`` where N is the generation that wrote
it. Two kinds of index share this frame:

- ``flat``: ``vectors.faiss`` (FAISS's ``IndexFlatIP`` layout, float32) and ``ids.npy`` (int64, one a row);
- ``ivf``: ``rows.f16`` (plain little-endian float16 rows, no header), ``sums.bin`` (SHA-256 of each block of
  it), ``ids.npy`` (the id of each row, -1 where it is no more), ``codes.faiss``, and the small changes since:
  ``dead.npy`` (rows that went away), ``overlay-ids.npy`` and ``overlay.npy`` (float32 rows that came).

``beside.npy`` (int64, two columns) is kept for the writer; searching never reads it. Every file but
``rows.f16`` is compared with its size and SHA-256 at each opening; of the rows, which may be gigabytes, the
size and a sample of the blocks (``vector_rows``).

FAISS trusts what it reads (a wrong dimension or NaN loads silently), hence the checks. The header of the flat
layout is that of ``write_index_header`` in ``faiss/impl/index_write.cpp``.
"""

import hashlib
import json
import os
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from indexer.errors import PinakesError

__all__ = [
    "CODES",
    "FLAT_HEADER",
    "FORMAT",
    "GENERATED",
    "MANIFEST",
    "ROWS",
    "Manifest",
    "SavedIndex",
    "VectorIndexError",
    "flat_header",
    "read_generation",
    "read_manifest",
    "saved_generation",
]

T = TypeVar("T")

CODES = {
    "no_index": "nothing was saved here yet",
    "manifest": "the manifest is not JSON of the expected shape: damaged, or of another release",
    "identity": "the vectors are of another model, preprocessing or space than asked for",
    "kind": "the index is of another kind than the one it was opened as",
    "dimension": "vectors or queries of another length than the index holds",
    "checksum": "a file's size or SHA-256 is not what the manifest says: truncated, damaged or replaced",
    "header": "the file is intact but not what its name promises",
    "not_finite": "NaN or infinity: it would break ranking without a sign",
    "ids": "ids are doubled, negative or not as many as the vectors",
    "write": "the disk refused the new generation; the old one is untouched",
}
FORMAT = 2
FLAT_HEADER = struct.Struct(
    "<4siqqqBiQ"
)  # fourcc, d, ntotal, two unused, trained, metric, floats that follow
UNUSED, TRAINED, INNER_PRODUCT = 1 << 20, 1, 0
MANIFEST = "manifest.json"
MANIFEST_BYTES = 1 << 16
ROWS = "rows.f16"
_NEEDED = {
    "flat": {"vectors.faiss", "ids.npy"},
    "ivf": {ROWS, "sums.bin", "ids.npy", "codes.faiss", "dead.npy", "overlay-ids.npy", "overlay.npy"},
}
_ROLES = sorted(set().union(*_NEEDED.values()) | {"beside.npy"})
GENERATED = re.compile(rf"g(\d{{1,15}})-({'|'.join(map(re.escape, _ROLES))})")
MOST_ROWS = 1 << 34
MOST_DIMENSIONS = 1 << 16
RACES = 5  # a reader that is overtaken this often gives up


class VectorIndexError(PinakesError):
    """The index cannot be used as asked; ``code`` is one of ``CODES``. The index can always be rebuilt."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one generation holds. ``files`` maps a file name to ``[size, sha256]``; ``note`` is its writer's.

    ``count`` is the number of rows of the vector file or of ``rows.f16``, those that are no more included;
    ``trained`` how many there were when the centroids were trained, 0 for a flat index.
    """

    format: int
    kind: str
    generation: int
    identity: str
    dimension: int
    count: int
    trained: int
    files: dict[str, tuple[int, str]]
    note: Mapping[str, Any]


def flat_header(dimension: int, count: int) -> bytes:
    """The 45 bytes in front of the float32 rows of a FAISS ``IndexFlatIP`` file."""
    return FLAT_HEADER.pack(
        b"IxFI", dimension, count, UNUSED, UNUSED, TRAINED, INNER_PRODUCT, dimension * count
    )


def read_manifest(folder: Path) -> Manifest:
    """The current manifest; raises ``VectorIndexError`` (``no_index``, ``manifest``)."""
    path = folder / MANIFEST
    try:
        with path.open("rb") as stream:
            return _checked(Manifest(**json.loads(stream.read(MANIFEST_BYTES))))
    except FileNotFoundError:
        raise VectorIndexError("no_index", f"{folder}: no vector index was saved here; rebuild it") from None
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise VectorIndexError("manifest", f"{path}: unreadable ({error}); rebuild the index") from None


def _checked(manifest: Manifest) -> Manifest:
    """Raises ``ValueError`` and its kin for what no writer of ours wrote."""
    limits = {"generation": 10**15, "dimension": MOST_DIMENSIONS, "count": MOST_ROWS, "trained": MOST_ROWS}
    if manifest.format != FORMAT:
        raise ValueError(f"format {manifest.format}")
    for name, most in limits.items():
        value = getattr(manifest, name)
        if type(value) is not int or not 0 <= value <= most:
            raise ValueError(f"{name} is {value!r}")
    if not isinstance(manifest.identity, str) or not isinstance(manifest.note, dict):
        raise ValueError("identity or note is of another type")
    files = {name: (int(size), str(digest)) for name, (size, digest) in manifest.files.items()}
    matches = [GENERATED.fullmatch(name) for name in files]
    roles = [match[2] for match in matches if match]
    if len(roles) != len(files) or sorted({*roles}) != sorted(roles):
        raise ValueError("it names files of a strange kind")
    if _NEEDED.get(manifest.kind) != {*roles} - {"beside.npy"}:
        raise ValueError(f"these are not the files of kind {manifest.kind!r}")
    values = {name: getattr(manifest, name) for name in Manifest.__slots__}
    return Manifest(**{**values, "files": files})


def saved_generation(folder: Path) -> int:
    """The generation in ``folder``, 0 where there is none: a cheap test for a newer one than that loaded.

    Raises ``VectorIndexError`` (``manifest``).
    """
    try:
        return read_manifest(folder).generation
    except VectorIndexError as error:
        if error.code == "no_index":
            return 0
        raise


@dataclass(frozen=True, slots=True)
class SavedIndex:
    """A generation on disk, addressed by role. Its methods raise ``VectorIndexError``, and
    ``FileNotFoundError`` for a file that a newer generation has swept meanwhile."""

    folder: Path
    manifest: Manifest

    def name(self, role: str) -> str:
        """The file that plays ``role``; "" where none does."""
        return next((name for name in self.manifest.files if name.split("-", 1)[1] == role), "")

    def path(self, role: str) -> Path:
        """Where the file of ``role`` lies."""
        return self.folder / self.name(role)

    def checked(self, role: str) -> Path:
        """The path of a file whose size and SHA-256 are what the manifest says."""
        path = self.path(role)
        size, digest = self.manifest.files[path.name]
        with path.open("rb") as stream:
            real = os.fstat(stream.fileno()).st_size
            if real != size:
                detail = f"{path}: {real} bytes, {size} expected; rebuild the index"
                raise VectorIndexError("checksum", detail)
            if hashlib.file_digest(stream, "sha256").hexdigest() != digest:
                detail = f"{path}: SHA-256 differs from the manifest; rebuild the index"
                raise VectorIndexError("checksum", detail)
        return path

    def integers(self, role: str) -> NDArray[np.int64]:
        """A checked array of int64."""
        array = self._array(role)
        if array.dtype != np.int64:
            raise VectorIndexError("ids", f"{self.path(role)}: no int64 numbers; rebuild the index")
        return np.asarray(array, np.int64)

    def floats(self, role: str) -> NDArray[np.float32]:
        """A checked (n, dimension) array of finite float32."""
        array = self._array(role)
        if array.dtype != np.float32 or array.ndim != 2 or array.shape[1] != self.manifest.dimension:
            raise VectorIndexError(
                "header", f"{self.path(role)}: other rows than promised; rebuild the index"
            )
        if not np.isfinite(array).all():
            detail = f"{self.path(role)}: holds NaN or infinity; rebuild the index"
            raise VectorIndexError("not_finite", detail)
        return np.asarray(array, np.float32)

    def _array(self, role: str) -> NDArray[Any]:
        path = self.checked(role)
        try:
            # Mapped first: a header that promises more than the file holds must not allocate anything.
            array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        except FileNotFoundError:
            raise
        except (OSError, ValueError, EOFError, OverflowError) as error:
            empty = _empty(path)
            if empty is None:
                raise VectorIndexError("ids", f"{path}: unreadable ({error}); rebuild the index") from None
            array = empty
        return np.array(array)


def _empty(path: Path) -> NDArray[Any] | None:
    """An array without elements, which cannot be mapped."""
    try:
        array: NDArray[Any] = np.load(path, allow_pickle=False) if path.stat().st_size <= 128 else np.ones(1)
    except (OSError, ValueError, EOFError, MemoryError):
        return None
    return None if array.size else array


def read_generation(
    folder: Path, identity: str | None, kind: str | None, load: Callable[[SavedIndex], T]
) -> T:
    """What ``load`` makes of the current generation, after its identity and kind (None: any) were compared.

    Starts over when a writer replaces the generation meanwhile. Raises ``VectorIndexError``.
    """
    missing = ""
    for _ in range(RACES):
        manifest = read_manifest(folder)
        if identity is not None and manifest.identity != identity:
            detail = f"{folder}: holds {manifest.identity}, asked for {identity}; rebuild the index"
            raise VectorIndexError("identity", detail)
        if kind is not None and manifest.kind != kind:
            raise VectorIndexError("kind", f"{folder}: a {manifest.kind} index; open it with open_index")
        try:
            return load(SavedIndex(folder, manifest))
        except FileNotFoundError as error:
            missing = error.filename
        if saved_generation(folder) == manifest.generation:
            break
    raise VectorIndexError("checksum", f"{missing}: named by the manifest and missing; rebuild the index")
