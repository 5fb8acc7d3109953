"""Storing what the pipeline made of files: one call a batch, a fixed number of statements a call."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from indexer.catalog.entries import versions_of_files
from indexer.catalog.fits import store_fits
from indexer.catalog.personal import follow_files
from indexer.catalog.previews import sync_previews
from indexer.catalog.schema import (
    ClaimRow,
    File,
    Location,
    Model,
    Quarantine,
    VerdictRow,
    Version,
    now,
)
from indexer.catalog.statements import statement_row
from indexer.catalog.statistics import record_numbers
from indexer.catalog.upsert import pieces, upsert, values_by_key
from indexer.domain.claims import ClaimSet
from indexer.domain.found import FoundFile, Judged, Problem

__all__ = ["Stored", "store_judged", "store_problems"]


@dataclass(frozen=True, slots=True)
class Stored:
    """What a batch touched: ids of versions whose entries are to be recomputed, and of the places."""

    versions: set[int]
    places: set[int]


@dataclass(frozen=True, slots=True)
class _Row:
    """A judged file with the ids of its place and its content."""

    item: Judged
    place_id: int
    file_id: int


def store_judged(session: Session, root_id: int, batch: Sequence[Judged], parser: int) -> Stored:
    """Store readable files with verdicts, claims, statistics and previews.

    Storing the same batch again changes nothing: every row has a natural key.
    """
    versions, before = _homes(session, batch)
    _files(session, batch, versions)
    follow_files(session, [(old, versions[content]) for content, old in before.items()])
    files = values_by_key(session, File.fingerprint, File.id, versions)
    _locations(session, root_id, [(item.found, files[item.fingerprint]) for item in batch], parser)
    _verdicts(session, {files[item.fingerprint]: item for item in batch}, parser)
    store_fits(session, {files[item.fingerprint]: item.fit for item in batch})
    places = _places(session, root_id, [item.found for item in batch])
    rows = [_Row(item, places[_name(item.found)], files[item.fingerprint]) for item in batch]
    _claims(session, rows)
    _statistics(session, [(versions[item.fingerprint], item.claims) for item in batch])
    wanted = {row.place_id: (versions[row.item.fingerprint], row.item.found.previews) for row in rows}
    sync_previews(session, wanted)
    return Stored({*versions.values(), *before.values()}, {row.place_id for row in rows})


def store_problems(session: Session, root_id: int, batch: Sequence[Problem], parser: int) -> Stored:
    """Store files that could not be read, with the reason."""
    names = [item.found for item in batch]
    before = _file_ids_at(session, root_id, names)
    _locations(session, root_id, [(found, None) for found in names], parser)
    places = _places(session, root_id, names)
    rows = [
        {
            "location_id": places[_name(item.found)],
            "code": item.code,
            "detail": item.detail,
            "retry": item.retry,
            "at": now(),
        }
        for item in batch
    ]
    upsert(session, Quarantine, rows, ["location_id"])
    return Stored(versions_of_files(session, before), set(places.values()))


def _keys(item: Judged) -> tuple[str, str]:
    """Keys of model and version: the hub's ids where a claim names them, else the content's own name."""
    said = {claim.name: claim.value for claims in reversed(item.claims) for claim in claims.claims}
    model, version = said.get("civitai_model_id"), said.get("civitai_version_id")
    if isinstance(version, int):
        return f"civitai:{model or '?'}", f"civitai:{model or '?'}@{version}"
    return f"file:{item.fingerprint}", f"file:{item.fingerprint}"


def _name(found: FoundFile) -> tuple[bytes, bytes]:
    return found.directory, found.name


def _versions(session: Session, keys: set[tuple[str, str]]) -> dict[str, int]:
    stamp = now()
    upsert(
        session,
        Model,
        [{"key": key, "added_at": stamp} for key in sorted({model for model, _ in keys})],
        ["key"],
        update=False,
    )
    models = values_by_key(session, Model.key, Model.id, {model for model, _ in keys})
    rows = [{"key": version, "model_id": models[model], "added_at": stamp} for model, version in sorted(keys)]
    upsert(session, Version, rows, ["key"], update=False)
    return values_by_key(session, Version.key, Version.id, {version for _, version in keys})


def _homes(session: Session, batch: Sequence[Judged]) -> tuple[dict[str, int], dict[str, int]]:
    """The version of each content, and the version that loses it where a sidecar now names the true one.

    Content whose version was found by a hub's hash stays there, whatever is claimed beside it.
    """
    keys = {item.fingerprint: _keys(item) for item in batch}
    before: dict[str, int] = {}
    settled: dict[str, int] = {}
    for piece in pieces(keys):
        rows = select(File.fingerprint, File.version_id, File.linked).where(File.fingerprint.in_(piece))
        for fingerprint, version_id, linked in session.execute(rows):
            (settled if linked else before)[fingerprint] = version_id
    ids = _versions(session, {pair for f, pair in keys.items() if f not in settled})
    homes = {f: settled.get(f) or ids[pair[1]] for f, pair in keys.items()}
    return homes, {content: old for content, old in before.items() if old != homes[content]}


def _files(session: Session, batch: Sequence[Judged], versions: dict[str, int]) -> None:
    rows = {
        item.fingerprint: {
            "fingerprint": item.fingerprint,
            "version_id": versions[item.fingerprint],
            "size": item.found.size,
            "container": item.container,
            "warnings": item.warnings or None,
            "added_at": now(),
        }
        for item in batch
    }
    upsert(session, File, list(rows.values()), ["fingerprint"])


def _locations(
    session: Session, root_id: int, batch: Sequence[tuple[FoundFile, int | None]], parser: int
) -> None:
    rows = [
        {
            "root_id": root_id,
            "directory": found.directory,
            "name": found.name,
            "file_id": file_id,
            "size": found.size,
            "mtime_ns": found.mtime_ns,
            "inode": found.inode,
            "surroundings": found.surroundings,
            "parser": parser,
            "sha256": None,
            "missing_since": None,
        }
        for found, file_id in batch
    ]
    upsert(session, Location, rows, ["root_id", "directory", "name"])
    readable = [found for found, file_id in batch if file_id is not None]
    places = _places(session, root_id, readable)
    for piece in pieces(places.values()):
        session.execute(delete(Quarantine).where(Quarantine.location_id.in_(piece)))


def _places(session: Session, root_id: int, found: Sequence[FoundFile]) -> dict[tuple[bytes, bytes], int]:
    places: dict[tuple[bytes, bytes], int] = {}
    by_directory: dict[bytes, list[bytes]] = {}
    for item in found:
        by_directory.setdefault(item.directory, []).append(item.name)
    for directory, names in by_directory.items():
        for piece in pieces(names):
            rows = session.execute(
                select(Location.name, Location.id).where(
                    Location.root_id == root_id, Location.directory == directory, Location.name.in_(piece)
                )
            )
            places.update({(directory, name): id_ for name, id_ in rows})
    return places


def _file_ids_at(session: Session, root_id: int, found: Sequence[FoundFile]) -> set[int]:
    places = _places(session, root_id, found)
    return {
        id_
        for piece in pieces(places.values())
        for id_ in session.scalars(select(Location.file_id).where(Location.id.in_(piece)))
        if id_ is not None
    }


def _verdicts(session: Session, batch: dict[int, Judged], rules: int) -> None:
    rows = [
        {
            "file_id": file_id,
            "rules": rules,
            "kind": item.verdict.kind,
            "architecture": item.verdict.architecture,
            "family": item.verdict.family,
            "confidence": item.verdict.confidence,
            "detail": asdict(item.verdict),
            "at": now(),
        }
        for file_id, item in batch.items()
    ]
    upsert(session, VerdictRow, rows, ["file_id"])


def _claims(session: Session, batch: Sequence[_Row]) -> None:
    """Append what is new; the latest word of each source at a place is ``current``, earlier words stay."""
    for piece in pieces(row.place_id for row in batch):
        session.execute(
            update(ClaimRow).where(ClaimRow.place_id.in_(piece), ClaimRow.current).values(current=False)
        )
    rows = {(row.place_id, item.source): _claim_row(row, item) for row in batch for item in row.item.claims}
    # A statement heard before becomes current again instead of being stored twice.
    upsert(session, ClaimRow, list(rows.values()), ["place_id", "file_id", "source", "digest"])


def _claim_row(row: _Row, item: ClaimSet) -> dict[str, Any]:
    claims = {claim.name: claim.value for claim in item.claims}
    about = {"place_id": row.place_id, "file_id": row.file_id}
    return about | statement_row(item, {"claims": claims, "raw": dict(item.raw)})


def _statistics(session: Session, batch: Sequence[tuple[int, Sequence[ClaimSet]]]) -> None:
    said = {
        (version_id, item.source): {claim.name: claim.value for claim in item.claims}
        for version_id, sets in batch
        for item in sets
    }
    record_numbers(session, "version", said)
