"""Parents and children of versions, versions of one model, near-duplicates: each in a few statements."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session, aliased

from indexer.catalog.folding import near_versions
from indexer.catalog.generation_schema import VersionAlias
from indexer.catalog.hub_schema import HashRow, HubFileRow
from indexer.catalog.lineage_schema import ParentRow
from indexer.catalog.resources import Named, link
from indexer.catalog.schema import Entry, File, FileTwin, Model, Version
from indexer.catalog.upsert import pieces
from indexer.domain.lineage import TRAINED, Parent
from indexer.domain.resources import hash_forms

__all__ = ["Descent", "children", "near_duplicates", "parents", "sister_versions", "store_parents"]

_MOST = 2_000
"""So many children are looked at in one step: a base that a whole hub is trained on has more."""
_NAME = "name:"
_HUB = "huggingface:"


@dataclass(frozen=True, slots=True)
class Descent:
    """``child`` says that it was made from ``parent``; ``parent_id`` is the version that is meant, None where
    nobody knows. ``sure`` by a hash or a hub's name, else by a file's name."""

    child_id: int
    parent_id: int | None
    parent: Parent
    sure: bool


def store_parents(session: Session, told: Mapping[int, Sequence[Parent]]) -> None:
    """Make the parents of versions those of ``told``: two statements for each 1,000 versions."""
    for piece in pieces(told):
        session.execute(delete(ParentRow).where(ParentRow.version_id.in_(piece)))
    rows = [
        {
            "version_id": id_,
            "relation": parent.relation,
            "source": parent.source,
            "name": parent.name,
            "stem": parent.stem,
            "hash": parent.hash,
            "repository": parent.repository,
        }
        for id_, parents_ in told.items()
        for parent in parents_
    ]
    if rows:
        session.execute(ParentRow.__table__.insert(), rows)  # type: ignore[attr-defined]  # a Table


def parents(session: Session, version_ids: Iterable[int]) -> list[Descent]:
    """What versions say they were made from."""
    found = [
        row
        for piece in pieces(version_ids)
        for row in session.scalars(
            select(ParentRow).where(ParentRow.version_id.in_(piece)).order_by(ParentRow.id)
        )
    ]
    return _resolved(session, found)


def children(session: Session, version_ids: Collection[int]) -> list[Descent]:
    """Who says that it was made from one of these versions; at most 2,000."""
    stems, hashes, repositories = _names(session, version_ids)
    found: dict[int, ParentRow] = {}
    for column, values in (
        (ParentRow.hash, hashes),
        (ParentRow.repository, repositories),
        (ParentRow.stem, stems),
    ):
        for piece in pieces(values):
            rows = session.scalars(
                select(ParentRow).where(column.in_(piece)).order_by(ParentRow.id).limit(_MOST)
            )
            found.update((row.id, row) for row in rows)
    wanted = set(version_ids)
    return [one for one in _resolved(session, list(found.values())[:_MOST]) if one.parent_id in wanted]


def _names(session: Session, version_ids: Collection[int]) -> tuple[list[str], list[str], list[str]]:
    """Stems, forms of hashes, and repositories by which versions may be named."""
    stems, hashes, repositories = [], [], []
    for piece in pieces(version_ids):
        aliases = session.scalars(select(VersionAlias.alias).where(VersionAlias.version_id.in_(piece)))
        stems += [alias.removeprefix(_NAME) for alias in aliases if alias.startswith(_NAME)]
        for table, column in ((File, HashRow.file_id), (HubFileRow, HashRow.hub_file_id)):
            rows = session.execute(
                select(HashRow.kind, HashRow.value)
                .join(table, table.id == column)
                .where(table.version_id.in_(piece))
            )
            hashes += [form for kind, value in rows for form in hash_forms(kind, value)]
        keys = session.scalars(
            select(Model.key).join(Version, Version.model_id == Model.id).where(Version.id.in_(piece))
        )
        repositories += [key.removeprefix(_HUB) for key in keys if key.startswith(_HUB)]
    return stems, hashes, repositories


def _resolved(session: Session, rows: Sequence[ParentRow]) -> list[Descent]:
    """The rows with the versions that they mean: by hash, by a hub's name, by a file's name."""
    asked = {row.id: Named(_kind(row), row.stem, row.hash, None) for row in rows}
    meant = link(session, set(asked.values()))
    repositories = _by_repository(session, {row.repository for row in rows if row.repository})
    found = []
    for row in rows:
        linked = meant.get(asked[row.id])
        sure = linked is not None and linked.confidence >= 1.0
        hub = repositories.get(row.repository or "")
        id_ = linked.version_id if linked is not None and (sure or hub is None) else hub
        parent = Parent(row.relation, row.source, row.name, row.hash, row.repository)
        if id_ != row.version_id:
            found.append(Descent(row.version_id, id_, parent, sure or (id_ is not None and id_ == hub)))
    return found


def _kind(row: ParentRow) -> str:
    """What is trained is trained on a whole model; anything is merged."""
    return "checkpoint" if row.relation == TRAINED else "unknown"


def _by_repository(session: Session, names: Collection[str]) -> dict[str, int]:
    """The first version of each repository that we know."""
    found: dict[str, int] = {}
    for piece in pieces(sorted(names)):
        rows = session.execute(
            select(Model.key, Version.id)
            .join(Version, Version.model_id == Model.id)
            .where(Model.key.in_([_HUB + name for name in piece]))
            .order_by(Version.id.desc())
        )
        found.update((key.removeprefix(_HUB), id_) for key, id_ in rows)
    return found


def sister_versions(session: Session, version_id: int, limit: int = 100) -> list[int]:
    """The other versions of its model that are shown, the newest first."""
    mine = select(Version.model_id).where(Version.id == version_id).scalar_subquery()
    return list(
        session.scalars(
            select(Version.id)
            .join(Entry, Entry.version_id == Version.id)
            .where(Version.model_id == mine, Version.id != version_id, Entry.document.is_not(None))
            .order_by(Version.id.desc())
            .limit(limit)
        )
    )


def near_duplicates(session: Session, version_id: int) -> dict[int, float | None]:
    """Versions with the same bytes, tensors or weights -> its weight as a multiple of this one's; None where
    that was not measured."""
    found: dict[int, float | None] = dict.fromkeys(
        sorted(near_versions(session, [version_id]) - {version_id})
    )
    found.update(_factors(session, version_id))
    return found


def _factors(session: Session, version_id: int) -> Iterator[tuple[int, float]]:
    low, high = aliased(File), aliased(File)
    columns: tuple[Any, ...] = (low.version_id, high.version_id, FileTwin.factor)
    rows = session.execute(
        select(*columns)
        .select_from(FileTwin)
        .join(low, low.id == FileTwin.file_id)
        .join(high, high.id == FileTwin.other_id)
        .where(or_(low.version_id == version_id, high.version_id == version_id))
        .limit(_MOST)
    )
    for one, other, factor in rows:
        if one != other and factor:
            yield (other, factor) if one == version_id else (one, 1.0 / factor)
