"""What lies several times in the library, why we think so, and what it costs. Nothing is ever deleted."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from indexer.catalog import duplicates, entries
from indexer.catalog.database import Catalog
from indexer.catalog.duplicates import StoredFile
from indexer.domain.records import Document

__all__ = ["Duplicates", "find_duplicates"]

SORTS = ("copies", "tensors", "weights")
"""How sure a group is: the same bytes; the same tensors, other metadata; adapters with the same weights."""


@dataclass(frozen=True, slots=True)
class Duplicates:
    """A page of the report, most bytes first. ``bytes`` counts what one of each group would leave free, in
    the whole library; ``hidden`` counts groups kept back by default. Each group is ``{sort, bytes, files
    [{id, name, size, paths, keep, cosine, factor, why}]}``; ``keep`` marks the largest, ``factor`` is the
    weight against that one's."""

    total: int
    hidden: int
    bytes: int
    offset: int
    groups: Sequence[Mapping[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """The page as plain JSON data."""
        return {
            "total": self.total,
            "hidden": self.hidden,
            "bytes": self.bytes,
            "offset": self.offset,
            "groups": list(self.groups),
        }


@dataclass(frozen=True, slots=True)
class _Link:
    """Why two files are one: ``cosine`` is None for equal tensors, ``factor`` the other's weight."""

    cosine: float | None
    factor: float


_Links = dict[tuple[int, int], _Link]


@dataclass(frozen=True, slots=True)
class _Group:
    keep: StoredFile
    others: Sequence[StoredFile]

    @property
    def files(self) -> tuple[StoredFile, ...]:
        return (self.keep, *self.others)

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files) - self.keep.size


def find_duplicates(catalog: Catalog, kept_back: Collection[str], limit: int, offset: int) -> Duplicates:
    """The groups of the library, without those that hold an entry hidden for a reason in ``kept_back``."""
    with catalog.read() as session:
        links = _links(duplicates.same_tensors(session), duplicates.twin_pairs(session))
        joined = _joined(duplicates.copied_files(session), links)
        files = duplicates.stored_files(session, [id_ for group in joined for id_ in group])
        groups = sorted(
            filter(None, (_group(ids, files) for ids in joined)), key=lambda g: (-g.bytes, g.keep.id)
        )
        shown = entries.documents(session, {file.version_id for group in groups for file in group.files})
    open_ = [group for group in groups if not _is_hidden(group, shown, kept_back)]
    page = [_told(group, links, shown) for group in open_[offset : offset + limit]]
    return Duplicates(len(open_), len(groups) - len(open_), sum(g.bytes for g in open_), offset, page)


def _links(tensors: Iterable[Sequence[int]], twins: Iterable[tuple[int, int, float, float]]) -> _Links:
    links = {(one, other): _Link(cosine, factor) for one, other, cosine, factor in twins}
    for ids in tensors:
        for other in ids[1:]:
            links[min(ids[0], other), max(ids[0], other)] = _Link(None, 1.0)
    return links


def _joined(copied: Iterable[int], links: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Files that hang together by links, and those that lie in several places."""
    parent = {id_: id_ for id_ in copied}

    def root(id_: int) -> int:
        parent.setdefault(id_, id_)
        while parent[id_] != id_:
            parent[id_] = parent[parent[id_]]
            id_ = parent[id_]
        return id_

    for one, other in links:
        parent[root(one)] = root(other)
    groups: dict[int, list[int]] = {}
    for id_ in sorted(parent):
        groups.setdefault(root(id_), []).append(id_)
    return list(groups.values())


def _group(ids: Iterable[int], files: Mapping[int, StoredFile]) -> _Group | None:
    """The group as far as it is there; None where one file in one place is left."""
    there = sorted((files[id_] for id_ in ids if id_ in files), key=lambda file: (-file.size, file.id))
    if not there or (len(there) == 1 and there[0].bytes == there[0].size):
        return None
    return _Group(there[0], there[1:])


def _is_hidden(group: _Group, shown: Mapping[int, Document], kept_back: Collection[str]) -> bool:
    documents = (shown.get(file.version_id) for file in group.files)
    return any(document and set(document.hidden) & set(kept_back) for document in documents)


def _told(group: _Group, links: _Links, shown: Mapping[int, Document]) -> dict[str, Any]:
    found = [_link(group.keep, file, links) for file in group.others]
    near = any(link is None or link.cosine is not None for link in found)
    sort = SORTS[0] if not found else SORTS[2] if near else SORTS[1]
    return {
        "sort": sort,
        "bytes": group.bytes,
        "files": [
            _file(group.keep, shown, "", keep=True),
            *(_file(file, shown, _why(link), link) for file, link in zip(group.others, found, strict=True)),
        ],
    }


def _file(
    file: StoredFile,
    shown: Mapping[int, Document],
    why: str,
    link: _Link | None = None,
    *,
    keep: bool = False,
) -> dict[str, Any]:
    document = shown.get(file.version_id)
    return {
        "id": file.version_id,
        "name": document.name if document else "",
        "size": file.size,
        "paths": [path for path, _ in file.places],
        "keep": keep,
        "cosine": link.cosine if link else None,
        "factor": round(link.factor, 4) if link else None,
        "why": why,
    }


def _link(keep: StoredFile, other: StoredFile, links: _Links) -> _Link | None:
    """What joins a file with the one to keep; None where only others join them."""
    if keep.id < other.id:
        return links.get((keep.id, other.id))
    link = links.get((other.id, keep.id))
    return link and _Link(link.cosine, 1.0 / link.factor)


def _why(link: _Link | None) -> str:
    if link is None:
        return "like another file of this group"
    if link.cosine is None:
        return "the same tensors, other metadata"
    alike = (
        "the same weights"
        if abs(link.cosine) > 0.9999
        else f"nearly the same weights ({abs(link.cosine):.1%})"
    )
    return alike if abs(link.factor - 1.0) < 0.01 else f"{alike} at {link.factor:.2f} times the strength"
