"""One run of a scheduled job: under a lease that is kept alive, with its end noted whatever happens."""

import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from indexer.catalog import schedules
from indexer.catalog.database import Catalog
from indexer.catalog.schedules import ScheduleState
from indexer.catalog.table_base import now
from indexer.errors import CatalogError, PinakesError
from indexer.jobs import job_named
from indexer.progress import Progress, Stage
from indexer.settings import Settings
from indexer.triggers import next_time

__all__ = ["LEASE", "JobStopped", "new_owner", "run_claimed"]

LEASE = timedelta(minutes=2)
"""A runner that is silent for so long counts as dead."""

_RETRY = timedelta(minutes=1)
"""So long a job waits that found the catalog being written by another program."""


class JobStopped(BaseException):
    """The job was asked to stop. No ``Exception``: what guards single files must not swallow it."""


def new_owner() -> str:
    """A name for a runner that nobody else has: host, process and a random part."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def run_claimed(
    catalog: Catalog,
    state: ScheduleState,
    owner: str,
    settings: Settings,
    progress: Progress,
    stop: threading.Event,
    *,
    lease: timedelta = LEASE,
    due: bool = True,
) -> str:
    """Run a schedule that ``owner`` has claimed; answers the job's sentence.

    Once ``stop`` is set, or another took the lease over, raises ``JobStopped`` between two steps of the job;
    what was stored is kept. Errors of the job are noted in the schedule and raised. ``due``: it runs because
    its time came, so a run that could not be done is tried again.
    """
    with _Run(catalog, state, owner, lease, due) as run:
        watched = _Watched(progress, lambda: stop.is_set() or run.lost.is_set())
        run.sentence = job_named(state.job).run(state.arguments, settings, watched)
    return run.sentence


class _Watched:
    """Progress that stops the job between two steps."""

    def __init__(self, behind: Progress, stopped: Callable[[], bool]) -> None:
        self._behind = behind
        self._stopped = stopped

    @contextmanager
    def stage(self, title: str, unit: str, total: int | None) -> Iterator[Stage]:
        """See ``Progress.stage``."""
        self._check()
        with self._behind.stage(title, unit, total) as stage:
            yield _WatchedStage(stage, self._check)

    def note(self, text: str) -> None:
        """See ``Progress.note``."""
        self._behind.note(text)

    def _check(self) -> None:
        if self._stopped():
            raise JobStopped


class _WatchedStage:
    def __init__(self, behind: Stage, check: Callable[[], None]) -> None:
        self._behind = behind
        self._check = check

    def advance(self, count: int = 1) -> None:
        """See ``Stage.advance``."""
        self._check()
        self._behind.advance(count)


class _Run:
    """The time from claim to end: a thread renews the lease; leaving notes the result and the next time."""

    def __init__(
        self,
        catalog: Catalog,
        state: ScheduleState,
        owner: str,
        lease: timedelta,
        due: bool,
    ) -> None:
        self.sentence = ""
        self.lost = threading.Event()
        self._catalog = catalog
        self._state = state
        self._owner = owner
        self._lease = lease
        self._due = due
        self._over = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="lease", daemon=True)

    def __enter__(self) -> Self:
        self._keeper.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._keeper.join()
        result, detail = _told(error, self.sentence)
        with self._catalog.write() as session:
            current = schedules.schedule_by_id(session, self._state.id) or self._state
            following = self._next(current, result)
            schedules.end_schedule(session, self._state.id, self._owner, result, detail, following)

    def _next(self, state: ScheduleState, result: str) -> datetime:
        """The regular next time; sooner when a run whose time had come was not done."""
        regular = next_time(state.trigger, now(), anchor=state.next_at)
        if self._due and result == "postponed":
            return min(regular, now() + _RETRY)
        return now() if self._due and result == "stopped" else regular

    def _keep(self) -> None:
        """Renew the lease four times as often as needed; a run that lost it stops."""
        while not self._over.wait(self._lease.total_seconds() / 4):
            try:
                with self._catalog.write() as session:
                    alive = schedules.renew_lease(session, self._state.id, self._owner, self._lease)
            except CatalogError:
                continue  # busy or full just now; there are more tries before the lease ends
            if not alive:
                self.lost.set()
                return


def _told(error: BaseException | None, sentence: str) -> tuple[str, str]:
    """How a run ended: result and sentence."""
    if error is None:
        return "ok", sentence
    if isinstance(error, CatalogError) and error.code == "locked":
        return "postponed", error.detail
    if isinstance(error, PinakesError):
        return "failed", error.detail
    if isinstance(error, Exception):
        name = type(error).__name__
        return "failed", f"It failed inside Pinakes ({name}: {error}). Please report this."
    return "stopped", "Stopped before its end. What was done is kept; the next run goes on."
