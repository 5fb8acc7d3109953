"""Storing what hubs publish: a fixed number of statements a page, and nothing known before is ever lost."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from indexer.catalog.hub_files import sync_hub_files
from indexer.catalog.linking import link_by_hash
from indexer.catalog.previews import sync_hub_previews
from indexer.catalog.schema import ClaimRow, Creator, Model, RefusedItem, Version, now
from indexer.catalog.statements import statement_row
from indexer.catalog.statistics import NUMBERS, Subject, record_numbers
from indexer.catalog.upsert import pieces, upsert, values_by_key
from indexer.domain.claims import ClaimSet
from indexer.domain.hubs import HubModel, HubVersion, Refused

__all__ = ["StoredHub", "mark_gone", "refused_items", "store_hub_models", "store_refused"]


@dataclass(frozen=True, slots=True)
class StoredHub:
    """What a page touched: ids of versions whose entries are to be recomputed, and how many files of ours
    found their version."""

    versions: set[int]
    linked: int


@dataclass(frozen=True, slots=True)
class _Rows:
    """Ids by key; of the ``fresh`` ones nothing is known yet that a page could change."""

    ids: Mapping[str, int]
    fresh: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Said:
    """One statement of a hub about a row."""

    id: int
    claims: ClaimSet
    keep_older: bool


def store_hub_models(session: Session, models: Sequence[HubModel]) -> StoredHub:
    """Store models with versions, claims, statistics, files, hashes and previews.

    Storing the same page again changes nothing. A model that its hub hides or has deleted keeps all that was
    known: only ``gone`` is noted. Of a model that stands twice in ``models`` the last word counts.
    """
    told = {model.key: model for model in models}
    if not told:
        return StoredHub(set(), 0)
    owners = _models(session, told)
    releases = _versions(session, told, owners.ids)
    versions = {version.key: version for model in told.values() for version in model.versions}
    gone = {key for model in told.values() if model.gone for key in _version_keys(model)}
    gone |= {key for key, version in versions.items() if version.gone}
    _claims(session, ClaimRow.model_id, [_of_model(m, owners.ids) for m in told.values()], owners)
    said = [_of_version(v, releases.ids, gone) for v in versions.values()]
    _claims(session, ClaimRow.version_id, said, releases)
    _numbers(session, "model", [(m.key, m.source, m) for m in told.values()], owners)
    source_of = {key: model.source for model in told.values() for key in _version_keys(model)}
    _numbers(session, "version", [(k, source_of[k], v) for k, v in versions.items()], releases)
    present = {releases.ids[k]: (source_of[k], v) for k, v in versions.items() if k not in gone}
    files = {id_: (source, version.files) for id_, (source, version) in present.items()}
    sync_hub_files(session, files, fresh=releases.fresh)
    images = {id_: (source, version.images) for id_, (source, version) in present.items()}
    sync_hub_previews(session, images, fresh=releases.fresh)
    linked = link_by_hash(session, versions=present)
    touched = _all_versions(session, owners.ids.values()) | linked.versions
    return StoredHub(touched, linked.files)


def _version_keys(model: HubModel) -> list[str]:
    return [version.key for version in model.versions]


def _models(session: Session, told: Mapping[str, HubModel]) -> _Rows:
    names = sorted({model.creator for model in told.values() if model.creator})
    upsert(session, Creator, [{"name": name} for name in names], ["name"], update=False)
    creators = values_by_key(session, Creator.name, Creator.id, names)
    stamp = now()
    before = _known(session, Model, told)
    rows = [
        {
            "key": key,
            "creator_id": creators.get(model.creator or ""),
            "added_at": stamp,
            "refreshed_at": stamp,
            "gone": model.gone,
            "gone_at": _gone_since(before.get(key), stamp) if model.gone else None,
        }
        for key, model in told.items()
    ]
    heard = [row for row in rows if row["creator_id"] is not None]
    silent = [row for row in rows if row["creator_id"] is None]
    always = ["refreshed_at", "gone", "gone_at"]
    upsert(session, Model, heard, ["key"], update=[*always, "creator_id"])
    upsert(session, Model, silent, ["key"], update=always)
    return _rows(session, Model, told, before)


def _versions(session: Session, told: Mapping[str, HubModel], model_ids: Mapping[str, int]) -> _Rows:
    owners = {version.key: (model, version) for model in told.values() for version in model.versions}
    stamp = now()
    before = _known(session, Version, owners)
    before |= _adopt(session, {key: model_ids[owners[key][0].key] for key in owners if key not in before})
    rows = []
    for key, (model, version) in owners.items():
        gone = model.gone or version.gone
        rows.append(
            {
                "key": key,
                "model_id": model_ids[model.key],
                "added_at": stamp,
                "gone": gone,
                "gone_at": _gone_since(before.get(key), stamp) if gone else None,
            }
        )
    upsert(session, Version, rows, ["key"], update=["model_id", "gone", "gone_at"])
    return _rows(session, Version, owners, before)


_Known = dict[str, tuple[int, datetime | None]]
"""Id, and since when it is gone, by key."""


def _known(session: Session, table: type[Model] | type[Version], keys: Iterable[str]) -> _Known:
    found: _Known = {}
    for piece in pieces(keys):
        rows = session.execute(select(table.key, table.id, table.gone_at).where(table.key.in_(piece)))
        found.update((key, (id_, gone_at)) for key, id_, gone_at in rows)
    return found


def _gone_since(known: tuple[int, datetime | None] | None, stamp: datetime) -> datetime:
    return (known[1] if known else None) or stamp


def _rows(session: Session, table: type[Model] | type[Version], keys: Iterable[str], before: _Known) -> _Rows:
    fresh = values_by_key(session, table.key, table.id, [key for key in keys if key not in before])
    return _Rows({key: id_ for key, (id_, _) in before.items()} | fresh, frozenset(fresh.values()))


def _adopt(session: Session, unknown: Mapping[str, int]) -> _Known:
    """A sidecar may have named a version without its model (``civitai:?@VERSION``): it is this very one.

    ``unknown``: model's id by the key of a version that is not stored under it.
    """
    nameless = {f"civitai:?@{key.partition('@')[2]}": key for key in unknown if key.startswith("civitai:")}
    found = {nameless[old]: row for old, row in _known(session, Version, nameless).items()}
    for key, (id_, _) in found.items():
        session.execute(update(Version).where(Version.id == id_).values(key=key, model_id=unknown[key]))
    return found


def _of_model(model: HubModel, ids: Mapping[str, int]) -> _Said:
    return _Said(ids[model.key], model.claims, model.gone is not None)


def _of_version(version: HubVersion, ids: Mapping[str, int], gone: set[str]) -> _Said:
    return _Said(ids[version.key], version.claims, version.key in gone)


def _claims(session: Session, subject: Any, said: Sequence[_Said], rows_of: _Rows) -> None:
    """Append what is new. What a hub said of a model that is gone now stays current beside its last word."""
    sources = {item.claims.source for item in said}
    older = [item.id for item in said if not item.keep_older and item.id not in rows_of.fresh]
    for piece in pieces(older):
        session.execute(
            update(ClaimRow)
            .where(subject.in_(piece), ClaimRow.source.in_(sources), ClaimRow.current)
            .values(current=False)
        )
    # Numbers change with every answer and have a table of their own: what is said is the raw statement.
    rows = [{subject.key: item.id} | statement_row(item.claims, dict(item.claims.raw)) for item in said]
    upsert(session, ClaimRow, rows, [subject.key, "source", "digest"])


def _numbers(
    session: Session,
    subject: Subject,
    items: Iterable[tuple[str, str, HubModel | HubVersion]],
    rows_of: _Rows,
) -> None:
    told = {
        (rows_of.ids[key], source): {name: getattr(item.statistics, name) for name in NUMBERS}
        for key, source, item in items
        if item.statistics
    }
    record_numbers(session, subject, told, fresh=rows_of.fresh)


def _all_versions(session: Session, model_ids: Iterable[int]) -> set[int]:
    return {
        id_
        for piece in pieces(model_ids)
        for id_ in session.scalars(select(Version.id).where(Version.model_id.in_(piece)))
    }


def mark_gone(session: Session, keys: Sequence[str], gone: str) -> set[int]:
    """Note that a hub no longer shows these models (``deleted``, ``taken_down`` …); answers their versions.

    All that was known stays.
    """
    ids = set(values_by_key(session, Model.key, Model.id, keys).values())
    for piece in pieces(ids):
        session.execute(
            update(Model).where(Model.id.in_(piece), Model.gone_at.is_(None)).values(gone=gone, gone_at=now())
        )
        session.execute(
            update(Version)
            .where(Version.model_id.in_(piece), Version.gone_at.is_(None))
            .values(gone=gone, gone_at=now())
        )
    return _all_versions(session, ids)


def store_refused(session: Session, items: Sequence[Refused]) -> None:
    """Keep items that could not be read, with the reason, each once."""
    rows = {
        (item.source, item.key): {
            "source": item.source,
            "key": item.key,
            "code": item.code,
            "detail": item.detail,
            "raw": {"value": item.raw} if item.raw is not None else None,
            "at": now(),
        }
        for item in items
    }
    upsert(session, RefusedItem, list(rows.values()), ["source", "key"])


def refused_items(session: Session) -> Iterator[Refused]:
    """All refused items with the reasons, oldest first, read as they are asked for; without their content."""
    columns = (RefusedItem.source, RefusedItem.key, RefusedItem.code, RefusedItem.detail)
    rows = session.execute(select(*columns).order_by(RefusedItem.id).execution_options(yield_per=1_000))
    for source, key, code, detail in rows:
        yield Refused(source, key, code, detail)
