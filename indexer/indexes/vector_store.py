"""Vector indexes of whatever size: opened, saved as the kind that fits, and checked in full."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from indexer.indexes import planner
from indexer.indexes.ivf import IvfIndex
from indexer.indexes.vector_base import Ids, VectorIndex, Vectors
from indexer.indexes.vector_building import build_index
from indexer.indexes.vector_manifest import (
    ROWS,
    Manifest,
    SavedIndex,
    VectorIndexError,
    read_generation,
    read_manifest,
)
from indexer.indexes.vector_rows import faulty_blocks
from indexer.indexes.vectors import FaissIndex

__all__ = ["build_index", "open_index", "read_beside", "save_index", "verify_index"]


def open_index(folder: Path, identity: str | None = None) -> VectorIndex:
    """The current index in ``folder``, of whichever kind; ``identity`` None takes any.

    Raises ``VectorIndexError``.
    """
    return read_generation(folder, identity, None, _read)


def _read(saved: SavedIndex) -> VectorIndex:
    return FaissIndex.read(saved) if saved.manifest.kind == "flat" else IvfIndex.read(saved)


def save_index(
    index: VectorIndex,
    folder: Path,
    note: Mapping[str, Any] | None = None,
    beside: Ids | None = None,
    spread: Vectors | None = None,
    exact_most: int | None = None,
) -> int:
    """Save an index: lists of codes once a flat one holds more than ``exact_most``. Answers the generation.

    Open it again afterwards: what was saved may be of another kind. Raises ``VectorIndexError``.
    """
    most = planner.exact_most(index.dimension) if exact_most is None else exact_most
    if isinstance(index, FaissIndex) and len(index) > most:
        ids = index.ids()
        pieces = (ids[start : start + 8_192] for start in range(0, len(ids), 8_192))
        batches = ((piece, index.vectors(piece)) for piece in pieces)
        build_index(folder, index.identity, index.dimension, batches, note, beside, spread, exact_most)
        return read_manifest(folder).generation
    return index.save(folder, note, beside)


def read_beside(folder: Path) -> tuple[Manifest, Ids | None]:
    """What the writer noted beside the current index: its manifest, and the array (m, 2) or None.

    Raises ``VectorIndexError``.
    """

    def read(saved: SavedIndex) -> tuple[Manifest, Ids | None]:
        array = saved.integers("beside.npy") if saved.name("beside.npy") else None
        if array is not None and (array.ndim != 2 or array.shape[1] != 2):
            raise VectorIndexError("ids", f"{saved.path('beside.npy')}: not two columns; rebuild the index")
        return saved.manifest, array

    return read_generation(folder, None, None, read)


def verify_index(folder: Path) -> list[str]:
    """Everything that is wrong with the index in ``folder``: each byte is read, gigabytes of rows too.

    Opening checks only a sample of those. No index at all is no fault.
    """
    try:
        return read_generation(folder, None, None, _faults)
    except VectorIndexError as error:
        return [] if error.code == "no_index" else [error.detail]


def _faults(saved: SavedIndex) -> list[str]:
    _read(saved)
    if saved.name("beside.npy"):
        saved.integers("beside.npy")
    if saved.manifest.kind == "flat":
        return []
    path, size = saved.path(ROWS), saved.manifest.count * saved.manifest.dimension * 2
    faults = faulty_blocks(path, size, saved.checked("sums.bin").read_bytes())
    return [f"{path}: {fault}; rebuild the index" for fault in faults]
