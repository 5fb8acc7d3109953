"""When schedules are due: against a slow twin that looks at every minute, on both sides of clock changes."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.cron import CronTrigger
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import UsageError
from indexer.triggers import check_trigger, next_time

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
"""A Monday."""

moments = st.one_of(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)),
    st.datetimes(datetime(2026, 3, 28), datetime(2026, 3, 29, 4)),
    st.datetimes(datetime(2026, 10, 24), datetime(2026, 10, 25, 4)),
).map(lambda at: at.replace(tzinfo=UTC))
minutes = st.one_of(st.just("*"), st.just("*/20"), st.integers(0, 59).map(str), st.just("5,45"))
hours = st.one_of(st.just("*"), st.integers(0, 23).map(str), st.just("1-3"))
days = st.one_of(st.just("*"), st.integers(1, 28).map(str))
weekdays = st.one_of(
    st.just("*"), st.integers(0, 7).map(str), st.sampled_from(["1-5", "fri-sun", "0,3", "*/2"])
)
NUMBERS = {"1-5": {1, 2, 3, 4, 5}, "fri-sun": {5, 6, 0}, "0,3": {0, 3}, "*/2": {0, 2, 4, 6}, "7": {0}}


def fits(field: str, value: int) -> bool:
    """A field of the kinds above, the slow way."""
    if field == "*":
        return True
    if field.startswith("*/"):
        return value % int(field[2:]) == 0
    if "-" in field:
        first, last = map(int, field.split("-"))
        return first <= value <= last
    return value in map(int, field.split(","))


def slowly(cron: str, after: datetime) -> datetime | None:
    """The next minute whose clock in Berlin shows what the line says, as cron does it, within 40 days."""
    minute, hour, day, _, weekday = cron.split()
    wanted = NUMBERS.get(weekday) or ({int(weekday)} if weekday != "*" else set(range(7)))
    at = after.replace(second=0, microsecond=0)
    for _ in range(40 * 1440):
        at += timedelta(minutes=1)
        here = at.astimezone(BERLIN)
        on_day, on_weekday = fits(day, here.day), here.isoweekday() % 7 in wanted
        both = on_day and on_weekday
        either = on_day or on_weekday
        today = both if day == "*" or weekday.startswith("*") else either
        if today and fits(minute, here.minute) and fits(hour, here.hour):
            return at
    return None


def skips(day: datetime) -> bool:
    """Whether the clocks go forward on the day in Berlin."""
    noon = day.astimezone(BERLIN).replace(hour=12, minute=0)
    return noon.replace(hour=0).utcoffset() < noon.utcoffset()  # type: ignore[operator]  # both are known


@given(minutes, hours, days, weekdays, moments)
@settings(max_examples=150, deadline=None)
def test_cron_lines_agree_with_looking_at_every_minute(
    minute: str, hour: str, day: str, weekday: str, after: datetime
) -> None:
    cron = f"{minute} {hour} {day} * {weekday}"
    found, wanted = next_time(cron, after, zone=BERLIN), slowly(cron, after)
    assert found > after
    if found != wanted and wanted is not None:
        assert skips(found) and found < wanted, "only a time that the clocks skip comes on its own"


@given(minutes, hours, days, moments)
@settings(max_examples=200, deadline=None)
def test_without_weekdays_and_shifts_it_is_what_apscheduler_says(
    minute: str, hour: str, day: str, after: datetime
) -> None:
    cron = f"{minute} {hour} {day} * *"
    theirs = CronTrigger.from_crontab(cron, timezone=UTC)
    assert next_time(cron, after, zone=UTC) == theirs.get_next_fire_time(None, after + timedelta.resolution)


def test_no_month_is_lost_when_the_clocks_change_before_its_first() -> None:
    found = next_time("0 0 1 * *", datetime(2026, 3, 2, tzinfo=UTC), zone=BERLIN)
    assert found.astimezone(BERLIN).isoformat() == "2026-04-01T00:00:00+02:00"


@given(st.integers(1, 500), st.sampled_from("mhdw"), moments, moments)
def test_intervals_keep_their_beat_and_missed_runs_are_one(
    count: int, unit: str, anchor: datetime, after: datetime
) -> None:
    step = timedelta(minutes=count * {"m": 1, "h": 60, "d": 1440, "w": 10080}[unit])
    found = next_time(f"every {count}{unit}", after, anchor=anchor)
    assert found > after
    assert abs((found - anchor) % step) < timedelta(milliseconds=1)
    assert found == anchor or found - step <= after


def test_an_interval_without_anchor_begins_when_it_has_passed_once() -> None:
    assert next_time("every 6h", START) == START + timedelta(hours=6)


@pytest.mark.parametrize(
    ("cron", "wanted"),
    [
        ("0 3 * * 0", "2026-11-29"),
        ("0 3 * * 7", "2026-11-29"),
        ("0 3 * * mon", "2026-11-30"),
        ("0 3 * * 1", "2026-11-30"),
        ("0 3 13 * 5", "2026-11-27"),
        ("0 3 31 12 *", "2026-12-31"),
    ],
)
def test_weekdays_are_crons_not_apschedulers(cron: str, wanted: str) -> None:
    assert next_time(cron, START, zone=BERLIN).date().isoformat() == wanted


def test_a_daily_job_is_not_lost_when_the_clocks_go_forward() -> None:
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)
    first = next_time("30 2 * * *", before, zone=BERLIN)
    assert first.astimezone(BERLIN).isoformat() == "2026-03-29T03:30:00+02:00"
    assert next_time("30 2 * * *", first, zone=BERLIN).astimezone(BERLIN).day == 30


@pytest.mark.parametrize(
    "trigger",
    ["", "every 0m", "every 6", "every -1h", "every 999999w", "soon", "* * * *", "61 * * * *", "* * * * 8",
     "* * * * 5-1", "* * * * */0", "0 0 30 2 *", "* * * * mon#1", "every 6h 5m", "@daily", "* * * * *-3"],
)  # fmt: skip
def test_what_means_nothing_is_refused_with_a_way_out(trigger: str) -> None:
    with pytest.raises(UsageError, match=r"--every 90m|never comes"):
        check_trigger(trigger)


def test_blanks_and_case_do_not_matter() -> None:
    assert check_trigger("  0 3 *  * MON ") == "0 3 * * mon"
