"""Which published thing is meant? By a hub's number, by a hash, by a file; always by an index."""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from indexer.catalog.hub_schema import HashRow, HubFileRow
from indexer.catalog.roots import known_roots, place_path
from indexer.catalog.schema import Entry, File, Location, Model, Root, Version
from indexer.catalog.upsert import pieces, values_by_key

__all__ = ["Place", "count_models", "model_ids", "owners", "places_of", "version_keys", "versions_by_hash"]

_SUREST = ("sha256", "blake3", "autov3", "autov2", "autov1", "crc32")
"""Kinds of hashes, those that name content most surely first: eight digits collide."""

_OF_NOTHING = "e3b0c44298fc"
"""What AutoV3 gives for a file without weights; many broken files share it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file of ours was last seen, and what it looked like then. ``roots`` are all indexed folders."""

    path: bytes
    name: str
    size: int
    mtime_ns: int
    inode: str
    etag: str
    roots: Sequence[bytes]


def model_ids(session: Session, keys: Iterable[str]) -> dict[str, int]:
    """Ids of models by their keys (``civitai:3``)."""
    return values_by_key(session, Model.key, Model.id, keys)


def owners(session: Session, version_ids: Iterable[int]) -> dict[int, int]:
    """The model of each version that is an entry."""
    return {
        id_: model_id
        for piece in pieces(version_ids)
        for id_, model_id in session.execute(
            select(Version.id, Version.model_id)
            .join(Entry, Entry.version_id == Version.id)
            .where(Version.id.in_(piece), Entry.document.is_not(None))
        )
    }


def count_models(session: Session, version_ids: Iterable[int]) -> int:
    """How many models these versions belong to; of many about as many (a model in two pieces counts
    twice)."""
    counts = (
        session.scalar(select(func.count(Version.model_id.distinct())).where(Version.id.in_(piece)))
        for piece in pieces(version_ids, 5_000)
    )
    return sum(count or 0 for count in counts)


def version_keys(session: Session, version_ids: Iterable[int]) -> dict[int, str]:
    """Keys of versions by id."""
    return values_by_key(session, Version.id, Version.key, version_ids)


def versions_by_hash(session: Session, hashes: Collection[str]) -> dict[str, int]:
    """The version of the file that has a hash, by the hash (lower-case hex of any kind, CRC-32 in either
    byte order). Of several the surest kind counts, then the file of ours, then the oldest."""
    wanted = {
        one: digits for digits in hashes if not digits.startswith(_OF_NOTHING) for one in _forms(digits)
    }
    best: dict[str, tuple[int, bool, int, int]] = {}
    for piece in pieces(wanted):
        rows = session.execute(
            select(HashRow.value, HashRow.kind, File.version_id, HubFileRow.version_id)
            .outerjoin(File, File.id == HashRow.file_id)
            .outerjoin(HubFileRow, HubFileRow.id == HashRow.hub_file_id)
            .where(HashRow.value.in_(piece))
        )
        for value, kind, ours, theirs in rows:
            _keep(best, wanted[value], (_SUREST.index(kind), ours is None, ours or theirs, ours or theirs))
        measured = session.execute(select(File.sha256, File.version_id).where(File.sha256.in_(piece)))
        for digest, ours in measured:
            _keep(best, wanted[digest or ""], (0, False, ours, ours))
    return {value: found[3] for value, found in best.items()}


def _forms(digits: str) -> Iterable[str]:
    """A full AutoV3 is known by its first 12 digits; of a CRC-32 tools print the bytes in either order."""
    yield digits
    if len(digits) == 8:
        yield bytes.fromhex(digits)[::-1].hex()


def _keep(best: dict[str, tuple[int, bool, int, int]], value: str, found: tuple[int, bool, int, int]) -> None:
    best[value] = min(found, best.get(value, found))


def places_of(session: Session, file_ids: Collection[int]) -> Mapping[int, Place]:
    """Where files of ours lie now; those that are missing everywhere are left out."""
    roots = [os.fsencode(path) for _, path in known_roots(session)]
    rows = session.execute(
        select(Location, Root.path, File.sha256, File.fingerprint)
        .join(Root, Root.id == Location.root_id)
        .join(File, File.id == Location.file_id)
        .where(Location.file_id.in_(file_ids), Location.missing_since.is_(None))
        .order_by(Location.id.desc())
    )
    return {
        place.file_id or 0: Place(
            path=place_path(root, place.directory, place.name),
            name=place.name.decode("utf-8", "replace"),
            size=place.size,
            mtime_ns=place.mtime_ns,
            inode=place.inode,
            etag=sha256 or fingerprint,
            roots=roots,
        )
        for place, root, sha256, fingerprint in rows
    }
