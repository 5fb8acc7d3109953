"""The files of a stack's members as tools would load them: where they lie, and under which hash."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from sqlalchemy import select
from sqlalchemy.orm import Session

from indexer.catalog.schema import File, Location, Root, VerdictRow
from indexer.catalog.upsert import pieces
from indexer.domain.comfyui import LoaderPath, loader_path

__all__ = ["StackFile", "stack_files"]


@dataclass(frozen=True, slots=True)
class StackFile:
    """A file that lies here now. ``loader`` is how ComfyUI names it; ``sha256`` None while not hashed."""

    file_id: int
    kind: str | None
    sha256: str | None
    path: str
    loader: LoaderPath | None


def stack_files(session: Session, version_ids: Iterable[int]) -> dict[int, list[StackFile]]:
    """The present files of versions, the largest first, each at the first place where it was seen."""
    found: dict[int, dict[int, StackFile]] = {}
    columns = (File.version_id, File.id, File.sha256, VerdictRow.kind, Root.path, Root.layout)
    for piece in pieces(version_ids, 500):
        rows = session.execute(
            select(*columns, Location.directory, Location.name)
            .join(Location, Location.file_id == File.id)
            .join(Root, Root.id == Location.root_id)
            .outerjoin(VerdictRow, VerdictRow.file_id == File.id)
            .where(File.version_id.in_(piece), Location.missing_since.is_(None))
            .order_by(File.size.desc(), File.id, Location.id)
        )
        for version_id, file_id, sha256, kind, root, layout, directory, name in rows:
            below, last = (part.decode("utf-8", "replace") for part in (directory, name))
            loader = loader_path(root, layout, below, last, kind)
            path = str(PurePosixPath(root, below, last))
            stored = StackFile(file_id, kind, sha256, path, loader)
            found.setdefault(version_id, {}).setdefault(file_id, stored)
    return {version_id: list(files.values()) for version_id, files in found.items()}
