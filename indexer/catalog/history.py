"""What became of a version in this catalog: when it came, what sources said anew, what somebody decided."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice, pairwise
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from indexer.catalog.overrides import override_history
from indexer.catalog.roots import place_path
from indexer.catalog.schema import ClaimRow, File, Location, Root, Version

__all__ = ["version_history"]

_MOST_STATEMENTS = 500
_MOST_EVENTS = 200
_LONGEST = 200

_Event = dict[str, Any]


def version_history(session: Session, version_id: int) -> list[_Event]:
    """Events, newest first, at most 200: ``{at, what, source, path, changes: [{name, before, after}]}``.

    ``what`` is ``added``, ``heard`` (a source spoke for the first time), ``changed`` (it says something else
    now), ``decided`` and ``withdrawn`` (a person's word), ``missing`` (a file was not at its place) or
    ``gone`` (its hub took it down). Values are shortened to 200 characters.
    """
    version = session.get(Version, version_id)
    if version is None:
        return []
    events = [_event(version.added_at, "added")]
    if version.gone_at is not None:
        events.append(_event(version.gone_at, "gone", source=version.gone))
    events += _statements(session, version)
    events += _decisions(session, version_id)
    events += _losses(session, version_id)
    return sorted(events, key=lambda event: event["at"], reverse=True)[:_MOST_EVENTS]


def _event(at: datetime, what: str, **more: Any) -> _Event:
    return {"at": at.isoformat(), "what": what, "source": None, "path": None, "changes": []} | more


def _statements(session: Session, version: Version) -> Iterator[_Event]:
    mine = select(File.id).where(File.version_id == version.id)
    rows = session.scalars(
        select(ClaimRow)
        .where(
            or_(
                ClaimRow.file_id.in_(mine),
                ClaimRow.version_id == version.id,
                ClaimRow.model_id == version.model_id,
            )
        )
        .order_by(ClaimRow.at.desc(), ClaimRow.id.desc())
        .limit(_MOST_STATEMENTS)
    )
    series: dict[tuple[Any, ...], list[ClaimRow]] = {}
    for row in rows:
        key = row.file_id, row.version_id, row.model_id, row.place_id, row.source
        series.setdefault(key, []).append(row)
    for said in series.values():
        first = said[-1]
        yield _event(first.at, "heard", source=first.source)
        for late, early in pairwise(said):
            if changes := list(_differences(early.claims, late.claims)):
                yield _event(late.at, "changed", source=late.source, changes=changes)


def _differences(early: Mapping[str, Any], late: Mapping[str, Any]) -> Iterator[_Event]:
    for name in dict.fromkeys((*early, *late)):
        before, after = early.get(name), late.get(name)
        if before != after:
            yield {"name": name, "before": _short(before), "after": _short(after)}


def _short(value: Any) -> str | None:
    if value in (None, "", [], {}):
        return None
    if isinstance(value, list):
        value = ", ".join(str(one)[:_LONGEST] for one in islice(value, 20))
    text = str(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " …"


def _decisions(session: Session, version_id: int) -> Iterator[_Event]:
    for row in override_history(session, [version_id]).get(version_id, ()):
        change = {"name": row["name"], "before": None, "after": str(row["value"])}
        yield {**_event(datetime.fromisoformat(row["at"]), "decided"), "changes": [change]}
        if row["withdrawn_at"] is not None:
            back = {"name": row["name"], "before": str(row["value"]), "after": None}
            yield {**_event(datetime.fromisoformat(row["withdrawn_at"]), "withdrawn"), "changes": [back]}


def _losses(session: Session, version_id: int) -> Iterator[_Event]:
    rows = session.execute(
        select(Root.path, Location)
        .join(Root, Root.id == Location.root_id)
        .join(File, File.id == Location.file_id)
        .where(File.version_id == version_id, Location.missing_since.is_not(None))
    )
    for root, place in rows:
        path = place_path(root, place.directory, place.name).decode("utf-8", "replace")
        if place.missing_since is not None:
            yield _event(place.missing_since, "missing", path=path)
