"""What lies several times in the library: the same bytes, the same tensors, the same weights."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from indexer.catalog.roots import place_path
from indexer.catalog.schema import File, FileTwin, HashRow, Location, Root
from indexer.catalog.upsert import pieces

__all__ = ["StoredFile", "copied_files", "same_tensors", "stored_files", "twin_pairs"]


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is there: ``places`` are (path, inode); equal inodes are hard links and cost nothing."""

    id: int
    version_id: int
    size: int
    places: Sequence[tuple[str, str]]

    @property
    def bytes(self) -> int:
        """What all its copies take."""
        return self.size * len({inode for _, inode in self.places})


def copied_files(session: Session) -> list[int]:
    """Files that take their room several times."""
    found = session.scalars(
        select(Location.file_id)
        .where(Location.missing_since.is_(None), Location.file_id.is_not(None))
        .group_by(Location.file_id)
        .having(func.count(func.distinct(Location.inode)) > 1)
    )
    return [id_ for id_ in found if id_ is not None]


def same_tensors(session: Session) -> list[list[int]]:
    """Groups of files with one AutoV3: equal data behind headers that differ. Of files that were hashed."""
    measured = (HashRow.kind == "autov3", HashRow.file_id.is_not(None))
    twice = select(HashRow.value).where(*measured).group_by(HashRow.value).having(func.count() > 1)
    rows = session.execute(
        select(HashRow.value, HashRow.file_id)
        .where(*measured, HashRow.value.in_(twice))
        .order_by(HashRow.file_id)
    )
    groups: dict[str, list[int]] = {}
    for value, file_id in rows:
        groups.setdefault(value, []).append(int(file_id or 0))
    return list(groups.values())


def twin_pairs(session: Session) -> list[tuple[int, int, float, float]]:
    """Pairs of files with the same weights: (file, other, cosine, weight of the other by the file's)."""
    rows = session.execute(
        select(FileTwin.file_id, FileTwin.other_id, FileTwin.cosine, FileTwin.factor).order_by(
            FileTwin.file_id, FileTwin.other_id
        )
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def stored_files(session: Session, file_ids: Iterable[int]) -> dict[int, StoredFile]:
    """The files of these that are there, with their places."""
    places: dict[int, list[tuple[str, str]]] = {}
    known: dict[int, tuple[int, int]] = {}
    for piece in pieces(file_ids):
        rows = session.execute(
            select(File.id, File.version_id, File.size, Root.path, Location)
            .join(Location, Location.file_id == File.id)
            .join(Root, Root.id == Location.root_id)
            .where(File.id.in_(piece), Location.missing_since.is_(None))
            .order_by(Location.id)
        )
        for file_id, version_id, size, root, place in rows:
            known[file_id] = (version_id, size)
            path = place_path(root, place.directory, place.name).decode("utf-8", "replace")
            places.setdefault(file_id, []).append((path, place.inode))
    return {id_: StoredFile(id_, *known[id_], places[id_]) for id_ in known}
