"""Models with all that is known of them, many at once: a fixed number of queries, however many there are."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from indexer.catalog.among import among
from indexer.catalog.published_parts import (
    copied_statements,
    held_files,
    offered_files,
    shown_images,
    statements,
    stored_entries,
)
from indexer.catalog.published_records import HubSaid, PublishedModel, PublishedVersion, StoredEntry
from indexer.catalog.schema import Creator, Model, Version
from indexer.catalog.statistics import latest_numbers
from indexer.catalog.upsert import pieces

__all__ = ["RESERVED", "model_statements", "published_models", "siblings"]

RESERVED = ("civitai", "list")
"""Sources whose statements have Civitai's shape."""

_PREFIXES = tuple(f"{source}:" for source in RESERVED)


def published_models(session: Session, model_ids: Iterable[int]) -> dict[int, PublishedModel]:
    """Models by id, those that are there, with files, pictures and numbers."""
    models = model_statements(session, model_ids)
    versions = [version for model in models.values() for version in model.versions]
    ids = [version.id for version in versions]
    offered, held, images = offered_files(session, ids), held_files(session, ids), shown_images(session, ids)
    numbers = _latest(session, "version", set(ids))
    of_models = _latest(session, "model", set(models))
    silent = {v.id for v in versions if v.said is None and v.key.startswith("civitai:")}
    copies = copied_statements(session, {file.id: id_ for id_ in silent for file in held.get(id_, ())})

    def whole(version: PublishedVersion) -> PublishedVersion:
        id_ = version.id
        return replace(
            version,
            said=copies.get(id_) if version.said is None else version.said,
            numbers=numbers.get(id_, {}),
            offered=offered.get(id_, ()),
            held=held.get(id_, ()),
            images=images.get(id_, ()),
        )

    return {
        id_: replace(model, numbers=of_models.get(id_, {}), versions=[whole(one) for one in model.versions])
        for id_, model in models.items()
    }


def model_statements(session: Session, model_ids: Iterable[int]) -> dict[int, PublishedModel]:
    """The same without files, pictures and numbers: what was said, and the entries."""
    wanted = sorted(set(model_ids))
    rows = [
        row for piece in pieces(wanted) for row in session.execute(_models().where(among(Model.id, piece)))
    ]
    versions = [
        row
        for piece in pieces(row.id for row in rows)
        for row in session.execute(_versions().where(among(Version.model_id, piece)).order_by(Version.id))
    ]
    said = statements(session, "model", _told(rows))
    of_versions = statements(session, "version", _told(versions))
    entries = stored_entries(session, [row.id for row in versions])
    of_model: dict[int, list[PublishedVersion]] = {}
    for row in versions:
        one = _version(row, of_versions.get(row.id), entries.get(row.id))
        of_model.setdefault(row.model_id, []).append(one)
    return {
        row.id: PublishedModel(
            id=row.id,
            key=row.key,
            creator=row.creator,
            gone=row.gone,
            said=said.get(row.id),
            numbers={},
            versions=of_model.get(row.id, ()),
        )
        for row in rows
    }


def _version(row: Any, said: HubSaid | None, entry: StoredEntry | None) -> PublishedVersion:
    return PublishedVersion(
        id=row.id,
        model_id=row.model_id,
        key=row.key,
        added_at=row.added_at,
        gone=row.gone,
        entry=entry,
        said=said,
    )


def siblings(session: Session, model_ids: Iterable[int]) -> dict[int, list[StoredEntry]]:
    """The entries of all versions of models, by model."""
    owners = {
        id_: model_id
        for piece in pieces(model_ids)
        for id_, model_id in session.execute(
            select(Version.id, Version.model_id).where(among(Version.model_id, piece))
        )
    }
    found: dict[int, list[StoredEntry]] = {}
    for id_, entry in stored_entries(session, owners).items():
        found.setdefault(owners[id_], []).append(entry)
    return found


def _models() -> Any:
    columns = (Model.id, Model.key, Model.gone, Creator.name.label("creator"))
    return select(*columns).outerjoin(Creator, Creator.id == Model.creator_id)


def _versions() -> Any:
    return select(Version.id, Version.model_id, Version.key, Version.added_at, Version.gone)


def _told(rows: Sequence[Any]) -> list[int]:
    return [row.id for row in rows if row.key.startswith(_PREFIXES)]


def _latest(session: Session, subject: Any, ids: set[int]) -> dict[int, Mapping[str, Any]]:
    """The numbers of each, whichever source of ``RESERVED`` told them."""
    latest = latest_numbers(session, subject, ids)
    return {id_: numbers for (id_, source), numbers in latest.items() if source in RESERVED}
