"""What is to be asked of a hub: our files whose hash nobody has recognised, and models known from there."""

from collections.abc import Iterable, Mapping

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from indexer.catalog.hub_schema import CachedAnswer, HashRow
from indexer.catalog.schema import File, Location, Model, Version
from indexer.catalog.table_base import now
from indexer.catalog.upsert import pieces, upsert

__all__ = ["keep_answer", "known_models", "mark_vanished", "shown_before", "unlinked_files", "validators"]


def unlinked_files(session: Session, after: int, limit: int) -> dict[int, str]:
    """The next files by id that are there, hashed, and in no version of a hub: id -> SHA-256.

    Their hashes are noted where linking looks for them.
    """
    here = select(Location.id).where(Location.file_id == File.id, Location.missing_since.is_(None))
    rows = session.execute(
        select(File.id, File.sha256)
        .where(File.id > after, File.sha256.is_not(None), File.linked.is_(False), here.exists())
        .order_by(File.id)
        .limit(limit)
    )
    found = {id_: sha256 or "" for id_, sha256 in rows}
    measured = [{"file_id": id_, "kind": "sha256", "value": sha256} for id_, sha256 in found.items()]
    upsert(session, HashRow, measured, ["file_id", "kind"])
    return found


def known_models(session: Session, source: str, after: int, limit: int) -> list[tuple[int, str, bool]]:
    """The next models of a hub by our id: (our id, the hub's own, whether it is marked gone)."""
    prefix = f"{source}:"
    rows = session.execute(
        select(Model.id, Model.key, Model.gone_at)
        .where(Model.id > after, Model.key.startswith(prefix, autoescape=True))
        .order_by(Model.id)
        .limit(limit)
    )
    return [(id_, key.removeprefix(prefix), gone is not None) for id_, key, gone in rows]


def shown_before(session: Session, keys: Iterable[str]) -> list[str]:
    """Those of these models that we know and that are not marked gone yet."""
    return [
        key
        for piece in pieces(keys)
        for key in session.scalars(select(Model.key).where(Model.key.in_(piece), Model.gone_at.is_(None)))
    ]


def mark_vanished(session: Session, told: Mapping[str, Iterable[str]]) -> set[int]:
    """Mark versions as deleted that their hub no longer lists under their model; answers them.

    ``told``: key of a model -> keys of all versions that a whole answer about it holds.
    """
    listed = {key for keys in told.values() for key in keys}
    gone: list[int] = []
    for piece in pieces(told):
        rows = session.execute(
            select(Version.id, Version.key)
            .join(Model, Model.id == Version.model_id)
            .where(Model.key.in_(piece), Version.gone_at.is_(None))
        )
        gone.extend(id_ for id_, key in rows if key not in listed)
    for ids in pieces(gone):
        session.execute(update(Version).where(Version.id.in_(ids)).values(gone="deleted", gone_at=now()))
    return set(gone)


def validators(session: Session, url: str) -> tuple[str | None, str | None]:
    """ETag and Last-Modified of the answer last stored for this address."""
    row = session.execute(
        select(CachedAnswer.etag, CachedAnswer.last_modified).where(CachedAnswer.url == url)
    ).first()
    return (row[0], row[1]) if row else (None, None)


def keep_answer(session: Session, url: str, etag: str | None, last_modified: str | None) -> None:
    """The answer of this address was stored, in this very transaction. The address must hold no secret."""
    row = {"url": url, "etag": etag, "last_modified": last_modified, "at": now()}
    upsert(session, CachedAnswer, [row], ["url"])
