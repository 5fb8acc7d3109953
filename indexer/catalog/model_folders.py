"""Folders that hold model files now, with the kinds of what lies in them."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from indexer.catalog.schema import Location, Root, VerdictRow

__all__ = ["ModelFolder", "model_folders"]


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder below an indexed root: ``directory`` are its bytes relative to the root, ``kind`` is that of
    some of its files (None: not judged), ``offline`` tells of the root."""

    root: str
    layout: str
    offline: bool
    directory: bytes
    kind: str | None


def model_folders(session: Session) -> list[ModelFolder]:
    """Every folder with every kind of its files that are there, by root in the order they were added."""
    rows = session.execute(
        select(Root.path, Root.layout, Root.offline_since, Location.directory, VerdictRow.kind)
        .join(Location, Location.root_id == Root.id)
        .outerjoin(VerdictRow, VerdictRow.file_id == Location.file_id)
        .where(Location.missing_since.is_(None), Location.file_id.is_not(None))
        .group_by(Root.id, Root.path, Root.layout, Root.offline_since, Location.directory, VerdictRow.kind)
        .order_by(Root.id, Location.directory, VerdictRow.kind)
    )
    return [
        ModelFolder(path, layout, offline is not None, directory, kind)
        for path, layout, offline, directory, kind in rows
    ]
