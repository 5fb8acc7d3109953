"""Newer releases of what I have: same model at its hub, published later, for the same base unless asked.

What a base is, is told by the table of base labels (architecture and family), not by its spelling.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from indexer.catalog.entries import documents
from indexer.catalog.roots import place_path
from indexer.catalog.schema import ClaimRow, File, Location, Model, Root, Version
from indexer.catalog.table_base import now
from indexer.catalog.upsert import pieces
from indexer.domain.records import Document
from indexer.domain.vocabulary import base_label

__all__ = ["NewerVersion", "Update", "find_updates"]

_MODELS = 300


@dataclass(frozen=True, slots=True)
class NewerVersion:
    """A release that I do not have. ``published_at`` and ``early_access_until`` are ISO 8601;
    ``early_access``: it must be paid for now."""

    id: int
    key: str
    version: str
    base_label: str | None
    published_at: str | None
    early_access: bool
    early_access_until: str | None
    size: int | None
    url: str | None


@dataclass(frozen=True, slots=True)
class Update:
    """What I have of a model and base (its newest release) and what came later, newest first."""

    model: str
    name: str
    id: int
    version: str
    base_label: str | None
    path: str | None
    hidden: tuple[str, ...]
    newer: tuple[NewerVersion, ...]


@dataclass(frozen=True, slots=True)
class _Release:
    document: Document
    key: str
    model_id: int
    gone: bool
    said: Mapping[str, Any]
    availability: str | None

    @property
    def base(self) -> tuple[str, str]:
        """Architecture and family by table; a label that no table knows is a base of its own."""
        label = base_label(self.document.base_label or "")
        if label is not None and label.architecture is not None:
            return label.architecture, label.family or ""
        if self.document.base_label:
            return "", " ".join(self.document.base_label.lower().split())
        return self.document.architecture or "", self.document.family or ""

    @property
    def moment(self) -> str:
        """When it was published, as sortable text; empty where its hub does not say."""
        return _utc(self.said.get("published_at"))

    @property
    def number(self) -> int:
        tail = self.key.rpartition("@")[2]
        return int(tail) if tail.isascii() and tail.isdigit() else 0

    def is_after(self, other: "_Release") -> bool:
        if self.moment and other.moment and self.moment != other.moment:
            return self.moment > other.moment
        return self.number > other.number


def find_updates(session: Session, *, any_base: bool = False) -> Iterator[Update]:
    """Newer releases of every model of which a file lies in a folder, model by model in order of our ids.

    With ``any_base`` all bases count as one. What its hub does not show any more is not offered. Reads 300
    models at a time.
    """
    last = 0
    while owned := _owned(session, last):
        last = max(owned)
        releases = _releases(session, owned)
        have = {version_id for ids in owned.values() for version_id in ids}
        found = [update for some in releases.values() for update in _compare(some, have, any_base)]
        paths = _paths(session, [update.id for update in found])
        for update in found:
            yield replace(update, path=paths.get(update.id))


def _owned(session: Session, after: int) -> dict[int, list[int]]:
    """The next models of hubs that we have files of: id -> versions that we have."""
    here = (
        select(File.id)
        .join(Location, Location.file_id == File.id)
        .where(File.version_id == Version.id, Location.missing_since.is_(None))
    )
    models = list(
        session.scalars(
            select(Version.model_id)
            .where(Version.model_id > after, ~Version.key.startswith("file:"), here.exists())
            .distinct()
            .order_by(Version.model_id)
            .limit(_MODELS)
        )
    )
    rows = session.execute(
        select(Version.model_id, Version.id).where(Version.model_id.in_(models), here.exists())
    )
    owned: dict[int, list[int]] = {}
    for model_id, version_id in rows:
        owned.setdefault(model_id, []).append(version_id)
    return owned


def _releases(session: Session, models: Iterable[int]) -> dict[int, list[_Release]]:
    rows = session.execute(
        select(Version.id, Version.key, Version.model_id, Version.gone_at, Model.gone_at)
        .join(Model, Model.id == Version.model_id)
        .where(Version.model_id.in_(list(models)))
    ).all()
    ids = [row[0] for row in rows]
    known = documents(session, ids)
    said = _said(session, ids)
    releases: dict[int, list[_Release]] = {}
    for id_, key, model_id, gone, model_gone in rows:
        if id_ in known:
            claims, availability = said.get(id_, ({}, None))
            away = gone is not None or model_gone is not None
            release = _Release(known[id_], key, model_id, away, claims, availability)
            releases.setdefault(model_id, []).append(release)
    return releases


def _said(session: Session, ids: Sequence[int]) -> dict[int, tuple[Mapping[str, Any], str | None]]:
    """What a hub says of versions now, and how it makes them available."""
    found: dict[int, tuple[Mapping[str, Any], str | None]] = {}
    for piece in pieces(ids):
        rows = session.execute(
            select(ClaimRow.version_id, ClaimRow.claims, ClaimRow.raw)
            .where(ClaimRow.version_id.in_(piece), ClaimRow.current)
            .order_by(ClaimRow.at, ClaimRow.id)
        )
        for id_, claims, raw in rows:
            availability = (raw or {}).get("availability")
            found[id_ or 0] = (claims, availability if isinstance(availability, str) else None)
    return found


def _compare(releases: Sequence[_Release], have: set[int], any_base: bool) -> Iterator[Update]:
    bases: dict[tuple[str, str], list[_Release]] = {}
    for release in releases:
        bases.setdefault(("", "") if any_base else release.base, []).append(release)
    for some in bases.values():
        mine = [release for release in some if release.document.id in have]
        if not mine:
            continue
        newest = mine[0]
        for release in mine[1:]:
            newest = release if release.is_after(newest) else newest
        newer = [
            release
            for release in some
            if release.document.id not in have and not release.gone and release.is_after(newest)
        ]
        if newer:
            newer.sort(key=lambda release: (release.moment, release.number), reverse=True)
            yield _update(newest, newer)


def _update(mine: _Release, newer: Sequence[_Release]) -> Update:
    document = mine.document
    return Update(
        model=mine.key.partition("@")[0],
        name=document.name,
        id=document.id,
        version=document.version,
        base_label=document.base_label,
        path=None,
        hidden=document.hidden,
        newer=tuple(_newer(release) for release in newer),
    )


def _newer(release: _Release) -> NewerVersion:
    document, until = release.document, release.said.get("early_access_until")
    early = _utc(until) > now().isoformat() if until else release.availability == "EarlyAccess"
    return NewerVersion(
        id=document.id,
        key=release.key,
        version=document.version,
        base_label=document.base_label,
        published_at=release.said.get("published_at"),
        early_access=early,
        early_access_until=until if early else None,
        size=document.size,
        url=next((ref.url for ref in document.sources if ref.source != "local"), None),
    )


def _utc(text: Any) -> str:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return ""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


def _paths(session: Session, version_ids: Sequence[int]) -> dict[int, str]:
    """Where a file of each version lies."""
    found: dict[int, str] = {}
    for piece in pieces(version_ids):
        rows = session.execute(
            select(File.version_id, Root.path, Location.directory, Location.name)
            .join(Location, Location.file_id == File.id)
            .join(Root, Root.id == Location.root_id)
            .where(File.version_id.in_(piece), Location.missing_since.is_(None))
            .order_by(Location.id)
        )
        for id_, root, directory, name in rows:
            found.setdefault(id_, place_path(root, directory, name).decode("utf-8", "replace"))
    return found
