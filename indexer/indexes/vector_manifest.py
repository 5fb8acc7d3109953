"""Vector files on disk: one generation at a time, checked before anything reads them.

A folder holds ``manifest.json`` and the two files it names: ``gN-vectors.faiss`` (FAISS's ``IndexFlatIP``
layout) and ``gN-ids.npy`` (int64, one a row). A writer makes the next generation's files, then renames the
manifest over the old one: a reader in another process sees the old state or the new one, never a mixture. The
generation before is kept, for readers that have just read the older manifest.

FAISS trusts what it reads (a wrong dimension or NaN loads silently), so size, SHA-256 and header are compared
with the manifest first. The header is that of ``write_index_header`` in ``faiss/impl/index_write.cpp``.
"""

import hashlib
import io
import json
import os
import re
import struct
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.errors import PinakesError

__all__ = [
    "CODES",
    "FLAT_HEADER",
    "Manifest",
    "VectorIndexError",
    "flat_header",
    "read_generation",
    "read_manifest",
    "write_generation",
]

CODES = {
    "no_index": "nothing was saved here yet",
    "manifest": "the manifest is not JSON of the expected shape: damaged, or of another release",
    "identity": "the vectors are of another model, preprocessing or space than asked for",
    "dimension": "vectors or queries of another length than the index holds",
    "checksum": "a file's size or SHA-256 is not what the manifest says: truncated, damaged or replaced",
    "header": "the file is intact but no flat inner-product index of that many vectors",
    "not_finite": "NaN or infinity: it would break ranking without a sign",
    "ids": "ids are doubled, negative or not as many as the vectors",
    "write": "the disk refused the new generation; the old one is untouched",
}
FORMAT = 1
FLAT_HEADER = struct.Struct(
    "<4siqqqBiQ"
)  # fourcc, d, ntotal, two unused, trained, metric, floats that follow
UNUSED, TRAINED, INNER_PRODUCT = 1 << 20, 1, 0
MANIFEST = "manifest.json"
MANIFEST_BYTES = 1 << 16
GENERATED = re.compile(r"g(\d+)-(vectors\.faiss|ids\.npy)")
RACES = 5  # a reader that is overtaken this often gives up


class VectorIndexError(PinakesError):
    """The index cannot be used as asked; ``code`` is one of ``CODES``. The index can always be rebuilt."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one generation holds. ``files`` maps a file name to ``[size, sha256]``."""

    format: int
    generation: int
    identity: str
    dimension: int
    count: int
    files: dict[str, tuple[int, str]]


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
            values = json.loads(stream.read(MANIFEST_BYTES))
        manifest = Manifest(**values)
        files = {name: (int(size), str(digest)) for name, (size, digest) in manifest.files.items()}
        whole = (manifest.format, manifest.generation, manifest.dimension, manifest.count)
        if manifest.format != FORMAT or not all(type(value) is int and value >= 0 for value in whole):
            raise ValueError(f"format {manifest.format}")
    except FileNotFoundError:
        raise VectorIndexError("no_index", f"{folder}: no vector index was saved here; rebuild it") from None
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise VectorIndexError("manifest", f"{path}: unreadable ({error}); rebuild the index") from None
    if any(not GENERATED.fullmatch(name) for name in files) or len(files) != 2:
        raise VectorIndexError("manifest", f"{path}: names files of a strange kind; rebuild the index")
    return Manifest(**{**values, "files": files})


def read_generation(
    folder: Path, identity: str, load: Callable[[Path], None]
) -> tuple[Manifest, NDArray[np.int64]]:
    """Check the current generation, give its vector file to ``load``, and return manifest and ids.

    Starts over when a writer replaces the generation meanwhile. Raises ``VectorIndexError``.
    """
    for _ in range(RACES):
        manifest = read_manifest(folder)
        if manifest.identity != identity:
            detail = f"{folder}: holds {manifest.identity}, asked for {identity}; rebuild the index"
            raise VectorIndexError("identity", detail)
        try:
            return manifest, _read_files(folder, manifest, load)
        except FileNotFoundError as error:
            missing = error.filename
        if read_manifest(folder).generation == manifest.generation:
            break
    raise VectorIndexError("checksum", f"{missing}: named by the manifest and missing; rebuild the index")


def _read_files(folder: Path, manifest: Manifest, load: Callable[[Path], None]) -> NDArray[np.int64]:
    vectors, ids = f"g{manifest.generation}-vectors.faiss", f"g{manifest.generation}-ids.npy"
    for name in (vectors, ids):
        _check_file(folder / name, manifest)
    _check_flat_header(folder / vectors, manifest)
    loaded = _read_ids(folder / ids, manifest)
    load(folder / vectors)
    return loaded


def _check_file(path: Path, manifest: Manifest) -> None:
    size, digest = manifest.files.get(path.name, (-1, ""))
    with path.open("rb") as stream:
        real = os.fstat(stream.fileno()).st_size
        if real != size:
            raise VectorIndexError("checksum", f"{path}: {real} bytes, {size} expected; rebuild the index")
        if hashlib.file_digest(stream, "sha256").hexdigest() != digest:
            raise VectorIndexError(
                "checksum", f"{path}: SHA-256 differs from the manifest; rebuild the index"
            )


def _check_flat_header(path: Path, manifest: Manifest) -> None:
    expected = flat_header(manifest.dimension, manifest.count)
    with path.open("rb") as stream:
        head = stream.read(FLAT_HEADER.size)
        size = os.fstat(stream.fileno()).st_size
    if head != expected or size != len(expected) + 4 * manifest.dimension * manifest.count:
        detail = f"{path}: no flat index of {manifest.count} x {manifest.dimension}; rebuild the index"
        raise VectorIndexError("header", detail)


def _read_ids(path: Path, manifest: Manifest) -> NDArray[np.int64]:
    try:
        ids = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise VectorIndexError("ids", f"{path}: unreadable ({error}); rebuild the index") from None
    if ids.dtype != np.int64 or ids.shape != (manifest.count,) or len(np.unique(ids)) != len(ids):
        raise VectorIndexError("ids", f"{path}: not {manifest.count} different ids; rebuild the index")
    return np.asarray(ids, np.int64)


def write_generation(
    folder: Path, identity: str, dimension: int, ids: NDArray[np.int64], save: Callable[[Path], None]
) -> Manifest:
    """Make the next generation: ``save`` writes the vector file at the path it is given, in flat layout.

    One writer at a time. On any failure the current generation stays as it was and no partial file is left;
    raises ``VectorIndexError("write")`` when the disk is full or read-only.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder, keep=None)
        return _write_files(folder, identity, dimension, ids, save)
    except OSError as error:
        _sweep(folder, keep=None)
        detail = f"{folder}: not written ({error.strerror or error}); free space or fix permissions"
        raise VectorIndexError("write", detail) from error


def _write_files(
    folder: Path, identity: str, dimension: int, ids: NDArray[np.int64], save: Callable[[Path], None]
) -> Manifest:
    generation = _latest(folder) + 1
    packed = io.BytesIO()
    np.save(packed, np.ascontiguousarray(ids, np.int64), allow_pickle=False)
    files = {
        f"g{generation}-vectors.faiss": save,
        f"g{generation}-ids.npy": lambda path: _write_bytes(path, packed.getvalue()),
    }
    described = {name: _finish(folder, name, write) for name, write in files.items()}
    manifest = Manifest(FORMAT, generation, identity, dimension, len(ids), described)
    text = json.dumps(asdict(manifest), indent=1).encode()
    _finish(folder, MANIFEST, lambda path: _write_bytes(path, text))
    _sweep(folder, keep=generation)
    return manifest


def _write_bytes(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _finish(folder: Path, name: str, write: Callable[[Path], None]) -> tuple[int, str]:
    """Write under a temporary name, make it durable, rename; return size and SHA-256."""
    temporary = folder / f".{name}.tmp"
    write(temporary)
    with temporary.open("rb+") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        os.fsync(stream.fileno())
    size = temporary.stat().st_size
    temporary.replace(folder / name)
    _sync_folder(folder)
    return size, digest


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":  # elsewhere a folder cannot be opened; the rename is durable by itself
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _latest(folder: Path) -> int:
    """The highest generation of which any trace is here, so that no name is used twice."""
    found = [GENERATED.fullmatch(path.name) for path in folder.iterdir()]
    return max((int(match[1]) for match in found if match), default=0)


def _sweep(folder: Path, keep: int | None) -> None:
    """Remove what crashed or failed writers left, and generations older than the one before ``keep``."""
    for path in folder.glob(".*.tmp"):
        path.unlink(missing_ok=True)
    for path in folder.iterdir() if keep is not None else ():
        match = GENERATED.fullmatch(path.name)
        if match and keep is not None and int(match[1]) < keep - 1:
            path.unlink(missing_ok=True)
