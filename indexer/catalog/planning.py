"""What a move plan reads of many versions at once: how files are stored, sisters, training metadata."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import orjson
from sqlalchemy import Text, select, type_coerce
from sqlalchemy.orm import Session

from indexer.catalog.schema import ClaimRow, Entry, File, Preview, VerdictRow, Version
from indexer.catalog.upsert import pieces

__all__ = ["header_texts", "page_texts", "sisters", "stored_as", "thumbnails"]

_MOST_SISTERS = 200


def stored_as(session: Session, version_ids: Iterable[int]) -> dict[int, tuple[str, str | None]]:
    """Version -> container and key format of its largest file; versions without a file are left out."""
    found: dict[int, tuple[str, str | None]] = {}
    for piece in pieces(version_ids, 500):
        rows = session.execute(
            select(File.version_id, File.container, VerdictRow.detail)
            .outerjoin(VerdictRow, VerdictRow.file_id == File.id)
            .where(File.version_id.in_(piece))
            .order_by(File.size, File.id.desc())
        )
        for id_, container, detail in rows:
            found[id_] = container, (detail or {}).get("key_format")
    return found


def sisters(session: Session, model_ids: Collection[int]) -> dict[int, list[int]]:
    """Model -> the versions of it that are shown, by id; at most 200 a model."""
    found: dict[int, list[int]] = {}
    for piece in pieces(sorted(model_ids), 500):
        rows = session.execute(
            select(Version.model_id, Version.id)
            .join(Entry, Entry.version_id == Version.id)
            .where(Version.model_id.in_(piece), Entry.document.is_not(None))
            .order_by(Version.model_id, Version.id)
        )
        for model_id, id_ in rows:
            members = found.setdefault(model_id, [])
            if len(members) < _MOST_SISTERS:
                members.append(id_)
    return found


def header_texts(session: Session, version_ids: Iterable[int]) -> dict[int, dict[str, str]]:
    """Version -> the metadata of its files' own headers, the first file's word first. A few kilobytes to a
    megabyte each: ask for a hundred at a time."""
    found: dict[int, dict[str, str]] = {}
    for piece in pieces(version_ids, 100):
        rows = session.execute(
            select(File.version_id, ClaimRow.raw)
            .join(ClaimRow, ClaimRow.file_id == File.id)
            .where(File.version_id.in_(piece), ClaimRow.source.startswith("header:"), ClaimRow.current)
            .order_by(ClaimRow.file_id.desc(), ClaimRow.id.desc())
        )
        for id_, raw in rows:
            found.setdefault(id_, {}).update(_texts(raw))
    return found


def page_texts(session: Session, models: Mapping[int, int]) -> dict[int, list[str]]:
    """Version -> its descriptions with links in them, as their sources wrote them: HTML mostly, of which
    entries keep the words alone. ``models`` are the models' ids by version. Three statements for 500."""
    found: dict[int, list[str]] = {}
    versions: dict[int, list[int]] = {}
    for id_, model_id in models.items():
        versions.setdefault(model_id, []).append(id_)
    of_file = select(File.version_id, _CLAIMS).join(ClaimRow, ClaimRow.file_id == File.id)
    for piece in pieces(sorted(models), 500):
        of_version = select(ClaimRow.version_id, _CLAIMS).where(ClaimRow.version_id.in_(piece))
        for rows in (of_version, of_file.where(File.version_id.in_(piece))):
            for owner, said in session.execute(rows.where(ClaimRow.current)):
                _add_linked(found, (owner,), said)
    for piece in pieces(sorted(versions), 500):
        of_model = select(ClaimRow.model_id, _CLAIMS).where(ClaimRow.model_id.in_(piece), ClaimRow.current)
        for owner, said in session.execute(of_model):
            _add_linked(found, versions[owner or 0], said)
    return found


_CLAIMS = type_coerce(ClaimRow.claims, Text)


def _add_linked(found: dict[int, list[str]], ids: Iterable[int | None], said: str | None) -> None:
    text = (orjson.loads(said) or {}).get("description") if said and "href" in said else None
    for id_ in ids if isinstance(text, str) else ():
        found.setdefault(id_ or 0, []).append(str(text))


def _texts(raw: Mapping[str, Any] | None) -> dict[str, str]:
    return {key: text for key, text in (raw or {}).items() if isinstance(text, str)}


def thumbnails(session: Session, preview_ids: Iterable[int]) -> dict[int, str]:
    """Preview -> name of its thumbnail; previews without one are left out."""
    found: dict[int, str] = {}
    for piece in pieces(preview_ids):
        rows = session.execute(
            select(Preview.id, Preview.thumbnail).where(
                Preview.id.in_(piece), Preview.status == "ok", Preview.thumbnail.is_not(None)
            )
        )
        found.update({id_: name for id_, name in rows if name is not None})
    return found
