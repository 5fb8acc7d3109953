"""Weights of adapters: which files are still to be measured, what was measured, and who is whose twin."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from indexer.catalog.schema import File, FileTwin, FileWeights, Location, Quarantine, Root, VerdictRow
from indexer.catalog.upsert import pieces, upsert

__all__ = [
    "MeasuredFile",
    "UnmeasuredFile",
    "Weights",
    "count_unmeasured",
    "iterate_weights",
    "mark_compared",
    "record_weights",
    "store_twins",
    "uncompared_weights",
    "unmeasured_files",
    "versions_of",
    "weights_of_versions",
]

_KINDS = ("lora", "control_lora")

Weights = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float32]]
"""File ids (n,), lengths (n,), vectors (n, d)."""


@dataclass(frozen=True, slots=True)
class UnmeasuredFile:
    """An adapter file whose weights were not looked at, and one place where it lies."""

    id: int
    version_id: int
    root: str
    directory: bytes
    name: bytes
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class MeasuredFile:
    """What was found in one file; ``vector`` is None where there is nothing to compare."""

    file_id: int
    modules: int
    unread: int
    norm: float
    length: float
    fault: tuple[str, str] | None
    vector: NDArray[np.float32] | None


def unmeasured_files(
    session: Session, space: int, most_bytes: int, after: int = 0, limit: int = 100
) -> list[UnmeasuredFile]:
    """The next adapters by id, not above ``most_bytes``, that were not measured in this space."""
    wanted = _unmeasured(select(File.id, func.min(Location.id)), space, most_bytes)
    chosen = wanted.where(File.id > after).group_by(File.id).order_by(File.id).limit(limit).subquery()
    rows = session.execute(
        select(
            File.id,
            File.version_id,
            Root.path,
            Location.directory,
            Location.name,
            Location.size,
            Location.mtime_ns,
        )
        .join(chosen, chosen.c[0] == File.id)
        .join(Location, Location.id == chosen.c[1])
        .join(Root, Root.id == Location.root_id)
        .order_by(File.id)
    )
    return [UnmeasuredFile(*row) for row in rows]


def count_unmeasured(session: Session, space: int, most_bytes: int) -> tuple[int, int]:
    """How many adapters are to be measured, and their bytes."""
    files = _unmeasured(select(File.id, File.size), space, most_bytes).distinct().subquery()
    count, size = session.execute(
        select(func.count(), func.coalesce(func.sum(files.c.size), 0)).select_from(files)
    ).one()
    return int(count), int(size)


def _unmeasured(statement: Any, space: int, most_bytes: int) -> Any:
    known = select(FileWeights.file_id).where(FileWeights.space_id == space)
    return (
        statement.select_from(File)
        .join(VerdictRow, VerdictRow.file_id == File.id)
        .join(Location, Location.file_id == File.id)
        .outerjoin(Quarantine, Quarantine.location_id == Location.id)
        .where(
            VerdictRow.kind.in_(_KINDS),
            File.container == "safetensors",
            File.size <= most_bytes,
            File.id.not_in(known),
            Location.missing_since.is_(None),
            Quarantine.id.is_(None),
        )
    )


def record_weights(session: Session, space: int, files: Sequence[MeasuredFile]) -> None:
    """Store what was measured, replacing what was known; their twins are to be looked for."""
    rows = [
        {
            "file_id": file.file_id,
            "space_id": space,
            "fault": file.fault[0] if file.fault else None,
            "detail": file.fault[1] if file.fault else None,
            "modules": file.modules,
            "unread": file.unread,
            "norm": file.norm if np.isfinite(file.norm) else None,
            "length": file.length,
            "data": None if file.vector is None else file.vector.astype("<f2").tobytes(),
            "compared": file.vector is None,
        }
        for file in files
    ]
    for piece in pieces([file.file_id for file in files]):
        session.execute(
            delete(FileTwin).where(or_(FileTwin.file_id.in_(piece), FileTwin.other_id.in_(piece)))
        )
    upsert(session, FileWeights, rows, ["file_id"])


def _unpack(rows: Sequence[tuple[int, float, bytes | None]]) -> Weights:
    ids = np.array([row[0] for row in rows], np.int64)
    data = np.frombuffer(b"".join(row[2] or b"" for row in rows), "<f2")
    vectors = data.reshape(len(rows), -1).astype(np.float32) if rows else np.empty((0, 0), np.float32)
    return ids, np.array([row[1] for row in rows], np.float64), vectors


def _stored(space: int) -> Any:
    return (
        select(FileWeights.file_id, FileWeights.length, FileWeights.data)
        .where(FileWeights.space_id == space, FileWeights.data.is_not(None))
        .order_by(FileWeights.file_id)
    )


def uncompared_weights(session: Session, space: int, limit: int) -> Weights:
    """Measured files whose twins were not looked for."""
    rows = session.execute(_stored(space).where(FileWeights.compared.is_(False)).limit(limit)).all()
    return _unpack([(row[0], row[1], row[2]) for row in rows])


def iterate_weights(
    session: Session, space: int, architectures: Collection[str] | None = None, batch: int = 4_000
) -> Iterator[Weights]:
    """All measured files in batches, by id; of these architectures only, unless None."""
    statement = _stored(space)
    if architectures is not None:
        statement = statement.join(VerdictRow, VerdictRow.file_id == FileWeights.file_id).where(
            VerdictRow.architecture.in_(architectures)
        )
    last = 0
    while rows := session.execute(statement.where(FileWeights.file_id > last).limit(batch)).all():
        last = rows[-1][0]
        yield _unpack([(row[0], row[1], row[2]) for row in rows])


def store_twins(session: Session, twins: Sequence[tuple[int, int, float, float]]) -> None:
    """Store pairs (file, other, cosine, weight of the other by that of the file), in whatever order."""
    rows = {}
    for one, other, cosine, factor in twins:
        if one != other and factor:
            low, high, by = (one, other, factor) if one < other else (other, one, 1.0 / factor)
            rows[low, high] = {"file_id": low, "other_id": high, "cosine": cosine, "factor": by}
    upsert(session, FileTwin, list(rows.values()), ["file_id", "other_id"])


def mark_compared(session: Session, file_ids: Sequence[int]) -> None:
    """Their twins are known."""
    for piece in pieces(file_ids):
        session.execute(update(FileWeights).where(FileWeights.file_id.in_(piece)).values(compared=True))


def versions_of(session: Session, file_ids: Sequence[int]) -> dict[int, int]:
    """File id to version id."""
    found: dict[int, int] = {}
    for piece in pieces(file_ids):
        rows = session.execute(select(File.id, File.version_id).where(File.id.in_(piece)))
        found.update((file_id, version_id) for file_id, version_id in rows)
    return found


def weights_of_versions(session: Session, space: int, version_ids: Sequence[int]) -> Weights:
    """The measured files of some versions."""
    rows: list[tuple[int, float, bytes | None]] = []
    for piece in pieces(version_ids):
        found = session.execute(
            _stored(space).join(File, File.id == FileWeights.file_id).where(File.version_id.in_(piece))
        )
        rows.extend((row[0], row[1], row[2]) for row in found)
    return _unpack(rows)
