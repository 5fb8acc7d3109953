"""Files that hubs offer, with the hashes they claim for them."""

from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Text, cast, select, update
from sqlalchemy.orm import Session

from indexer.catalog.fit_schema import FitProfileRow, HubFileFit
from indexer.catalog.fits import store_hub_fits
from indexer.catalog.hub_schema import HashRow, HubFileRow
from indexer.catalog.table_base import now
from indexer.catalog.upsert import pieces, upsert
from indexer.domain.hubs import HASH_KINDS, HubFile

__all__ = ["JUDGED", "fit_text", "known_verdicts", "sync_hub_files"]

JUDGED = cast(HubFileRow.detail, Text).like('%"verdict":{%')
"""Rows whose detail (kept as JSON text) holds what the file's header says, read from afar."""


def sync_hub_files(
    session: Session,
    wanted: Mapping[int, tuple[str, Sequence[HubFile]]],
    *,
    fresh: Collection[int] = (),
) -> None:
    """Make the files on offer of versions (id -> source and files) those of ``wanted``.

    A file that is no longer offered keeps its row and its hashes, marked gone. ``fresh`` versions are known
    to have none yet.
    """
    rows: dict[tuple[int, str, str], dict[str, Any]] = {
        (version_id, source, file.key): {
            "version_id": version_id,
            "source": source,
            "key": file.key,
            "name": file.name,
            "type": file.type,
            "size": file.size,
            "format": file.format,
            "precision": file.precision,
            "primary": file.primary,
            "url": file.url,
            "detail": dict(file.detail) or None,
            "gone_at": None,
        }
        for version_id, (source, files) in wanted.items()
        for file in files
    }
    fits = _take_fits(rows)
    _keep_verdicts(session, {key: row for key, row in rows.items() if key[0] not in fresh})
    upsert(session, HubFileRow, list(rows.values()), ["version_id", "source", "key"])
    ids = _ids(session, wanted)
    changed = {ids[key]: None for key, row in rows.items() if key[0] not in fresh and not _is_judged(row)}
    store_hub_fits(session, changed | {ids[key]: data for key, data in fits.items()})
    gone = [id_ for key, id_ in ids.items() if key not in rows and wanted[key[0]][0] == key[1]]
    for piece in pieces(gone):
        session.execute(
            update(HubFileRow)
            .where(HubFileRow.id.in_(piece), HubFileRow.gone_at.is_(None))
            .values(gone_at=now())
        )
    hashes = {
        (ids[(version_id, source, file.key)], kind): value
        for version_id, (source, files) in wanted.items()
        for file in files
        for kind, value in file.hashes.items()
        if kind in HASH_KINDS
    }
    upsert(
        session,
        HashRow,
        [{"hub_file_id": id_, "kind": kind, "value": value} for (id_, kind), value in hashes.items()],
        ["hub_file_id", "kind"],
    )


def known_verdicts(session: Session, hashes: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What headers of files at hubs said, by the SHA-256 that the hub claims for them; with the profile for
    fitting (``fit``, as ``fit_text`` makes it) where one is kept."""
    known: dict[str, dict[str, Any]] = {}
    for piece in pieces(hashes):
        rows = session.execute(
            select(HashRow.value, HubFileRow.detail, FitProfileRow.data)
            .join(HubFileRow, HubFileRow.id == HashRow.hub_file_id)
            .outerjoin(HubFileFit, HubFileFit.hub_file_id == HubFileRow.id)
            .outerjoin(FitProfileRow, FitProfileRow.id == HubFileFit.profile_id)
            .where(HashRow.value.in_(piece), HashRow.kind == "sha256", JUDGED)
        )
        for value, detail, data in rows:
            if detail and "verdict" in detail:
                known[value] = detail["verdict"] | ({"fit": fit_text(data)} if data is not None else {})
    return known


def fit_text(data: bytes) -> str:
    """A packed profile as text, on its way beside a verdict."""
    return b64encode(data).decode("ascii")


def _take_fits(rows: Mapping[tuple[int, str, str], dict[str, Any]]) -> dict[tuple[int, str, str], bytes]:
    """The profiles that came with verdicts, taken out of them: they have a table of their own."""
    found = {}
    for key, row in rows.items():
        verdict = (row["detail"] or {}).get("verdict")
        if isinstance(verdict, Mapping) and isinstance(verdict.get("fit"), str):
            rest = {name: value for name, value in verdict.items() if name != "fit"}
            row["detail"] = {**row["detail"], "verdict": rest}
            found[key] = b64decode(verdict["fit"])
    return found


def _is_judged(row: Mapping[str, Any]) -> bool:
    return "verdict" in (row["detail"] or {})


def _keep_verdicts(session: Session, rows: Mapping[tuple[int, str, str], dict[str, Any]]) -> None:
    """A file that is still the same keeps what its header said, when nobody looked again."""
    columns = (HubFileRow.version_id, HubFileRow.source, HubFileRow.key, HubFileRow.size, HubFileRow.detail)
    for piece in pieces({version_id for version_id, _, _ in rows}):
        for *key, size, before in session.execute(
            select(*columns).where(HubFileRow.version_id.in_(piece), JUDGED)
        ):
            row = rows.get((key[0], key[1], key[2]))
            if row is not None and before and "verdict" in before and _is_same(row, size, before):
                row["detail"] = {"verdict": before["verdict"], **(row["detail"] or {})}


def _is_same(row: Mapping[str, Any], size: int | None, before: Mapping[str, Any]) -> bool:
    told = row["detail"] or {}
    return row["size"] == size and all(told.get(n) == before.get(n) for n in ("blobId", "oid", "xetHash"))


def _ids(session: Session, versions: Mapping[int, object]) -> dict[tuple[int, str, str], int]:
    found: dict[tuple[int, str, str], int] = {}
    for piece in pieces(versions):
        rows = session.execute(
            select(HubFileRow.version_id, HubFileRow.source, HubFileRow.key, HubFileRow.id).where(
                HubFileRow.version_id.in_(piece)
            )
        )
        found.update({(version, source, key): id_ for version, source, key, id_ in rows})
    return found
