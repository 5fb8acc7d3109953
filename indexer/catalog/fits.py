"""Storing and reading what of each file takes part in fitting. Profiles that are equal are stored once."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from sqlalchemy import BindParameter, Text, bindparam, delete, select, type_coerce
from sqlalchemy.orm import Session

from indexer.catalog.fit_schema import FileFit, FitProfileRow, HubFileFit
from indexer.catalog.hub_schema import HubFileRow
from indexer.catalog.roots import place_path
from indexer.catalog.schema import Entry, File, Location, Root, VerdictRow
from indexer.catalog.upsert import pieces, upsert, values_by_key

__all__ = ["FitRow", "fit_rows", "iterate_fits", "store_fits", "store_hub_fits"]


@dataclass(frozen=True, slots=True)
class FitRow:
    """What is stored of a file for fitting. ``data`` is a packed profile, None where none is stored;
    ``path`` is one place where it lies, None where it lies nowhere now; ``file_id`` is None of a file that
    is only at a hub."""

    file_id: int | None
    version_id: int
    size: int
    verdict: Mapping[str, Any]
    data: bytes | None
    path: bytes | None = None


def store_fits(session: Session, fits: Mapping[int, bytes | None]) -> None:
    """Store the packed profiles of files by id; of files with None what was stored is taken away.

    Five statements at most, however many files. A profile that no file has any more stays: it is small, and
    comes back with the next file of its sort.
    """
    _store(session, FileFit, FileFit.file_id, fits)


def store_hub_fits(session: Session, fits: Mapping[int, bytes | None]) -> None:
    """The same of files at hubs, by their ids."""
    _store(session, HubFileFit, HubFileFit.hub_file_id, fits)


def _store(session: Session, table: Any, owner: Any, fits: Mapping[int, bytes | None]) -> None:
    digests = {data: hashlib.sha256(data).hexdigest() for data in fits.values() if data is not None}
    rows = [{"digest": digest, "data": data} for data, digest in digests.items()]
    upsert(session, FitProfileRow, sorted(rows, key=_digest), ["digest"], update=False)
    ids = values_by_key(session, FitProfileRow.digest, FitProfileRow.id, digests.values())
    links = [
        {owner.key: file_id, "profile_id": ids[digests[data]]}
        for file_id, data in fits.items()
        if data is not None
    ]
    upsert(session, table, links, [owner.key])
    for piece in pieces([file_id for file_id, data in fits.items() if data is None]):
        session.execute(delete(table).where(owner.in_(piece)))


def _digest(row: Mapping[str, Any]) -> str:
    return str(row["digest"])


_COLUMNS = (
    File.id,
    File.version_id,
    File.size,
    type_coerce(VerdictRow.detail, Text),  # the column's own reader takes four times as long
    FitProfileRow.data,
)


_IDS: BindParameter[Any] = bindparam("ids", expanding=True)


def _wanted() -> Any:
    return (
        select(*_COLUMNS)
        .join(VerdictRow, VerdictRow.file_id == File.id)
        .outerjoin(FileFit, FileFit.file_id == File.id)
        .outerjoin(FitProfileRow, FitProfileRow.id == FileFit.profile_id)
    )


def fit_rows(session: Session, version_ids: Iterable[int]) -> dict[int, list[FitRow]]:
    """The judged files of versions by version, the largest first; of a version without a file of ours the one
    that a hub offers. Three statements for 500 versions."""
    found: dict[int, list[FitRow]] = {}
    for piece in pieces(version_ids, 500):
        places = _places(session, piece)
        for file_id, version_id, size, detail, data in session.execute(_of_versions(), {"ids": piece}):
            row = FitRow(file_id, version_id, size, orjson.loads(detail), data, places.get(file_id))
            found.setdefault(version_id, []).append(row)
        if away := [id_ for id_ in piece if id_ not in found]:
            found |= _offered(session, away)
    return found


def _offered(session: Session, version_ids: Sequence[int]) -> dict[int, list[FitRow]]:
    """What headers read from afar told, of the main file of each version."""
    found: dict[int, list[FitRow]] = {}
    for version_id, size, detail, data in session.execute(_of_offers(), {"ids": version_ids}):
        verdict = (orjson.loads(detail) or {}).get("verdict") if detail else None
        if isinstance(verdict, dict) and version_id not in found:
            found[version_id] = [FitRow(None, version_id, size or 0, verdict, data)]
    return found


@cache
def _of_offers() -> Any:
    return (
        select(
            HubFileRow.version_id,
            HubFileRow.size,
            type_coerce(HubFileRow.detail, Text),
            FitProfileRow.data,
        )
        .join(HubFileFit, HubFileFit.hub_file_id == HubFileRow.id)
        .join(FitProfileRow, FitProfileRow.id == HubFileFit.profile_id)
        .where(HubFileRow.version_id.in_(_IDS), HubFileRow.gone_at.is_(None))
        .order_by(HubFileRow.primary.desc(), HubFileRow.id)
    )


def _places(session: Session, version_ids: Sequence[int]) -> dict[int, bytes]:
    rows = session.execute(_places_of_versions(), {"ids": version_ids})
    return {file_id or 0: place_path(root, directory, name) for file_id, root, directory, name in rows}


@cache
def _of_versions() -> Any:
    """Made once, as below: making a statement costs more than asking for one version."""
    return _wanted().where(File.version_id.in_(_IDS)).order_by(File.size.desc(), File.id)


@cache
def _places_of_versions() -> Any:
    return (
        select(Location.file_id, Root.path, Location.directory, Location.name)
        .join(File, File.id == Location.file_id)
        .join(Root, Root.id == Location.root_id)
        .where(File.version_id.in_(_IDS), Location.missing_since.is_(None))
        .order_by(Location.id.desc())
    )


def iterate_fits(
    session: Session,
    kinds: Iterable[str],
    batch: int = 1_000,
    *,
    after: int = 0,
    until: int | None = None,
) -> Iterator[list[FitRow]]:
    """All files of these kinds that entries show and that have a profile, in batches, by id; their places are
    not told. ``after`` and ``until`` bound the ids of files."""
    statement = (
        _wanted()
        .join(Entry, Entry.version_id == File.version_id)
        .where(
            VerdictRow.kind.in_(sorted(kinds)), Entry.document.is_not(None), FitProfileRow.data.is_not(None)
        )
        .order_by(File.id)
        .limit(batch)
    )
    if until is not None:
        statement = statement.where(File.id <= until)
    last = after
    while rows := session.execute(statement.where(File.id > last)).all():
        last = rows[-1][0]
        yield [
            FitRow(file_id, version_id, size, orjson.loads(detail), data)
            for file_id, version_id, size, detail, data in rows
        ]
