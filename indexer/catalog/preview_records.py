"""How previews were made, as they or their hubs say, with the models that they name: read for showing."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from indexer.catalog.entries import documents
from indexer.catalog.generation_schema import GenerationRecord, ResourceUse
from indexer.catalog.resources import UNKNOWN, Named, link
from indexer.catalog.upsert import pieces
from indexer.domain.generation import UsedModel, model_stem
from indexer.domain.records import Document

__all__ = ["linked_models", "records_of_previews"]

_COLUMNS = (
    *("generator", "prompt", "negative_prompt", "seed", "steps", "sampler", "scheduler", "cfg"),
    *("width", "height"),
)


def records_of_previews(session: Session, preview_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Generation records by preview id; pictures that say nothing are left out.

    ``{generator, prompt, negative_prompt, seed, steps, sampler, scheduler, cfg, width, height, models}``,
    the models as ``linked_models`` tells them.
    """
    found: dict[int, dict[str, Any]] = {}
    owners: dict[int, int] = {}
    for piece in pieces(preview_ids):
        for row in session.scalars(select(GenerationRecord).where(GenerationRecord.preview_id.in_(piece))):
            told = {name: getattr(row, name) for name in _COLUMNS}
            found[row.preview_id] = told | {"models": []}
            owners[row.id] = row.preview_id
    uses = [
        use
        for piece in pieces(owners)
        for use in session.scalars(
            select(ResourceUse).where(ResourceUse.record_id.in_(piece)).order_by(ResourceUse.id)
        )
    ]
    known = documents(session, {use.version_id for use in uses if use.version_id is not None})
    for use in uses:
        asked = UsedModel(use.kind, use.name, use.hash, use.hub_version, use.weight)
        meant = known.get(use.version_id or 0)
        found[owners[use.record_id]]["models"].append(_told(asked, meant, sure=use.confidence >= 1))
    return found


def linked_models(session: Session, models: Iterable[UsedModel]) -> list[dict[str, Any]]:
    """Models as a picture names them, each with the version of ours that is meant.

    ``{kind, name, hash, version_id, weight, id, title, here, sure, hidden}``: ``id`` and ``title`` are None
    for one that the catalog does not know; ``here``: a file of it lies in the library; ``sure``: by a hash or
    a hub's number, not by its file's name alone; ``hidden`` as in ``Document``.
    """
    asked = {model: _named(model) for model in models}
    meant = link(session, set(asked.values()))
    links = {model: meant.get(name, UNKNOWN) for model, name in asked.items()}
    known = documents(session, {one.version_id for one in links.values() if one.version_id is not None})
    return [
        _told(model, known.get(one.version_id or 0), sure=one.confidence >= 1) for model, one in links.items()
    ]


def _named(model: UsedModel) -> Named:
    stem = model_stem(model.name) if model.name else None
    return Named(model.kind, stem, model.hash.strip().lower() if model.hash else None, model.version_id)


def _told(model: UsedModel, meant: Document | None, *, sure: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        name: getattr(model, name) for name in ("kind", "name", "hash", "version_id", "weight")
    }
    return told | {
        "id": meant.id if meant else None,
        "title": meant.name if meant else None,
        "here": meant is not None and "local" in meant.flags,
        "sure": meant is not None and sure,
        "hidden": list(meant.hidden) if meant else [],
    }
