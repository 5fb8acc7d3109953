"""Creators and tags of what the catalog holds, a page at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from indexer.catalog.hub_schema import HubWordRow
from indexer.catalog.schema import Creator, Model, Tag, VersionTag

__all__ = ["WordsPage", "creators_page", "hub_words", "tags_page"]


@dataclass(frozen=True, slots=True)
class WordsPage:
    """Words with how many models each has (None: not counted), and how many words there are in all.
    ``detail`` is what the hub's own listing says of some."""

    total: int
    words: Sequence[tuple[str, int | None]]
    detail: Mapping[str, Mapping[str, Any]]


def creators_page(session: Session, query: str, limit: int, offset: int) -> WordsPage:
    """Who published something here, by name."""
    used = exists().where(Model.creator_id == Creator.id)
    named = _containing(Creator.name, query)
    total = session.scalar(select(func.count()).select_from(Creator).where(used, *named)) or 0
    rows = session.execute(
        select(Creator.id, Creator.name)
        .where(used, *named)
        .order_by(Creator.name)
        .limit(limit)
        .offset(offset)
    )
    names: dict[int, str] = {id_: name for id_, name in rows}  # noqa: C416
    counted = session.execute(
        select(Model.creator_id, func.count()).where(Model.creator_id.in_(names)).group_by(Model.creator_id)
    )
    counts: dict[int | None, int] = {id_: count for id_, count in counted}  # noqa: C416
    wanted = HubWordRow.source == "civitai", HubWordRow.kind == "creator", HubWordRow.name.in_(names.values())
    told = session.execute(select(HubWordRow.name, HubWordRow.detail).where(*wanted))
    detail = {name: said for name, said in told if said}
    return WordsPage(total, [(name, counts.get(id_, 0)) for id_, name in names.items()], detail)


def tags_page(session: Session, query: str, limit: int, offset: int) -> WordsPage:
    """Tags that something here has, by name."""
    used = exists().where(VersionTag.tag_id == Tag.id)
    named = _containing(Tag.name, query)
    total = session.scalar(select(func.count()).select_from(Tag).where(used, *named)) or 0
    names = session.scalars(
        select(Tag.name).where(used, *named).order_by(Tag.name).limit(limit).offset(offset)
    )
    return WordsPage(total, [(name, None) for name in names], {})


def _containing(column: Any, query: str) -> Sequence[Any]:
    return [func.lower(column).contains(query.lower(), autoescape=True)] if query else []


def hub_words(session: Session, kinds: Sequence[str]) -> dict[str, list[str]]:
    """The words that Civitai listed of each kind (``enum:ModelType`` …) when it was last asked."""
    rows = session.execute(
        select(HubWordRow.kind, HubWordRow.name)
        .where(HubWordRow.source == "civitai", HubWordRow.kind.in_(kinds))
        .order_by(HubWordRow.id)
    )
    found: dict[str, list[str]] = {}
    for kind, name in rows:
        found.setdefault(kind, []).append(name)
    return found
