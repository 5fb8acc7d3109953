"""When work is due again: ``every 6h``, or a cron line of five fields in this machine's time.

APScheduler does the arithmetic. What its 3.x line reads otherwise than cron does is put right here: weekday 0
is Monday there (https://github.com/agronholm/apscheduler/issues/286), and where day of month and weekday are
both given, either one is enough (man 5 crontab). It only counts in clock time without shifts: counting over a
change of the clocks, 3.11.3 lands an hour off and, from 2 March, finds no midnight of 1 April in Berlin.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo

from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from indexer.errors import UsageError

__all__ = ["check_trigger", "next_time"]

_SHIFT = timedelta(hours=3)
"""No clock is put on or back by more."""

_EVERY = re.compile(r"every ([1-9]\d{0,4}) ?([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_WEEKDAYS = "write 0 (Sunday) to 6, or sun to sat"
_FIELDS = ("minute", "hour", "day", "month")
_DAY = re.compile(r"(?P<first>\*|[a-z]{3}|\d)(?:-(?P<last>[a-z]{3}|\d))?(?:/(?P<step>[1-9]\d{0,2}))?")


def check_trigger(trigger: str) -> str:
    """The trigger with blanks and case tidied. Raises ``UsageError`` (``trigger``) when it means nothing."""
    tidy = " ".join(trigger.lower().split())
    next_time(tidy, datetime.now(UTC))
    return tidy


def next_time(
    trigger: str, after: datetime, *, anchor: datetime | None = None, zone: tzinfo | None = None
) -> datetime:
    """The first moment after ``after`` when the work is due, in UTC; missed ones in between are skipped.

    An interval counts from ``anchor`` (the last time it was due), so that it does not drift, in true hours; a
    cron line is read in ``zone``, None: this machine's. A time that the clocks skip in spring comes when they
    would have shown it, one that they repeat in autumn comes twice. Raises ``UsageError`` (``trigger``).
    """
    if every := _EVERY.fullmatch(trigger):
        step = timedelta(**{_UNITS[every[2]]: int(every[1])})
        seconds = int(step.total_seconds())
        beat = IntervalTrigger(seconds=seconds, start_date=anchor or after + step, timezone=UTC)
        # APScheduler includes the moment it is given.
        found: datetime = beat.get_next_fire_time(None, after + timedelta.resolution)
        return found.astimezone(UTC)
    line = _cron(trigger)
    here = after.astimezone(zone).replace(tzinfo=UTC)
    moments: list[datetime] = []
    at = line.get_next_fire_time(None, here - _SHIFT)
    while at is not None:
        moments += (moment for moment in _moments(at, zone) if moment > after)
        if moments and at > here + _SHIFT:
            return min(moments)
        at = line.get_next_fire_time(None, at + timedelta.resolution)
    raise UsageError("trigger", f"The schedule {trigger!r} names a day that never comes.")


def _moments(shown: datetime, zone: tzinfo | None) -> Iterator[datetime]:
    """When clocks in the zone show ``shown``: once, twice, or (skipped) when they would have."""
    first, second = (shown.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    yield first
    if second > first:
        yield second


def _cron(trigger: str) -> CronTrigger | OrTrigger:
    fields = trigger.split()
    try:
        if len(fields) != 5:
            raise ValueError(f"it has {len(fields)} fields, not 5")
        weekdays = ",".join(_weekdays(fields[4]))
        given = dict(zip(_FIELDS, fields, strict=False))
        if fields[2].startswith("*") or fields[4].startswith("*"):
            return CronTrigger(**given, day_of_week=weekdays, timezone=UTC)
        return OrTrigger(
            [
                CronTrigger(**given, timezone=UTC),
                CronTrigger(**(given | {"day": "*"}), day_of_week=weekdays, timezone=UTC),
            ]
        )
    except ValueError as error:
        raise UsageError(
            "trigger",
            f"The schedule {trigger!r} cannot be read: {error}. Give --every 90m, 6h, 2d or 1w, or --cron "
            "with minute, hour, day of month, month and weekday, such as '30 3 * * mon'.",
        ) from error


def _weekdays(field: str) -> Iterator[str]:
    """The days that cron's weekday field means, by name."""
    found: set[str] = set()
    for part in field.split(","):
        match = _DAY.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} is no weekday; {_WEEKDAYS}")
        first, last, step = match["first"], match["last"], match["step"]
        start = 0 if first == "*" else _number(first)
        end = _number(last) if last else 6 if step or first == "*" else start
        if end == 0 < start:
            end = 7  # fri-sun ends with the Sunday after
        days = range(start, end + 1, int(step or 1))
        if not days or (first == "*" and last):
            raise ValueError(f"{part!r} is no span of weekdays")
        found.update(_DAYS[day % 7] for day in days)
    return iter(sorted(found, key=_DAYS.index))


def _number(day: str) -> int:
    if day in _DAYS:
        return _DAYS.index(day)
    if day.isdigit() and int(day) <= 7:
        return int(day)
    raise ValueError(f"{day!r} is no weekday; {_WEEKDAYS}")
