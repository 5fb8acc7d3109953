"""What stands behind published versions: statements, files, hashes, pictures; a query or two each."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import orjson
from sqlalchemy import Select, Text, or_, select, type_coerce
from sqlalchemy.orm import Session

from indexer.catalog.among import among
from indexer.catalog.hub_schema import HashRow, HubFileRow
from indexer.catalog.published_records import HeldFile, OfferedFile, ShownImage, StoredEntry
from indexer.catalog.schema import ClaimRow, Entry, File, Location, Preview, VerdictRow
from indexer.catalog.upsert import pieces

__all__ = [
    "OTHERS",
    "copied_statements",
    "held_files",
    "image_of",
    "image_rows",
    "offered_files",
    "shown_images",
    "statements",
    "stored_entries",
    "type_not_denied",
]

OTHERS = 1_000
"""Pictures from this position on were made by others, not chosen by the creator."""

_TYPE = '"type":"'
"""How a type begins in a statement's text, as ``clean_json`` writes it."""

_COPIES = ("sidecar:civitai.info", "sidecar:api_info")
"""Sidecars that hold a hub's answer as it was, the more telling first."""


def statements(
    session: Session, subject: Literal["model", "version"], ids: Iterable[int]
) -> dict[int, Mapping[str, Any]]:
    """What hubs say of models or versions now, in their own words. Of a model that is gone its last word
    stands over what it said before."""
    column = ClaimRow.model_id if subject == "model" else ClaimRow.version_id
    found: dict[int, Mapping[str, Any]] = {}
    for piece in pieces(ids):
        rows = session.execute(
            select(column, type_coerce(ClaimRow.raw, Text), type_coerce(ClaimRow.unparsed, Text))
            .where(among(column, piece), ClaimRow.current)
            .order_by(ClaimRow.id)
        )
        for id_, raw, unparsed in rows:
            found[id_ or 0] = {**found.get(id_ or 0, {}), **_data(raw), **_data(unparsed)}
    return found


def type_not_denied(session: Session, model_ids: Sequence[int], types: Iterable[str]) -> list[int]:
    """Models of which one of these types may be said, in their order: nothing is said of them, or the word
    stands in the text as a ``type``. A few too many, never one too few."""
    raw, unparsed = type_coerce(ClaimRow.raw, Text), type_coerce(ClaimRow.unparsed, Text)
    named = or_(*(raw.contains(f'{_TYPE}{word}"', autoescape=True) for word in types))
    silent = or_(
        raw.is_(None), ~raw.contains(_TYPE, autoescape=True), unparsed.contains(_TYPE, autoescape=True)
    )
    verdicts: dict[int, bool] = {}
    for piece in pieces(model_ids):
        wanted = select(ClaimRow.model_id, or_(named, silent)).where(among(ClaimRow.model_id, piece))
        for id_, may in session.execute(wanted.where(ClaimRow.current)):
            verdicts[id_ or 0] = verdicts.get(id_ or 0, False) or bool(may)
    return [id_ for id_ in model_ids if verdicts.get(id_, True)]


def stored_entries(session: Session, version_ids: Iterable[int]) -> dict[int, StoredEntry]:
    """Entries by version id; versions that are not shown are left out."""
    return {
        id_: StoredEntry(id_, text)
        for piece in pieces(version_ids)
        for id_, text in session.execute(
            select(Entry.version_id, type_coerce(Entry.document, Text)).where(
                among(Entry.version_id, piece), Entry.document.is_not(None)
            )
        )
        if text is not None
    }


def copied_statements(session: Session, versions: Mapping[int, int]) -> dict[int, Mapping[str, Any]]:
    """A hub's answer about a version as another tool laid it beside a file: file id -> version id in."""
    found: dict[int, Mapping[str, Any]] = {}
    for piece in pieces(versions):
        rows = session.execute(
            select(ClaimRow.file_id, type_coerce(ClaimRow.raw, Text))
            .where(among(ClaimRow.file_id, piece), ClaimRow.source.in_(_COPIES), ClaimRow.current)
            .order_by(ClaimRow.source.desc(), ClaimRow.id)
        )
        found.update((versions[file_id], _data(raw)) for file_id, raw in rows if file_id and raw)
    return found


def _data(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    value = orjson.loads(text)
    return value if isinstance(value, dict) else {}


_OFFERED = (
    HubFileRow.id,
    HubFileRow.version_id,
    HubFileRow.key,
    HubFileRow.name,
    HubFileRow.type,
    HubFileRow.size,
    HubFileRow.format,
    HubFileRow.precision,
    HubFileRow.primary,
    HubFileRow.url,
)


def offered_files(session: Session, version_ids: Collection[int]) -> dict[int, list[OfferedFile]]:
    """What hubs offer for versions, in their order, with the hashes they claim."""
    rows = [
        row
        for piece in pieces(version_ids)
        for row in session.execute(
            select(*_OFFERED, type_coerce(HubFileRow.detail, Text))
            .where(among(HubFileRow.version_id, piece), HubFileRow.gone_at.is_(None))
            .order_by(HubFileRow.id)
        )
    ]
    ids = [row[0] for row in rows]
    hashes, here = _hashes(session, HashRow.hub_file_id, ids), _here(session, ids)
    files: dict[int, list[OfferedFile]] = {}
    for *columns, detail in rows:
        own = hashes.get(columns[0], {})
        file = OfferedFile._make((*columns, _data(detail), own, here.get(columns[0])))
        files.setdefault(file.version_id, []).append(file)
    return files


def _here(session: Session, hub_files: Sequence[int]) -> dict[int, int]:
    """Files of ours with the SHA-256 that a hub's file claims, by the id of the hub's."""
    return {
        offered or 0: id_
        for piece in pieces(hub_files)
        for offered, id_ in session.execute(
            select(HashRow.hub_file_id, File.id)
            .join(File, File.sha256 == HashRow.value)
            .where(among(HashRow.hub_file_id, piece), HashRow.kind == "sha256")
        )
    }


def _hashes(session: Session, subject: Any, ids: Iterable[int]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    for piece in pieces(ids):
        rows = session.execute(select(subject, HashRow.kind, HashRow.value).where(among(subject, piece)))
        for id_, kind, value in rows:
            found.setdefault(id_, {})[kind] = value
    return found


def held_files(session: Session, version_ids: Collection[int]) -> dict[int, list[HeldFile]]:
    """Files of ours by version, with verdicts and measured hashes."""
    rows = [
        row
        for piece in pieces(version_ids)
        for row in session.execute(
            select(File, type_coerce(VerdictRow.detail, Text))
            .outerjoin(VerdictRow, VerdictRow.file_id == File.id)
            .where(among(File.version_id, piece))
            .order_by(File.id)
        )
    ]
    ids = [row[0].id for row in rows]
    names = _names(session, ids)
    hashes = _hashes(session, HashRow.file_id, ids)
    files: dict[int, list[HeldFile]] = {}
    for file, verdict in rows:
        one = _held(file, verdict, names.get(file.id, b""))
        known = replace(one, hashes={**one.hashes, **hashes.get(one.id, {})})
        files.setdefault(one.version_id, []).append(known)
    return files


def _names(session: Session, file_ids: Iterable[int]) -> dict[int, bytes]:
    """Names of files at their first places."""
    found: dict[int, bytes] = {}
    for piece in pieces(file_ids):
        rows = session.execute(
            select(Location.file_id, Location.name)
            .where(among(Location.file_id, piece))
            .order_by(Location.id.desc())
        )
        found.update((file_id or 0, name) for file_id, name in rows)
    return found


def _held(file: File, verdict: str | None, name: bytes) -> HeldFile:
    return HeldFile(
        id=file.id,
        version_id=file.version_id,
        name=name.decode("utf-8", "replace"),
        size=file.size,
        container=file.container,
        verdict=_data(verdict),
        added_at=file.added_at,
        hashes={"sha256": file.sha256, "autov2": file.sha256[:10]} if file.sha256 else {},
    )


def image_rows() -> Select[*tuple[Any, ...]]:
    """Pictures, as ``image_of`` reads them. Which of them can be shown is told there: as a condition it makes
    SQLite leave the index on versions."""
    return select(
        Preview.id,
        Preview.version_id,
        Preview.place_id,
        Preview.location,
        Preview.media,
        Preview.width,
        Preview.height,
        Preview.blurhash,
        Preview.nsfw_level,
        Preview.thumbnail,
        Preview.colour,
        Preview.position,
        Preview.status,
        type_coerce(Preview.meta, Text),
    )


def image_of(row: Sequence[Any]) -> tuple[int, ShownImage | None]:
    """A row of ``image_rows`` as position and record; None for a picture that is missing or broken."""
    id_, version_id, place_id, location, *facts, position, status, meta = row
    own = place_id is not None
    if status != "ok" if own else status == "missing":
        return position, None
    url = None if own else location.decode("utf-8", "replace")
    media, width, height, blurhash, level, thumbnail, colour = facts
    others = not own and position >= OTHERS
    return position, ShownImage(
        id_, version_id, url, media, width, height, blurhash, level, thumbnail, _data(meta), others, colour
    )


def shown_images(session: Session, version_ids: Collection[int]) -> dict[int, list[ShownImage]]:
    """The pictures of versions that the creator chose or that lie beside our files, first ones first."""
    found: list[tuple[int, ShownImage]] = []
    for piece in pieces(version_ids):
        rows = session.execute(
            image_rows().where(among(Preview.version_id, piece), Preview.position < OTHERS)
        )
        found += [(place, image) for place, image in map(image_of, rows) if image is not None]
    # In order here: the database would carry the long rows through its sort.
    found.sort(key=lambda one: (one[0], one[1].id))
    images: dict[int, list[ShownImage]] = {}
    for _, image in found:
        images.setdefault(image.version_id, []).append(image)
    return images
