"""Jobs on a schedule: kept in the catalog, run by whoever is there first, once.

Each server has a ``Scheduler``: every few seconds it looks for what is due, claims it by a lease and runs it,
one job at a time. APScheduler gives the beat; its job stores are not used (theirs are pickled, and must not
be shared between processes).
"""

import logging
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from apscheduler.schedulers.background import BackgroundScheduler

from indexer.catalog import schedules
from indexer.catalog.database import Catalog, open_catalog, opened_catalog
from indexer.catalog.schedules import ScheduleState
from indexer.catalog.table_base import now
from indexer.errors import CatalogError, PinakesError, UsageError
from indexer.job_runs import LEASE, JobStopped, new_owner, run_claimed
from indexer.jobs import job_named, read_arguments
from indexer.progress import Progress, Silent
from indexer.settings import Settings
from indexer.triggers import check_trigger, next_time

__all__ = ["Scheduler", "add_schedule", "list_schedules", "remove_schedule", "run_now"]

_BEAT = 5.0
_PATIENCE = 4.0
_LONGEST_NAME = 100

logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a beat that is late is no news


def add_schedule(
    settings: Settings, name: str, job: str, words: Sequence[str], trigger: str
) -> ScheduleState:
    """Add a schedule, or change the one of that name. ``words`` are the job's arguments as typed.

    An interval is due for the first time when it has passed once. Raises ``UsageError`` for a job, argument
    or trigger that cannot be used.
    """
    name = name.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise UsageError("name", f"A schedule's name has 1 to {_LONGEST_NAME} printable letters.")
    arguments = read_arguments(job_named(job), words)
    tidy = check_trigger(trigger)
    with opened_catalog(settings) as catalog, catalog.write() as session:
        schedules.add_schedule(session, name, job, arguments, tidy, next_time(tidy, now()))
        added = schedules.schedule_named(session, name)
        assert added is not None  # it was added in this transaction
        return added


def list_schedules(settings: Settings) -> list[ScheduleState]:
    """All schedules by name."""
    with opened_catalog(settings) as catalog, catalog.read() as session:
        return schedules.list_schedules(session)


def remove_schedule(settings: Settings, name: str) -> None:
    """Raises ``UsageError`` (``schedule``) when there is none of that name. A run under way goes on."""
    with opened_catalog(settings) as catalog, catalog.write() as session:
        if not schedules.remove_schedule(session, name):
            raise _unknown(name)


def run_now(settings: Settings, name: str, progress: Progress) -> str:
    """Run a schedule now, whenever it is due; answers the job's sentence.

    Raises what the job raises, and ``UsageError`` when there is none of that name or it is running already.
    """
    owner = new_owner()
    with opened_catalog(settings) as catalog:
        with catalog.write() as session:
            state = schedules.schedule_named(session, name)
            if state is None:
                raise _unknown(name)
            if not schedules.claim_schedule(session, state.id, owner, LEASE):
                raise UsageError("running", f"{name!r} is being run already. See: pinakes schedule list")
        return run_claimed(catalog, state, owner, settings, progress, threading.Event(), due=False)


def _unknown(name: str) -> UsageError:
    return UsageError("schedule", f"There is no schedule {name!r}. See: pinakes schedule list")


class Scheduler:
    """Runs what is due while it is started. Several on one catalog share the work; each job is run once."""

    def __init__(
        self,
        settings: Settings,
        progress: Progress | None = None,
        *,
        beat: float = _BEAT,
        lease: timedelta = LEASE,
    ) -> None:
        self.owner = new_owner()
        self._settings = settings
        self._progress = progress or Silent()
        self._beat = beat
        self._lease = lease
        self._stop = threading.Event()
        self._catalog: Catalog | None = None
        self._running: ScheduleState | None = None
        self._worker: threading.Thread | None = None
        self._said = ""
        self._clock = BackgroundScheduler(timezone=UTC)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to look for what is due. A catalog that cannot be opened is told, and tried again."""
        self._due()
        self._clock.add_job(
            self._look,
            "interval",
            seconds=self._beat,
            next_run_time=datetime.now(UTC),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
        self._clock.start()

    def stop(self, patience: float = _PATIENCE) -> None:
        """Ask the running job to stop, wait ``patience`` seconds for it, and let it go if it has not.

        Its lease is given back either way, so that another server goes on at once. What a job has stored is
        kept whenever its process ends.
        """
        self._stop.set()
        if self._clock.running:
            self._clock.shutdown(wait=False)
        worker, running, catalog = self._worker, self._running, self._catalog
        if worker is not None:
            worker.join(patience)
        if catalog is None:
            return
        if worker is None or not worker.is_alive():
            catalog.close()
        elif running is not None:
            self._progress.note(f"The job {running.name!r} is left unfinished; what it stored is kept.")
            # Where the catalog is busy the lease ends by itself.
            with suppress(CatalogError), catalog.write() as session:
                schedules.end_schedule(
                    session, running.id, self.owner, "stopped", "Its server was stopped.", now()
                )

    def run_due(self) -> int:
        """Claim and run all that is due, longest waiting first; answers how many were run."""
        count = 0
        for state in self._due():
            if self._stop.is_set():
                break
            count += self._claimed(state)
        return count

    def _look(self) -> None:
        """Start a worker when something is due and none works. Not APScheduler's: theirs outlive the end."""
        idle = self._worker is None or not self._worker.is_alive()
        if idle and not self._stop.is_set() and self._due():
            self._worker = threading.Thread(target=self.run_due, name="jobs", daemon=True)
            self._worker.start()

    def _due(self) -> list[ScheduleState]:
        try:
            if self._catalog is None:
                self._catalog = open_catalog(self._settings)
            with self._catalog.read() as session:
                found = schedules.due_schedules(session, now())
        except CatalogError as error:
            self._tell(f"Schedules wait: {error}")
            return []
        self._said = ""
        return found

    def _claimed(self, state: ScheduleState) -> bool:
        """Run one, unless another was faster; its errors are noted in the schedule."""
        catalog = self._catalog
        assert catalog is not None  # it listed the schedule
        try:
            with catalog.write() as session:
                if not schedules.claim_schedule(session, state.id, self.owner, self._lease, due=True):
                    return False
            self._running = state
            run_claimed(
                catalog, state, self.owner, self._settings, self._progress, self._stop, lease=self._lease
            )
        except PinakesError as error:
            self._tell(f"The scheduled job {state.name!r} was not done: {error}")
        except JobStopped:
            return True
        finally:
            self._running = None
        return True

    def _tell(self, text: str) -> None:
        """Say it once, not at every beat."""
        if text != self._said:
            self._said = text
            self._progress.note(text)
