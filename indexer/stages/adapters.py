"""Adapters: read their weights once, tell those that cannot work, and find files that hold the same."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from indexer.adapter_weights import read_adapter_weights
from indexer.catalog import entries, vectors, weights
from indexer.catalog.database import Catalog
from indexer.catalog.folding import near_versions
from indexer.catalog.roots import place_path
from indexer.domain.bundles import is_bundle
from indexer.domain.vocabulary import architecture_path
from indexer.embedding.adapter_vector import (
    IDENTITY,
    TWIN_COSINE,
    sketches,
)
from indexer.embedding.blas import one_blas_thread
from indexer.errors import BadFileError, TemporaryError
from indexer.progress import Progress

__all__ = ["MOST_BYTES", "AdapterReport", "measure_adapters"]

MOST_BYTES = 2 << 30
"""Larger files are whole models that are called adapters."""

_BATCH = 16
_COMPARED = 4_000
_MOST_TWINS = 50
"""Twins kept of one file; a thousand copies need no million pairs."""


@dataclass(slots=True)
class AdapterReport:
    """What was done, in files; ``twins`` in pairs."""

    measured: int = 0
    nonfunctional: int = 0
    twins: int = 0


def measure_adapters(catalog: Catalog, progress: Progress) -> AdapterReport:
    """Measure what was not measured, one transaction a batch of 16 files; then look for twins."""
    report = AdapterReport()
    space = _space(catalog)
    with catalog.read() as session:
        count, size = weights.count_unmeasured(session, space, MOST_BYTES)
    if count:
        _measure_all(catalog, progress, space, f"Reading {count} adapters", size, report)
    report.twins = _find_twins(catalog, space)
    return report


def _space(catalog: Catalog) -> int:
    with catalog.read() as session:
        known = vectors.space_id(session, IDENTITY.key)
    if known is not None:
        return known
    with catalog.write() as session:
        return vectors.open_space(session, IDENTITY.key, IDENTITY.space, IDENTITY.dimension, asdict(IDENTITY))


def _measure_all(
    catalog: Catalog, progress: Progress, space: int, title: str, size: int, report: AdapterReport
) -> None:
    last = 0
    with (
        one_blas_thread(),
        ThreadPoolExecutor(max(1, min(4, os.cpu_count() or 1))) as pool,
        progress.stage(title, "bytes", size) as stage,
    ):
        while True:
            with catalog.read() as session:
                batch = weights.unmeasured_files(session, space, MOST_BYTES, last, _BATCH)
            if not batch:
                return
            last = batch[-1].id
            found = []
            for file, outcome in zip(batch, pool.map(_measure, batch), strict=True):
                stage.advance(file.size)
                if isinstance(outcome, str):
                    progress.note(outcome)
                elif outcome is not None:
                    found.append(outcome)
            _store(catalog, space, batch, found)
            report.measured += len(found)
            report.nonfunctional += sum(file.fault is not None for file in found)


def _measure(file: weights.UnmeasuredFile) -> weights.MeasuredFile | str | None:
    """What was found; a sentence where the file could not be read; None where it is not what it was."""
    if is_bundle(file.name):
        return None
    path = place_path(file.root, file.directory, file.name)
    try:
        status = Path(os.fsdecode(path)).stat()
        if (status.st_size, status.st_mtime_ns) != (file.size, file.mtime_ns):
            return None  # changed since the scan: the next run reads it anew
        found = read_adapter_weights(path)
    except (BadFileError, TemporaryError) as error:
        return f"{os.fsdecode(path)!r} could not be measured: {error.detail}"
    except OSError as error:
        return f"{os.fsdecode(path)!r} could not be measured: {error.strerror}."
    except (ArithmeticError, LookupError, MemoryError, ValueError):
        # Numbers nobody thought of: kept as a file that tells nothing, so that it is not read at every run.
        return weights.MeasuredFile(file.id, 0, 0, 0.0, 0.0, None, None)
    return weights.MeasuredFile(
        file.id, found.modules, found.unread, found.norm, found.length, found.fault, found.vector
    )


def _store(
    catalog: Catalog,
    space: int,
    batch: Sequence[weights.UnmeasuredFile],
    found: Sequence[weights.MeasuredFile],
) -> None:
    measured = {file.file_id for file in found}
    with catalog.write() as session:
        versions = {file.version_id for file in batch if file.id in measured}
        versions = near_versions(session, versions)  # twins known before are forgotten
        weights.record_weights(session, space, found)
        entries.refresh_entries(session, versions, architecture_path)


def _find_twins(catalog: Catalog, space: int) -> int:
    """Compare every file that is new with all: exact, one matrix product a batch against a batch."""
    pairs = 0
    while True:
        with catalog.read() as session:
            ids, lengths, rows = weights.uncompared_weights(session, space, _COMPARED)
        if not len(ids):
            return pairs
        fresh = sketches(rows)
        twins: list[tuple[int, int, float, float]] = []
        met = np.zeros(len(ids), np.int64)
        with catalog.read() as session:
            for others, theirs, vectors_ in weights.iterate_weights(session, space):
                cosines = fresh @ sketches(vectors_).T
                cosines[ids[:, None] == others[None, :]] = 0.0
                for row, column in np.argwhere(np.abs(cosines) >= TWIN_COSINE):
                    met[row] += 1
                    if met[row] <= _MOST_TWINS:
                        cosine = float(cosines[row, column])
                        factor = float(theirs[column] / lengths[row]) * (1.0 if cosine > 0 else -1.0)
                        twins.append((int(ids[row]), int(others[column]), cosine, factor))
        with catalog.write() as session:
            weights.store_twins(session, twins)
            weights.mark_compared(session, ids.tolist())
            alike = entries.versions_of_files(session, {id_ for pair in twins for id_ in pair[:2]})
            entries.refresh_entries(session, alike, architecture_path)
        pairs += len({(min(a, b), max(a, b)) for a, b, *_ in twins})
