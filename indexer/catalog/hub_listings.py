"""What hubs list beside models: pictures made with versions we know, creators, tags, the hub's own words."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from indexer.catalog.generation_schema import VersionAlias
from indexer.catalog.hub_schema import HubWordRow
from indexer.catalog.previews import hub_row, tells_other
from indexer.catalog.schema import Preview, Version
from indexer.catalog.table_base import now
from indexer.catalog.upsert import pieces, upsert
from indexer.domain.hubs import HubPicture, HubWord

__all__ = ["known_versions", "store_hub_words", "store_pictures"]

_BEHIND = 1_000
"""Position of pictures that others made: behind those that the creator chose."""


def known_versions(session: Session, numbers: Iterable[int]) -> dict[int, list[tuple[int, str]]]:
    """Id and key of the versions that have these numbers at Civitai, by number."""
    found: dict[int, list[tuple[int, str]]] = {}
    for piece in pieces({f"civitai:{number}" for number in numbers}):
        rows = session.execute(
            select(VersionAlias.alias, Version.id, Version.key)
            .join(Version, Version.id == VersionAlias.version_id)
            .where(VersionAlias.alias.in_(piece))
            .order_by(Version.id)
        )
        for alias, id_, key in rows:
            found.setdefault(int(alias.partition(":")[2]), []).append((id_, key))
    return found


def store_pictures(
    session: Session, pictures: Sequence[HubPicture], wanted: Callable[[str], bool]
) -> tuple[set[int], list[HubPicture]]:
    """Make pictures previews of the versions they were made with, as far as those are known and their keys
    ``wanted``. Answers the versions that got some, and the pictures that no version of ours takes.

    A picture that its version shows already is not doubled: what is said of how it was made is added.
    """
    known = known_versions(session, {number for picture in pictures for number in picture.versions})
    rows: dict[tuple[int, str], dict[str, Any]] = {}
    homeless: list[HubPicture] = []
    for picture in pictures:
        homes = [id_ for n in picture.versions for id_, key in known.get(n, ()) if wanted(key)]
        for version_id in homes:
            row = hub_row(version_id, f"{picture.source}:images", picture.image, _BEHIND)
            rows[version_id, picture.image.url] = row
        if not homes:
            homeless.append(picture)
    retold = list(_retold(session, rows))
    upsert(
        session,
        Preview,
        list(rows.values()),
        ["version_id", "location"],
        update=["nsfw_level", "width", "height", "blurhash", "meta"],
        where=Preview.place_id.is_(None),
    )
    for piece in pieces(retold):
        session.execute(update(Preview).where(Preview.id.in_(piece)).values(told=None))
    return {version_id for version_id, _ in rows}, homeless


def _retold(session: Session, rows: dict[tuple[int, str], dict[str, Any]]) -> Iterator[int]:
    """Pictures that are here and of which something else is told now; a silent word does not replace one."""
    columns = (Preview.id, Preview.version_id, Preview.location, Preview.meta)
    for piece in pieces({version_id for version_id, _ in rows}):
        places = {row["location"] for key, row in rows.items() if key[0] in set(piece)}
        for some in pieces(places):
            statement = select(*columns).where(
                Preview.version_id.in_(piece), Preview.location.in_(some), Preview.place_id.is_(None)
            )
            for id_, version_id, location, before in session.execute(statement):
                row = rows.get((version_id, location.decode("utf-8", "surrogateescape")))
                if row is not None and tells_other(row["meta"], before):
                    yield id_
                elif row is not None:
                    row["meta"] = before


def store_hub_words(session: Session, words: Sequence[HubWord]) -> None:
    """Store words with what the hub says of them now."""
    rows = {
        (word.source, word.kind, word.name): {
            "source": word.source,
            "kind": word.kind,
            "name": word.name,
            "models": word.models,
            "link": word.link,
            "known": word.known,
            "detail": dict(word.detail) or None,
            "at": now(),
        }
        for word in words
    }
    upsert(session, HubWordRow, list(rows.values()), ["source", "kind", "name"])
