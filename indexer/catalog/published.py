"""Models with all that is known of them, many at once: a fixed number of queries, however many there are."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from indexer.catalog.entries import documents
from indexer.catalog.published_parts import (
    copied_statements,
    held_files,
    offered_files,
    shown_images,
    statements,
)
from indexer.catalog.published_records import (
    HeldFile,
    OfferedFile,
    PublishedModel,
    PublishedVersion,
    ShownImage,
)
from indexer.catalog.schema import Creator, Model, Version
from indexer.catalog.statistics import latest_numbers
from indexer.catalog.upsert import pieces
from indexer.domain.records import Document

__all__ = ["RESERVED", "published_models", "siblings"]

RESERVED = ("civitai", "list")
"""Sources whose statements have Civitai's shape."""


@dataclass(slots=True)
class _Gathered:
    """What was read of versions, by version id."""

    documents: Mapping[int, Document]
    said: Mapping[int, Mapping[str, Any]]
    numbers: Mapping[int, Mapping[str, Any]]
    offered: Mapping[int, Sequence[OfferedFile]]
    held: Mapping[int, Sequence[HeldFile]]
    images: Mapping[int, Sequence[ShownImage]]
    copies: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)

    def version(self, row: Any) -> PublishedVersion:
        said = self.said.get(row.id)
        return PublishedVersion(
            id=row.id,
            model_id=row.model_id,
            key=row.key,
            added_at=row.added_at,
            gone=row.gone,
            document=self.documents.get(row.id),
            said=self.copies.get(row.id) if said is None else said,
            numbers=self.numbers.get(row.id, {}),
            offered=self.offered.get(row.id, ()),
            held=self.held.get(row.id, ()),
            images=self.images.get(row.id, ()),
        )


def published_models(
    session: Session,
    model_ids: Iterable[int],
    known: Mapping[int, Document] | None = None,
    *,
    whole: bool = True,
) -> dict[int, PublishedModel]:
    """Models by id, those that are there. ``known`` are documents that were read already, of all versions.
    Without ``whole`` statements alone are read beside them: no files, pictures and numbers."""
    wanted = sorted(set(model_ids))
    rows = [row for piece in pieces(wanted) for row in session.execute(_models().where(Model.id.in_(piece)))]
    versions = [
        row
        for piece in pieces(row.id for row in rows)
        for row in session.execute(_versions().where(Version.model_id.in_(piece)).order_by(Version.id))
    ]
    said = statements(session, "model", _told(rows))
    numbers = _latest(session, "model", {row.id for row in rows} if whole else set())
    gathered = _gather(session, versions, known, whole=whole)
    of_model: dict[int, list[PublishedVersion]] = {}
    for row in versions:
        of_model.setdefault(row.model_id, []).append(gathered.version(row))
    return {
        row.id: PublishedModel(
            id=row.id,
            key=row.key,
            creator=row.creator,
            gone=row.gone,
            said=said.get(row.id),
            numbers=numbers.get(row.id, {}),
            versions=of_model.get(row.id, ()),
        )
        for row in rows
    }


def siblings(session: Session, version_ids: Collection[int]) -> dict[int, dict[int, Document]]:
    """The documents of all versions of the models that these versions belong to: model -> version -> it."""
    models = {
        id_
        for piece in pieces(version_ids)
        for id_ in session.scalars(select(Version.model_id).where(Version.id.in_(piece)))
    }
    owners = {
        id_: model_id
        for piece in pieces(models)
        for id_, model_id in session.execute(
            select(Version.id, Version.model_id).where(Version.model_id.in_(piece))
        )
    }
    found: dict[int, dict[int, Document]] = {}
    for id_, document in documents(session, owners).items():
        found.setdefault(owners[id_], {})[id_] = document
    return found


def _models() -> Any:
    columns = (Model.id, Model.key, Model.gone, Creator.name.label("creator"))
    return select(*columns).outerjoin(Creator, Creator.id == Model.creator_id)


def _versions() -> Any:
    return select(Version.id, Version.model_id, Version.key, Version.added_at, Version.gone)


def _gather(
    session: Session, rows: Sequence[Any], known: Mapping[int, Document] | None, *, whole: bool
) -> _Gathered:
    ids = [row.id for row in rows]
    said = statements(session, "version", _told(rows))
    shown = ids if whole else []
    held = held_files(session, shown)
    silent = {row.id for row in rows if row.id not in said and row.key.startswith("civitai:")}
    return _Gathered(
        documents=documents(session, ids) if known is None else known,
        said=said,
        numbers=_latest(session, "version", set(shown)),
        offered=offered_files(session, shown),
        held=held,
        images=shown_images(session, shown),
        copies=copied_statements(session, {file.id: id_ for id_ in silent for file in held.get(id_, ())}),
    )


def _told(rows: Sequence[Any]) -> list[int]:
    return [row.id for row in rows if row.key.startswith(tuple(f"{source}:" for source in RESERVED))]


def _latest(session: Session, subject: Any, ids: set[int]) -> dict[int, Mapping[str, Any]]:
    """The numbers of each, whichever source of ``RESERVED`` told them."""
    latest = latest_numbers(session, subject, ids)
    return {id_: numbers for (id_, source), numbers in latest.items() if source in RESERVED}
