"""Work that is done again and again, with a lease so that two servers never do it at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from indexer.catalog.hub_schema import Schedule
from indexer.catalog.table_base import now
from indexer.catalog.upsert import upsert

__all__ = [
    "ScheduleState",
    "add_schedule",
    "claim_schedule",
    "due_schedules",
    "end_schedule",
    "list_schedules",
    "remove_schedule",
    "renew_lease",
    "schedule_by_id",
    "schedule_named",
]


@dataclass(frozen=True, slots=True)
class ScheduleState:
    """A schedule as stored. ``next_at`` is when it is due, ``result`` ok, failed, stopped or postponed."""

    id: int
    name: str
    job: str
    arguments: Mapping[str, Any]
    trigger: str
    enabled: bool
    next_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    result: str | None
    detail: str | None
    running: bool


def add_schedule(
    session: Session,
    name: str,
    job: str,
    arguments: Mapping[str, Any],
    trigger: str,
    next_at: datetime | None,
) -> None:
    """Add a schedule, or change the one of that name; what its last run said stays."""
    row = {
        "name": name,
        "job": job,
        "arguments": dict(arguments),
        "trigger": trigger,
        "enabled": True,
        "next_at": next_at,
        "added_at": now(),
    }
    upsert(session, Schedule, [row], ["name"], update=["job", "arguments", "trigger", "enabled", "next_at"])


def remove_schedule(session: Session, name: str) -> bool:
    """Whether there was one of that name."""
    return _changed(session, delete(Schedule).where(Schedule.name == name))


def list_schedules(session: Session) -> list[ScheduleState]:
    """All schedules by name."""
    return [_state(row) for row in session.scalars(select(Schedule).order_by(Schedule.name))]


def schedule_by_id(session: Session, id_: int) -> ScheduleState | None:
    """The schedule as it is now, or None when it was removed."""
    row = session.get(Schedule, id_)
    return None if row is None else _state(row)


def schedule_named(session: Session, name: str) -> ScheduleState | None:
    """The schedule of that name, or None."""
    row = session.scalar(select(Schedule).where(Schedule.name == name))
    return None if row is None else _state(row)


def due_schedules(session: Session, at: datetime) -> list[ScheduleState]:
    """Those that are due and that nobody runs, longest waiting first."""
    rows = (
        select(Schedule).where(Schedule.enabled, Schedule.next_at <= at, _free(at)).order_by(Schedule.next_at)
    )
    return [_state(row) for row in session.scalars(rows)]


def claim_schedule(session: Session, id_: int, owner: str, lease: timedelta, *, due: bool = False) -> bool:
    """Take the right to run one; False when another was faster. A dead runner's lease ends by itself.

    With ``due`` only while it is: another may have run it, and ended, since it was listed.
    """
    at = now()
    still = (Schedule.enabled, Schedule.next_at <= at) if due else ()
    return _changed(
        session,
        update(Schedule)
        .where(Schedule.id == id_, _free(at), *still)
        .values(lease=owner, lease_until=at + lease, started_at=at),
    )


def renew_lease(session: Session, id_: int, owner: str, lease: timedelta) -> bool:
    """Say that the run is alive; False when the lease was lost."""
    return _changed(
        session,
        update(Schedule).where(Schedule.id == id_, Schedule.lease == owner).values(lease_until=now() + lease),
    )


def end_schedule(
    session: Session, id_: int, owner: str, result: str, detail: str, next_at: datetime | None
) -> None:
    """Note how a run ended and when the next is due; missed runs in between are one."""
    session.execute(
        update(Schedule)
        .where(Schedule.id == id_, Schedule.lease == owner)
        .values(
            lease=None,
            lease_until=None,
            finished_at=now(),
            result=result,
            detail=detail[:2_000],
            next_at=next_at,
        )
    )


def _changed(session: Session, statement: Any) -> bool:
    return bool(getattr(session.execute(statement), "rowcount", 0))


def _free(at: datetime) -> Any:
    return or_(Schedule.lease.is_(None), Schedule.lease_until < at)


def _state(row: Schedule) -> ScheduleState:
    return ScheduleState(
        row.id,
        row.name,
        row.job,
        row.arguments,
        row.trigger,
        row.enabled,
        row.next_at,
        row.started_at,
        row.finished_at,
        row.result,
        row.detail,
        row.lease is not None and row.lease_until is not None and row.lease_until > now(),
    )
