"""Which of our versions a picture's text means: by hash or hub id for sure, by name with less trust.

Names are looked up in ``version_alias``, hashes among all that were measured or claimed. A name that several
versions have means none of them, unless just one of them is here.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, tuple_, update
from sqlalchemy.orm import Session, aliased

from indexer.catalog.generation_schema import ResourceUse, VersionAlias
from indexer.catalog.hub_schema import HashRow, HubFileRow
from indexer.catalog.schema import Entry, File, Location, Version
from indexer.catalog.upsert import pieces, upsert
from indexer.domain.generation import model_stem
from indexer.domain.resources import hash_forms, hash_keys, may_be

__all__ = ["UNKNOWN", "Link", "Named", "changed_versions", "learn_names", "link", "used_versions"]

BY_NAME = 0.5
_PAGE = 2_000
_NAME, _CIVITAI, _AUTOV2 = "name:", "civitai:", "autov2:"
_LONGEST = 1_000


@dataclass(frozen=True, slots=True)
class Named:
    """A model as a picture names it; ``stem`` is ``model_stem`` of its name."""

    kind: str
    stem: str | None
    hash: str | None
    hub_version: str | None


@dataclass(frozen=True, slots=True)
class Link:
    """What a name means; ``confidence`` is 1 by hash or hub id, 0.5 by name, 0 where it means nothing."""

    version_id: int | None
    confidence: float


UNKNOWN = Link(None, 0.0)

_Alias = tuple[str, bool]
"""Kind of the version, and whether a file of ours is called so."""


def link(session: Session, names: Collection[Named]) -> dict[Named, Link]:
    """The versions that are meant; names that mean none are left out."""
    hashes = _by_hash(session, {key for name in names for key in hash_keys(name.hash)})
    aliases = _by_alias(session, {alias for name in names for alias in _aliases(name)})
    found = ((name, _meant(name, hashes, aliases)) for name in names)
    return {name: meant for name, meant in found if meant.version_id is not None}


def _aliases(name: Named) -> Iterator[str]:
    for kind, value in hash_keys(name.hash):
        if kind == "autov2":
            yield _AUTOV2 + value
    if name.hub_version:
        yield _CIVITAI + name.hub_version
    if name.stem:
        yield _NAME + name.stem


def _meant(
    name: Named,
    hashes: Mapping[tuple[str, str], int],
    aliases: Mapping[str, Mapping[int, _Alias]],
) -> Link:
    for key in hash_keys(name.hash):
        if key in hashes:
            return Link(hashes[key], 1.0)
    for alias in _aliases(name):
        if not alias.startswith(_NAME) and alias in aliases:
            return Link(min(aliases[alias]), 1.0)
    called = aliases.get(f"{_NAME}{name.stem}", {})
    fitting = {id_: here for id_, (kind, here) in called.items() if may_be(name.kind, kind)}
    ours = [id_ for id_, here in fitting.items() if here] or list(fitting)
    return Link(ours[0], BY_NAME) if len(ours) == 1 else UNKNOWN


def _by_hash(session: Session, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Version by (kind, value): one with a file of ours first, then the oldest."""
    found: dict[tuple[str, str], int] = {}
    for table, column in ((File, HashRow.file_id), (HubFileRow, HashRow.hub_file_id)):
        theirs: dict[tuple[str, str], int] = {}
        for piece in pieces({value for _, value in keys}):
            rows = session.execute(
                select(HashRow.kind, HashRow.value, func.min(table.version_id))
                .join(table, table.id == column)
                .where(HashRow.value.in_(piece))
                .group_by(HashRow.kind, HashRow.value)
            )
            theirs.update(((kind, value), id_) for kind, value, id_ in rows)
        found = theirs | found
    return found


def _by_alias(session: Session, aliases: Collection[str]) -> dict[str, dict[int, _Alias]]:
    found: dict[str, dict[int, _Alias]] = {}
    columns = (VersionAlias.alias, VersionAlias.version_id, VersionAlias.kind, VersionAlias.here)
    for piece in pieces(aliases):
        for alias, id_, kind, here in session.execute(select(*columns).where(VersionAlias.alias.in_(piece))):
            found.setdefault(alias, {})[id_] = kind, here
    return found


def changed_versions(session: Session, after: int, limit: int) -> list[tuple[int, int, str | None]]:
    """The next changed entries as (number, version id, kind or None when it is no longer shown)."""
    rows = session.execute(
        select(Entry.seq, Entry.version_id, Entry.document)
        .where(Entry.seq > after)
        .order_by(Entry.seq)
        .limit(limit)
    )
    return [(seq, id_, None if document is None else document["kind"]) for seq, id_, document in rows]


def used_versions(session: Session, after: int, limit: int) -> dict[int, int]:
    """Versions of the next ``limit`` uses by id, each with the id of its last use; empty at the end."""
    rows = session.execute(
        select(ResourceUse.version_id, ResourceUse.id)
        .where(ResourceUse.id > after, ResourceUse.version_id.is_not(None))
        .order_by(ResourceUse.id)
        .limit(limit)
    )
    return {version_id or 0: id_ for version_id, id_ in rows}


def learn_names(session: Session, kinds: Mapping[int, str | None], relinked: set[int] | None = None) -> int:
    """Learn by which names versions (id -> kind, None when no longer shown) are called, and link what
    pictures named before these were known; answers how many links changed. Versions that won or lost uses
    go into ``relinked``."""
    wanted = _names_of(session, {id_: kind for id_, kind in kinds.items() if kind is not None})
    before = _stored(session, kinds)
    gone = before.keys() - wanted.keys()
    fresh = {key: row for key, row in wanted.items() if before.get(key) != row}
    for some in pieces(sorted(gone)):
        keys = tuple_(VersionAlias.alias, VersionAlias.version_id)
        session.execute(delete(VersionAlias).where(keys.in_(some)))
    rows = [
        {"alias": alias, "version_id": id_, "kind": kind, "here": here}
        for (alias, id_), (kind, here) in sorted(fresh.items())
    ]
    upsert(session, VersionAlias, rows, ["alias", "version_id"])
    if session.scalar(select(ResourceUse.id).limit(1)) is None:
        return 0
    left = {id_ for id_, kind in kinds.items() if kind is None} | {id_ for _, id_ in gone}
    touched = set() if relinked is None else relinked
    return _relink(session, kinds, {alias for alias, _ in (*gone, *fresh)}, left, touched)


def _stored(session: Session, version_ids: Iterable[int]) -> dict[tuple[str, int], _Alias]:
    columns = (VersionAlias.alias, VersionAlias.version_id, VersionAlias.kind, VersionAlias.here)
    return {
        (alias, id_): (kind, here)
        for piece in pieces(version_ids)
        for alias, id_, kind, here in session.execute(
            select(*columns).where(VersionAlias.version_id.in_(piece))
        )
    }


def _names_of(session: Session, kinds: Mapping[int, str]) -> dict[tuple[str, int], _Alias]:
    found: dict[tuple[str, int], _Alias] = {}
    for piece in pieces(kinds):
        for id_, name in session.execute(
            select(HubFileRow.version_id, HubFileRow.name).where(
                HubFileRow.version_id.in_(piece), HubFileRow.gone_at.is_(None)
            )
        ):
            found[_NAME + model_stem(name), id_] = kinds[id_], False
        for id_, place in session.execute(
            select(File.version_id, Location.name)
            .join(Location, Location.file_id == File.id)
            .where(File.version_id.in_(piece))
        ):
            found[_NAME + model_stem(place.decode("utf-8", "replace")), id_] = kinds[id_], True
        for id_, value in _bare_hashes(session, piece):
            found[_AUTOV2 + value[:10], id_] = kinds[id_], False
        for id_, key in session.execute(select(Version.id, Version.key).where(Version.id.in_(piece))):
            if key.startswith(_CIVITAI):
                found[_CIVITAI + key.rpartition("@")[2], id_] = kinds[id_], False
    return {key: row for key, row in found.items() if key[0] != _NAME and len(key[0]) <= _LONGEST}


def _bare_hashes(session: Session, version_ids: Sequence[int]) -> Iterator[tuple[int, str]]:
    """SHA-256 that a hub claims without its short form, which pictures have."""
    short = aliased(HashRow)
    also = (short.hub_file_id == HashRow.hub_file_id) & (short.kind == "autov2")
    rows = session.execute(
        select(HubFileRow.version_id, HashRow.value)
        .join(HashRow, HashRow.hub_file_id == HubFileRow.id)
        .outerjoin(short, also)
        .where(HubFileRow.version_id.in_(version_ids), HashRow.kind == "sha256", short.id.is_(None))
    )
    yield from ((id_, value) for id_, value in rows)


def _relink(
    session: Session,
    kinds: Mapping[int, str | None],
    aliases: Collection[str],
    left: Collection[int],
    touched: set[int],
) -> int:
    """Decide anew about uses that these versions may change, and about those linked to versions that lost a
    name; only rows that differ are written."""
    unsure = ResourceUse.confidence < 1
    stems = [alias.removeprefix(_NAME) for alias in aliases if alias.startswith(_NAME)]
    numbers = [alias.removeprefix(_CIVITAI) for alias in aliases if alias.startswith(_CIVITAI)]
    changed = 0
    for column, values, condition in (
        (ResourceUse.stem, stems, unsure),
        (ResourceUse.hub_version, numbers, unsure),
        (ResourceUse.hash, _forms(session, [id_ for id_, kind in kinds.items() if kind]), unsure),
        (ResourceUse.version_id, left, ResourceUse.confidence > 0),
    ):
        for piece in pieces(values):
            changed += _decide(session, column.in_(piece) & condition, touched)
    return changed


def _forms(session: Session, version_ids: Sequence[int]) -> set[str]:
    """Every way in which pictures may write the hashes of versions' files."""
    return {
        form
        for table, column in ((File, HashRow.file_id), (HubFileRow, HashRow.hub_file_id))
        for piece in pieces(version_ids)
        for kind, value in session.execute(
            select(HashRow.kind, HashRow.value)
            .join(table, table.id == column)
            .where(table.version_id.in_(piece))
        )
        for form in hash_forms(kind, value)
    }


def _decide(session: Session, condition: Any, touched: set[int]) -> int:
    use = ResourceUse
    columns = (use.id, use.version_id, use.confidence, use.kind, use.stem, use.hash, use.hub_version)
    last, changed = 0, 0
    while True:
        page = session.execute(
            select(*columns).where(condition, ResourceUse.id > last).order_by(ResourceUse.id).limit(_PAGE)
        ).all()
        if not page:
            return changed
        last = page[-1][0]
        before = [(row[0], Link(row[1], row[2]), Named(row[3], row[4], row[5], row[6])) for row in page]
        links = link(session, {name for _, _, name in before})
        rows = [
            {"id": id_, "version_id": meant.version_id, "confidence": meant.confidence}
            for id_, old, name in before
            if (meant := links.get(name, UNKNOWN)) != old
        ]
        if rows:
            session.execute(update(ResourceUse), rows)
        for _, old, name in before:
            meant = links.get(name, UNKNOWN)
            if meant != old:
                touched |= {id_ for id_ in (old.version_id, meant.version_id) if id_ is not None}
        changed += len(rows)
