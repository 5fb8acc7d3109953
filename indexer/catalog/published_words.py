"""Creators and tags of what the catalog holds, a page at a time."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import orjson
from sqlalchemy import Text, exists, func, select, type_coerce
from sqlalchemy.orm import Session

from indexer.catalog.hub_schema import HubWordRow
from indexer.catalog.schema import Creator, Entry, Model, Tag, Version, VersionTag
from indexer.catalog.upsert import pieces

__all__ = ["WordsPage", "creators_page", "hub_words", "tags_page", "told_creators"]

_FETCHED = 1_000


@dataclass(frozen=True, slots=True)
class WordsPage:
    """Words with how many models each has (None: not counted), and how many words there are in all.
    ``detail`` is what the hub's own listing says of some."""

    total: int
    words: Sequence[tuple[str, int | None]]
    detail: Mapping[str, Mapping[str, Any]]


def told_creators(session: Session) -> Mapping[str, int]:
    """Creators of models that no hub tells of here, as files beside them do, with their models; one pass over
    those models, for callers to keep. Letters count as they are."""
    rows = session.execute(
        select(Version.model_id, type_coerce(Entry.document, Text))
        .join(Version, Version.id == Entry.version_id)
        .join(Model, Model.id == Version.model_id)
        .where(Model.creator_id.is_(None), Entry.document.is_not(None))
        .execution_options(yield_per=_FETCHED)
    )
    found = {(name, model) for model, text in rows if text and (name := orjson.loads(text).get("creator"))}
    return dict(sorted(Counter(name for name, _ in found).items()))


def creators_page(
    session: Session, query: str, limit: int, offset: int, told: Mapping[str, int] = MappingProxyType({})
) -> WordsPage:
    """Who published something here: whom hubs tell of, by name, then those whom files alone tell of
    (``told``, as ``told_creators`` counts them)."""
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
    detail = {
        name: said
        for name, said in session.execute(select(HubWordRow.name, HubWordRow.detail).where(*wanted))
        if said
    }
    found = [(name, counts.get(id_, 0) + told.get(name, 0)) for id_, name in names.items()]
    alone = _alone(session, [name for name in told if query.lower() in name.lower()])
    start = max(0, offset - total)
    found += [(name, told[name]) for name in alone[start : start + limit - len(found)]]
    return WordsPage(total + len(alone), found, detail)


def _alone(session: Session, names: Sequence[str]) -> Sequence[str]:
    """Those that no hub tells of."""
    known = {
        name
        for piece in pieces(names)
        for name in session.scalars(
            select(Creator.name).where(
                Creator.name.in_(piece), exists().where(Model.creator_id == Creator.id)
            )
        )
    }
    return [name for name in names if name not in known]


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
