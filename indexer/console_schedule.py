"""Schedules at the terminal."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from indexer.catalog.schedules import ScheduleState
from indexer.console import Console

__all__ = ["show_added", "show_schedules"]


def show_added(console: Console, state: ScheduleState) -> None:
    """One schedule and when it is due for the first time."""
    console.answer(
        asdict(state),
        lambda: console.line(
            f"{state.name}: {_job(state)}, {state.trigger}; next {_moment(state.next_at)}, "
            "while pinakes serve runs"
        ),
    )


def show_schedules(console: Console, states: Sequence[ScheduleState]) -> None:
    """A table of all; JSON: a list of them."""
    console.answer([asdict(state) for state in states], lambda: _table(console, states))


def _table(console: Console, states: Sequence[ScheduleState]) -> None:
    if not states:
        console.line('No schedule yet. Add one: pinakes schedule add nightly index --cron "0 3 * * *"')
        return
    rows = [
        [
            state.name,
            _job(state),
            state.trigger,
            "now running" if state.running else _moment(state.next_at),
            _last(state),
        ]
        for state in states
    ]
    console.table("", ["name", "job", "when", "next", "last"], rows)


def _job(state: ScheduleState) -> str:
    return " ".join((state.job, *(f"{name}={_value(v)}" for name, v in state.arguments.items())))


def _value(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _last(state: ScheduleState) -> str:
    if state.result is None:
        return "never run"
    return f"{state.result}, {_moment(state.finished_at)}: {state.detail}"


def _moment(at: datetime | None) -> str:
    """In this machine's time."""
    return "never" if at is None else f"{at.astimezone():%Y-%m-%d %H:%M}"
