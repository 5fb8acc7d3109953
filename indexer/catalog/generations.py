"""Generation records: which previews were not read for one yet, and storing what they say."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from indexer.catalog.columns import clean_json
from indexer.catalog.generation_schema import GenerationRecord as RecordRow
from indexer.catalog.generation_schema import ResourceUse
from indexer.catalog.resources import UNKNOWN, Named, link
from indexer.catalog.schema import Preview
from indexer.catalog.table_base import Base
from indexer.catalog.upsert import pieces
from indexer.domain.generation import GenerationRecord, UsedModel, model_stem

__all__ = ["UntoldPreview", "count_untold", "said_by_hubs", "store_records", "untold_previews"]

_LONGEST_PROMPT = 10_000
_LONGEST_TEXT = 1_000
_LONGEST_RAW = 8_000
_MOST_MODELS = 200
_LARGEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class UntoldPreview:
    """A picture that was not read for how it was made. ``original`` names its fetched file below home;
    ``is_local``: it lies at ``location``; ``meta`` is what its hub says of it."""

    id: int
    version_id: int
    location: bytes
    original: str | None
    is_local: bool
    media: str
    meta: dict[str, Any] | None


def _untold(statement: Any) -> Any:
    return statement.where(Preview.told.is_(None), Preview.status != "missing")


def count_untold(session: Session) -> int:
    """How many pictures are to be read."""
    return session.scalar(_untold(select(func.count()).select_from(Preview))) or 0


def untold_previews(session: Session, after: int, limit: int) -> list[UntoldPreview]:
    """The next pictures to read, by id after ``after``."""
    columns = (
        Preview.id,
        Preview.version_id,
        Preview.location,
        Preview.original,
        Preview.place_id.is_not(None),
        Preview.media,
        Preview.meta,
    )
    wanted = _untold(select(*columns)).where(Preview.id > after)
    return [UntoldPreview(*row) for row in session.execute(wanted.order_by(Preview.id).limit(limit))]


def said_by_hubs(session: Session, version_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """What hubs say of pictures of these versions that were not read for how they were made, by preview."""
    wanted = _untold(select(Preview.id, Preview.meta)).where(Preview.place_id.is_(None))
    return {
        id_: meta
        for piece in pieces(version_ids)
        for id_, meta in session.execute(wanted.where(Preview.version_id.in_(piece)))
        if meta
    }


def store_records(session: Session, told: Sequence[tuple[int, GenerationRecord | None]]) -> None:
    """Store what pictures say (preview id, record or None) in place of what they said before; the models they
    name are linked to our versions."""
    told = [*dict(told).items()]
    for some in pieces(told):
        session.execute(delete(RecordRow).where(RecordRow.preview_id.in_([id_ for id_, _ in some])))
    records = {id_: record for id_, record in told if record is not None}
    _insert(session, RecordRow, [_row(id_, record) for id_, record in records.items()])
    rows = [
        row
        for record_id, preview_id in _record_ids(session, records)
        for row in _uses(record_id, records[preview_id].models)
    ]
    _link(session, rows)
    _insert(session, ResourceUse, rows)
    if told:
        session.execute(update(Preview), [{"id": id_, "told": record is not None} for id_, record in told])


def _insert(session: Session, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """One statement for all rows; by way of classes each would be a statement of its own."""
    if rows:
        session.connection().execute(insert(table), rows)


def _record_ids(session: Session, preview_ids: Any) -> Iterator[tuple[int, int]]:
    for piece in pieces(preview_ids):
        yield from (
            (record_id, preview_id)
            for record_id, preview_id in session.execute(
                select(RecordRow.id, RecordRow.preview_id).where(RecordRow.preview_id.in_(piece))
            )
        )


def _row(preview_id: int, record: GenerationRecord) -> dict[str, Any]:
    return {
        "preview_id": preview_id,
        "generator": record.generator,
        "prompt": _text(record.prompt, _LONGEST_PROMPT),
        "negative_prompt": _text(record.negative_prompt, _LONGEST_PROMPT),
        "seed": _text(record.seed),
        "steps": _whole(record.steps),
        "sampler": _text(record.sampler),
        "scheduler": _text(record.scheduler),
        "cfg": _number(record.cfg),
        "width": _whole(record.width),
        "height": _whole(record.height),
        "detail": _detail(record),
    }


def _detail(record: GenerationRecord) -> dict[str, Any]:
    """What has no column. Whole graphs stay in the picture: they are too long to be worth a copy."""
    raw = dict(record.raw)
    short = {"raw": raw} if raw and len(clean_json(raw)) <= _LONGEST_RAW else {}
    warned = {"warnings": {w.code: w.detail for w in record.warnings}} if record.warnings else {}
    return {"version": record.version, **warned, **short}


def _uses(record_id: int, models: Sequence[UsedModel]) -> Iterator[dict[str, Any]]:
    for model in models[:_MOST_MODELS]:
        stem = model_stem(model.name) if model.name else None
        yield {
            "record_id": record_id,
            "kind": model.kind,
            "name": _text(model.name),
            "stem": stem if stem and len(stem) <= _LONGEST_TEXT else None,
            "hash": _text(model.hash.strip().lower()) if model.hash else None,
            "hub_version": _text(model.version_id),
            "weight": _number(model.weight),
        }


def _link(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    names = [Named(row["kind"], row["stem"], row["hash"], row["hub_version"]) for row in rows]
    links = link(session, set(names))
    for row, name in zip(rows, names, strict=True):
        found = links.get(name, UNKNOWN)
        row["version_id"], row["confidence"] = found.version_id, found.confidence


def _text(value: str | None, longest: int = _LONGEST_TEXT) -> str | None:
    return value[:longest] if value else None


def _whole(value: int | None) -> int | None:
    return value if value is not None and abs(value) <= _LARGEST else None


def _number(value: float | None) -> float | None:
    return value if value is not None and abs(value) <= _LARGEST else None  # not for NaN either
