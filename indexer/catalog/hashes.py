"""Full hashes: which places still need one, and what follows when copies turn out to differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, select, update
from sqlalchemy.orm import Session

from indexer.catalog.linking import link_by_hash
from indexer.catalog.overrides import copy_overrides
from indexer.catalog.personal import follow_files
from indexer.catalog.schema import File, HashRow, Location, Model, Quarantine, Root, VerdictRow, Version
from indexer.catalog.upsert import pieces, upsert

__all__ = ["Unhashed", "record_hashes", "unhashed_bytes", "unhashed_places"]


@dataclass(frozen=True, slots=True)
class Unhashed:
    """A place whose bytes were not hashed since they changed."""

    id: int
    file_id: int
    root: str
    directory: bytes
    name: bytes
    size: int
    mtime_ns: int
    container: str


def unhashed_places(
    session: Session, *, everything: bool, after: int = 0, limit: int = 100
) -> list[Unhashed]:
    """The next places by id without a hash: of content seen in several places, or ``everything``."""
    statement = select(
        Location.id,
        Location.file_id,
        Root.path,
        Location.directory,
        Location.name,
        Location.size,
        Location.mtime_ns,
        File.container,
    ).join(Root, Root.id == Location.root_id)
    wanted = _unhashed(statement, everything).where(Location.id > after)
    rows = session.execute(wanted.order_by(Location.id).limit(limit)).all()
    return [Unhashed(row[0], row[1] or 0, row[2], row[3], row[4], row[5], row[6], row[7]) for row in rows]


def unhashed_bytes(session: Session, *, everything: bool) -> int:
    """How many bytes there are to hash."""
    # PostgreSQL adds big numbers up to a decimal.
    return int(session.scalar(_unhashed(select(func.sum(Location.size)), everything)) or 0)


def _unhashed(statement: Any, everything: bool) -> Any:
    there = (
        statement.join(File, File.id == Location.file_id)
        .outerjoin(Quarantine, Quarantine.location_id == Location.id)
        .where(Location.sha256.is_(None), Location.missing_since.is_(None), Quarantine.id.is_(None))
    )
    return there if everything else there.where(Location.file_id.in_(_copied()))


def _copied() -> Any:
    """Files seen at several places that are not hard links of each other."""
    return (
        select(Location.file_id)
        .where(and_(Location.missing_since.is_(None), Location.file_id.is_not(None)))
        .group_by(Location.file_id)
        .having(func.count(func.distinct(Location.inode)) > 1)
    )


def record_hashes(session: Session, hashes: Sequence[tuple[Unhashed, Mapping[str, str]]]) -> set[int]:
    """Store measured hashes (place, hashes by kind); answers the versions whose entries change.

    Content that shared a fingerprint but differs becomes a file of its own; a file whose hash a hub claims
    joins the hub's version.
    """
    for place, found in hashes:
        session.execute(update(Location).where(Location.id == place.id).values(sha256=found["sha256"]))
    touched: set[int] = set()
    for place, found in hashes:
        touched |= _settle(session, place, found["sha256"])
    return touched | _store_kinds(session, {found["sha256"]: found for _, found in hashes})


def _store_kinds(session: Session, hashes: Mapping[str, Mapping[str, str]]) -> set[int]:
    files: dict[str, int] = {}
    for piece in pieces(hashes):
        rows = session.execute(select(File.sha256, File.id).where(File.sha256.in_(piece)))
        files.update({digest: id_ for digest, id_ in rows if digest is not None})
    kinds = [
        {"file_id": files[digest], "kind": kind, "value": value}
        for digest, found in hashes.items()
        for kind, value in found.items()
    ]
    upsert(session, HashRow, kinds, ["file_id", "kind"])
    return link_by_hash(session, files=files.values()).versions


def _settle(session: Session, place: Unhashed, digest: str) -> set[int]:
    file = session.get_one(File, place.file_id)
    if file.sha256 == digest:
        return {file.version_id}
    twin = session.scalar(select(File).where(File.sha256 == digest))
    if twin is None and file.sha256 is None:
        file.sha256 = digest
        session.flush()
        return {file.version_id}
    if twin is None:
        twin = _split(session, file, digest)
    session.execute(update(Location).where(Location.id == place.id).values(file_id=twin.id))
    return {file.version_id, twin.version_id}


def _split(session: Session, file: File, digest: str) -> File:
    """A file of its own for bytes that only looked the same; headers are equal, so the verdict is copied."""
    model = Model(key=f"file:{digest}")
    session.add(model)
    session.flush()
    version = Version(key=f"file:{digest}", model_id=model.id)
    session.add(version)
    session.flush()
    twin = File(
        version_id=version.id,
        fingerprint=f"sha256:{digest}",
        size=file.size,
        container=file.container,
        sha256=digest,
        warnings=file.warnings,
    )
    session.add(twin)
    session.flush()
    for row in session.scalars(select(VerdictRow).where(VerdictRow.file_id == file.id)):
        copied = {c.name: getattr(row, c.name) for c in VerdictRow.__table__.columns if c.name != "id"}
        session.add(VerdictRow(**copied | {"file_id": twin.id}))
    copy_overrides(session, file.id, twin.id)
    follow_files(session, [(file.version_id, version.id)])
    session.flush()
    return twin
