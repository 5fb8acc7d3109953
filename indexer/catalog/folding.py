"""Near-duplicates among versions: the same weights (twins), the same bytes, or the same tensors.

Only main files count: many versions come with the same VAE and are no copies of each other for that.
"""

from collections.abc import Collection, Iterable, Iterator
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Select, and_, bindparam, select
from sqlalchemy.orm import Session, aliased

from indexer.catalog.hub_schema import HashRow, HubFileRow
from indexer.catalog.schema import File, FileTwin, Version
from indexer.catalog.upsert import pieces, values_by_key

__all__ = ["folds", "near_versions"]

_ROUNDS = 4
"""A twin of a twin is one as well, so far."""
_MOST = 20_000
"""So many pairs are looked at for a batch: a hash that a whole hub shares names nothing."""
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_KINDS = ("sha256", "autov3")
_EMPTY = ("e3b0c44298fc", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
"""SHA-256 of nothing: what tools claim for models whose tensors they could not find."""


def folds(session: Session, version_ids: Collection[int]) -> dict[int, int]:
    """The smallest model id among near-duplicates: of these versions and of those they resemble, by version;
    versions without any are left out."""
    groups = _groups(session, version_ids)
    if not groups:
        return {}
    models = values_by_key(session, Version.id, Version.model_id, groups)
    least: dict[int, int] = {}
    for id_, group in groups.items():
        least[group] = min(models[id_], least.get(group, models[id_]))
    return {id_: least[group] for id_, group in groups.items()}


def near_versions(session: Session, version_ids: Collection[int]) -> set[int]:
    """These versions and their near-duplicates: all whose ``fold`` may change with them."""
    return {*version_ids, *_groups(session, version_ids)}


def _groups(session: Session, version_ids: Collection[int]) -> dict[int, int]:
    """Versions that have near-duplicates, each with the smallest version id of its group."""
    above: dict[int, int] = {}
    fresh = set(version_ids)
    for _ in range(_ROUNDS):
        pairs = list(_pairs(session, fresh))
        fresh = {id_ for pair in pairs for id_ in pair} - above.keys() - fresh
        for one, other in pairs:
            low, high = sorted((_root(above, one), _root(above, other)))
            above[low] = above[high] = low
        if not fresh:
            break
    return {id_: _root(above, id_) for id_ in list(above)}


def _root(above: dict[int, int], id_: int) -> int:
    while (parent := above.setdefault(id_, id_)) != id_:
        above[id_] = above[parent]
        id_ = parent
    return id_


def _pairs(session: Session, version_ids: Iterable[int]) -> Iterator[tuple[int, int]]:
    for piece in pieces(version_ids, 500):
        for statement in _statements():
            for one, other in session.execute(statement, {"ids": piece}):
                if one != other:
                    yield one, other


@cache
def _statements() -> tuple[Select[int, int], ...]:
    """Pairs of versions of which one is among ``ids``. Made once: making them costs more than asking."""
    return (*_twins(), *_same_bytes())


def _twins() -> Iterator[Select[int, int]]:
    """Pairs of files with the same weights, from either side: each statement can use an index."""
    low, high = aliased(File), aliased(File)
    for side in (low, high):
        yield (
            select(low.version_id, high.version_id)
            .select_from(FileTwin)
            .join(low, low.id == FileTwin.file_id)
            .join(high, high.id == FileTwin.other_id)
            .where(side.version_id.in_(_IDS))
            .limit(_MOST)
        )


def _same_bytes() -> Iterator[Select[int, int]]:
    """Pairs of our files, and pairs of what hubs offer, with equal hashes. What is ours and a hub's by a hash
    stands in one version already (``linking``)."""
    sides: tuple[tuple[Any, str, str | None], ...] = (
        (File, "file_id", None),
        (HubFileRow, "hub_file_id", "primary"),
    )
    for table, link, main in sides:
        mine, theirs, one, other = aliased(table), aliased(table), aliased(HashRow), aliased(HashRow)
        main_files = [getattr(side, main).is_(True) for side in (mine, theirs) if main]
        yield (
            select(mine.version_id, theirs.version_id)
            .select_from(mine)
            .join(one, getattr(one, link) == mine.id)
            .join(other, and_(other.value == one.value, other.kind == one.kind))
            .join(theirs, getattr(other, link) == theirs.id)
            .where(
                mine.version_id.in_(_IDS),
                mine.version_id != theirs.version_id,
                one.kind.in_(_KINDS),
                one.value.not_in(_EMPTY),
                *main_files,
            )
            .limit(_MOST)
        )
