"""Making a whole vector index from a stream of rows, in memory that does not grow with it."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from indexer.indexes import planner
from indexer.indexes.vector_base import Found, Ids, Vectors, checked_ids
from indexer.indexes.vector_codes import Codes
from indexer.indexes.vector_generation import GenerationWriter, packed, writing
from indexer.indexes.vector_manifest import ROWS, Manifest, VectorIndexError
from indexer.indexes.vector_rows import Rows, append_rows, block_sums
from indexer.indexes.vectors import ExactIndex

__all__ = ["build_index", "fill", "write_changes"]


def build_index(
    folder: Path,
    identity: str,
    dimension: int,
    batches: Iterable[Found],
    note: Mapping[str, Any] | None = None,
    beside: Ids | None = None,
    spread: Vectors | None = None,
    exact_most: int | None = None,
) -> int:
    """Write an index of all ``batches`` (different ids and their rows); answers how many vectors it holds.

    Up to ``exact_most`` (None: what the planner says) it is a flat one, beyond that lists of codes; then
    memory holds the rows that training looks at, not all. ``spread`` (dimension) is how much queries differ
    in each number, where they are made otherwise than the rows. What was in ``folder`` stays until the end.
    Raises ``VectorIndexError``.
    """
    with writing(folder) as generation:
        return fill(generation, identity, dimension, batches, note, beside, spread, exact_most).count


def fill(
    generation: GenerationWriter,
    identity: str,
    dimension: int,
    batches: Iterable[Found],
    note: Mapping[str, Any] | None,
    beside: Ids | None,
    spread: Vectors | None,
    exact_most: int | None,
) -> Manifest:
    """``build_index`` inside a generation that was begun; commits it."""
    checked = (checked_ids(ids, rows, dimension) for ids, rows in batches)
    most = planner.exact_most(dimension) if exact_most is None else exact_most
    head: list[Found] = []
    for batch in checked:
        head.append(batch)
        if sum(len(ids) for ids, _ in head) > most:
            count = _lists(generation, dimension, chain(_drain(head), checked), spread)
            break
    else:
        count = None
        _flat(generation, identity, dimension, head)
    if beside is not None:
        generation.add("beside.npy", packed(beside))
    if count is None:
        number = sum(len(ids) for ids, _ in head)
        return generation.commit("flat", identity, dimension, number, note=note)
    return generation.commit("ivf", identity, dimension, count, count, note)


def _drain(batches: list[Found]) -> Iterator[Found]:
    while batches:
        yield batches.pop(0)


def _flat(generation: GenerationWriter, identity: str, dimension: int, batches: list[Found]) -> None:
    ids = np.concatenate([ids for ids, _ in batches] or [np.zeros(0, np.int64)])
    index = ExactIndex(identity, dimension)
    index.put(ids, np.concatenate([rows for _, rows in batches] or [np.zeros((0, dimension), np.float32)]))
    index.write(generation)


def _lists(
    generation: GenerationWriter, dimension: int, batches: Iterable[Found], spread: Vectors | None
) -> int:
    names: list[Ids] = []

    def rows_of() -> Iterator[Vectors]:
        for ids, rows in batches:
            names.append(ids)
            yield rows

    path = generation.add_rows(ROWS, lambda path: append_rows(path, rows_of()))
    ids = np.concatenate(names)
    if len(np.unique(ids)) != len(ids):
        raise VectorIndexError("ids", "an id was given twice; each vector needs its own")
    generation.add_bytes("sums.bin", block_sums(path))
    generation.add("ids.npy", packed(ids))
    rows = Rows(path, len(ids), dimension)
    chosen = np.linspace(0, len(ids) - 1, planner.sample_size(len(ids))).round().astype(np.int64)
    codes = Codes.trained(rows.at(chosen), len(ids), spread)
    codes.add(some for _, some in rows.batches(np.arange(len(ids))))
    generation.add("codes.faiss", codes.write)
    write_changes(generation, ids[:0], ids[:0], np.zeros((0, dimension), np.float32))
    return len(ids)


def write_changes(generation: GenerationWriter, dead: Ids, ids: Ids, rows: Vectors) -> None:
    """What changed since the lists were made: positions that are no more, and rows that came."""
    generation.add("dead.npy", packed(dead))
    generation.add("overlay-ids.npy", packed(ids))
    generation.add("overlay.npy", packed(rows))
