"""What a home's processes are doing, told across processes."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from indexer.progress import Silent
from indexer.settings import Settings
from indexer.under_way import telling, under_way

WORKER = """
import sys, time
from pathlib import Path
from indexer.progress import Silent
from indexer.settings import Settings
from indexer.under_way import telling
with telling(Settings(home=Path(sys.argv[1])), "Reading", Silent()) as progress:
    with progress.stage("Files", "files", 9) as stage:
        stage.advance(4)
        time.sleep(0.6)
        stage.advance(1)
        print("told", flush=True)
        time.sleep(60)
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def test_work_is_told_while_it_lasts(settings: Settings) -> None:
    assert under_way(settings) == []
    seen = Silent()
    with telling(settings, "Reading folders", seen) as progress:
        (begun,) = under_way(settings)
        assert (begun.what, begun.title) == ("Reading folders", "")
        with progress.stage("Files", "files", 3):
            (work,) = under_way(settings)
            assert (work.title, work.unit, work.done, work.total) == ("Files", "files", 0, 3)
            progress.note("a word")
    assert seen.notes == ["a word"]
    assert under_way(settings) == []


def test_another_process_is_seen_and_a_killed_one_is_not(settings: Settings) -> None:
    command = [sys.executable, "-c", WORKER, str(settings.home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        worker.stdout.readline()
        (work,) = under_way(settings)
        assert (work.title, work.done, work.total) == ("Files", 5, 9)
        worker.send_signal(signal.SIGKILL)
    assert under_way(settings) == []
    time.sleep(1.2)
    assert under_way(settings) == []
    assert not list((settings.home / "working").iterdir()), "what a killed process left is taken away"


def test_strange_files_are_no_work(settings: Settings) -> None:
    folder = settings.home / "working"
    folder.mkdir()
    (folder / "x.json").write_text("[1")
    (folder / "dir.json").mkdir()
    assert under_way(settings) == []


def test_a_home_that_cannot_hold_it_stops_no_work(settings: Settings) -> None:
    (settings.home / "working").write_text("a file is in the way")
    progress = Silent()
    with telling(settings, "Reading", progress) as told:
        assert told is progress
