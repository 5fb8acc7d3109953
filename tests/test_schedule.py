"""Schedules with real rows, threads and processes: run once, freed when a runner dies, told how they ended."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from indexer import jobs
from indexer.catalog.database import Catalog, open_catalog
from indexer.catalog.hub_schema import Schedule
from indexer.catalog.lock import writer_lock
from indexer.catalog.schedules import ScheduleState
from indexer.catalog.table_base import now
from indexer.errors import UsageError
from indexer.jobs import Argument, Job
from indexer.progress import Noted, Progress, Silent
from indexer.schedule import Scheduler, add_schedule, list_schedules, remove_schedule, run_now
from indexer.settings import Settings
from tests.clocks import PATIENCE, patiently
from tests.models import write_library

SOON = timedelta(seconds=2.5)


class Runs:
    """Jobs of the tests, and how often they ran. What steps ends when ``enough`` is set."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.begun, self.enough = threading.Event(), threading.Event()

    def note(self, arguments: Mapping[str, Any], settings: Settings, progress: Progress) -> str:
        """Note the run, slowly enough for others to come by."""
        self.told.append(arguments.get("word", ""))
        time.sleep(0.05)
        return f"noted {arguments.get('word')}"

    def steps(self, arguments: Mapping[str, Any], settings: Settings, progress: Progress) -> str:
        """Step until stopped, or for as long as ``word`` says in seconds."""
        self.begun.set()
        until = time.monotonic() + float(arguments.get("word", "60"))
        with progress.stage("Stepping", "steps", None) as stage:
            while time.monotonic() < until and not self.enough.wait(0.01):
                stage.advance()
        return "stepped"

    def fail(self, arguments: Mapping[str, Any], settings: Settings, progress: Progress) -> str:
        """A fault of the world, or one of ours."""
        if arguments.get("word") == "ours":
            raise ZeroDivisionError("oops")
        raise UsageError("world", "The hub is away.")


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    made = Runs()
    for name in ("note", "steps", "fail"):
        job = Job(name, "for tests", getattr(made, name), {"word": Argument("a word")})
        monkeypatch.setitem(jobs.JOBS, name, job)
    return made


@contextmanager
def opened(settings: Settings) -> Iterator[Catalog]:
    catalog = open_catalog(settings)
    yield catalog
    catalog.close()


def make_due(settings: Settings, ago: timedelta = timedelta(days=3)) -> None:
    with opened(settings) as catalog, catalog.write() as session:
        session.execute(update(Schedule).values(next_at=now() - ago))


def state(settings: Settings, name: str = "s") -> ScheduleState:
    (found,) = [row for row in list_schedules(settings) if row.name == name]
    return found


def due_schedule(settings: Settings, job: str, *words: str) -> None:
    add_schedule(settings, "s", job, words, "every 6h")
    make_due(settings)


def test_two_schedulers_run_a_due_job_once(both: Settings, runs: Runs) -> None:
    for number in range(6):
        add_schedule(both, f"job {number}", "note", [f"word={number}"], "every 6h")
    make_due(both)
    workers = [Scheduler(both) for _ in range(4)]
    start = threading.Barrier(len(workers))
    counts: list[int] = []

    def work(scheduler: Scheduler) -> None:
        start.wait()
        counts.append(scheduler.run_due())

    threads = [threading.Thread(target=work, args=(scheduler,)) for scheduler in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for scheduler in workers:
        scheduler.stop()
    assert sorted(runs.told) == [str(number) for number in range(6)]
    assert sum(counts) == 6
    assert {row.result for row in list_schedules(both)} == {"ok"}


def test_many_missed_runs_are_one_and_the_beat_is_kept(both: Settings, runs: Runs) -> None:
    due_schedule(both, "note", "word=x")
    anchor = state(both).next_at
    scheduler = Scheduler(both)
    assert (scheduler.run_due(), scheduler.run_due()) == (1, 0)
    scheduler.stop()
    after = state(both)
    assert (after.result, after.detail, after.running) == ("ok", "noted x", False)
    assert after.next_at is not None and anchor is not None
    assert timedelta() < after.next_at - now() <= timedelta(hours=6)
    assert (after.next_at - anchor) % timedelta(hours=6) < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("word", "told"), [("world", "The hub is away."), ("ours", "ZeroDivisionError: oops")]
)
def test_a_job_that_fails_is_noted_and_due_again(
    settings: Settings, runs: Runs, word: str, told: str
) -> None:
    due_schedule(settings, "fail", f"word={word}")
    notes: list[str] = []
    scheduler = Scheduler(settings, Noted(notes.append))
    if word == "ours":
        with pytest.raises(ZeroDivisionError):
            scheduler.run_due()
    else:
        assert scheduler.run_due() == 1
        assert notes == ["The scheduled job 's' was not done: The hub is away."]
    scheduler.stop()
    after = state(settings)
    assert (after.result, after.running) == ("failed", False) and told in (after.detail or "")
    assert after.next_at is not None and after.next_at > now() + timedelta(minutes=5)


def test_while_another_program_writes_it_is_put_off_for_a_minute(both: Settings, tmp_path: Path) -> None:
    add_schedule(both, "s", "upkeep", [], "every 6h")
    make_due(both)
    scheduler = Scheduler(both)
    with opened(both) as catalog, writer_lock(catalog, both):
        assert scheduler.run_due() == 1
    scheduler.stop()
    after = state(both)
    assert after.result == "postponed" and after.next_at is not None
    assert timedelta(seconds=20) < after.next_at - now() <= timedelta(minutes=1)


def test_stopping_stops_the_job_between_two_steps_and_leaves_it_due(settings: Settings, runs: Runs) -> None:
    notes: list[str] = []
    due_schedule(settings, "steps")
    with Scheduler(settings, Noted(notes.append), beat=0.1) as scheduler:
        assert runs.begun.wait(PATIENCE)
        assert state(settings).running
        scheduler.stop(patience=30)
    assert not any("left unfinished" in note for note in notes), "it was not waited for in vain"
    after = state(settings)
    assert (after.result, after.running) == ("stopped", False)
    assert after.next_at is not None and after.next_at <= now()


def test_a_job_that_does_not_listen_is_left_and_its_lease_given_back(settings: Settings, runs: Runs) -> None:
    notes: list[str] = []
    due_schedule(settings, "steps")
    scheduler = Scheduler(settings, Noted(notes.append), beat=0.1)
    scheduler.start()
    assert runs.begun.wait(PATIENCE)
    scheduler.stop(patience=0)
    assert state(settings).result == "stopped"
    assert "left unfinished" in notes[0]
    patiently(
        lambda: threading.active_count() == 1 or not any(t.name == "jobs" for t in threading.enumerate())
    )


def test_a_long_job_keeps_its_lease(settings: Settings, runs: Runs) -> None:
    due_schedule(settings, "steps", "word=5")
    with Scheduler(settings, beat=0.1, lease=SOON), Scheduler(settings, beat=0.1, lease=SOON):
        patiently(lambda: state(settings).result is not None)
    after = state(settings)
    assert (after.result, after.detail) == ("ok", "stepped")


def test_a_runner_that_lost_its_lease_stops(settings: Settings, runs: Runs) -> None:
    due_schedule(settings, "steps")
    with Scheduler(settings, beat=5, lease=SOON) as scheduler:
        assert runs.begun.wait(PATIENCE)
        with opened(settings) as catalog, catalog.write() as session:
            session.execute(update(Schedule).values(lease="another", lease_until=now() + timedelta(hours=1)))
        patiently(lambda: scheduler._running is None)
    assert state(settings).result is None, "the end is for the other to tell"


RUNNER = """
import sys, time
from datetime import timedelta
from pathlib import Path
from indexer import jobs
from indexer.jobs import Job
from indexer.schedule import Scheduler
from indexer.settings import Settings
def run(arguments, settings, progress):
    print("begun", flush=True)
    time.sleep(60)
jobs.JOBS["note"] = Job("note", "", run, {})
Scheduler(Settings(home=Path(sys.argv[1])), lease=timedelta(seconds=4)).run_due()
"""


def test_when_a_runner_is_killed_another_takes_over(settings: Settings, runs: Runs) -> None:
    due_schedule(settings, "note")
    process = subprocess.Popen(
        [sys.executable, "-c", RUNNER, str(settings.home)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "begun\n"
    other = Scheduler(settings)
    assert other.run_due() == 0
    process.kill()
    process.communicate()
    patiently(lambda: other.run_due() == 1)
    other.stop()
    assert runs.told == [""] and state(settings).result == "ok"


def test_run_now_says_what_happened_and_keeps_the_time(both: Settings, runs: Runs) -> None:
    added = add_schedule(both, "s", "note", ["--word", "hello"], "0 3 * * *")
    assert run_now(both, "s", Silent()) == "noted hello"
    assert state(both).next_at == added.next_at
    with pytest.raises(UsageError, match="There is no schedule 't'"):
        run_now(both, "t", Silent())
    with opened(both) as catalog, catalog.write() as session:
        session.execute(update(Schedule).values(lease="another", lease_until=now() + timedelta(hours=1)))
    with pytest.raises(UsageError, match="being run already"):
        run_now(both, "s", Silent())


def test_a_schedule_is_changed_while_it_runs(settings: Settings, runs: Runs) -> None:
    due_schedule(settings, "steps")
    with Scheduler(settings, beat=0.1):
        assert runs.begun.wait(PATIENCE)
        changed = add_schedule(settings, "s", "note", [], "every 2d")
        runs.enough.set()
        patiently(lambda: state(settings).result is not None)
    assert state(settings).next_at == changed.next_at


def test_one_removed_while_it_runs_is_gone(settings: Settings, runs: Runs) -> None:
    due_schedule(settings, "steps")
    with Scheduler(settings, beat=0.1) as scheduler:
        assert runs.begun.wait(PATIENCE)
        remove_schedule(settings, "s")
        runs.enough.set()
        patiently(lambda: scheduler._running is None)
    assert list_schedules(settings) == []
    with pytest.raises(UsageError, match="pinakes schedule list"):
        remove_schedule(settings, "s")


def test_real_jobs_do_their_work(both: Settings, tmp_path: Path) -> None:
    folder = write_library(tmp_path / "models", 3)
    add_schedule(both, "index", "index", ["--folder", str(folder)], "every 6h")
    add_schedule(both, "upkeep", "upkeep", [], "0 3 * * sun")
    assert run_now(both, "index", Silent()).startswith("3 files read, 0 unchanged")
    assert run_now(both, "index", Silent()).startswith("0 files read, 3 unchanged")
    assert run_now(both, "upkeep", Silent()) == "0 entries and 0 vectors published; the catalog is tidied"
    for index in (both.text_folder / "format.json", both.text_folder / "meta.json"):
        index.unlink()
    assert run_now(both, "upkeep", Silent()).startswith("3 entries")


@pytest.mark.parametrize(
    ("name", "job", "trigger"),
    [(" ", "upkeep", "every 6h"), ("x" * 101, "upkeep", "every 6h"), ("a\nb", "upkeep", "every 6h"),
     ("a", "nothing", "every 6h"), ("a", "upkeep", "every now and then")],
)  # fmt: skip
def test_mistakes_store_nothing(settings: Settings, name: str, job: str, trigger: str) -> None:
    with pytest.raises(UsageError):
        add_schedule(settings, name, job, [], trigger)
    assert list_schedules(settings) == []


def test_a_catalog_that_cannot_be_opened_is_told_once(tmp_path: Path) -> None:
    home = tmp_path / "file"
    home.write_text("not a folder")
    notes: list[str] = []
    scheduler = Scheduler(Settings(home=home), Noted(notes.append))
    assert (scheduler.run_due(), scheduler.run_due(), len(notes)) == (0, 0, 1)
    scheduler.stop()
    assert os.fspath(home) in notes[0]
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
