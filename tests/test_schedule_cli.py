"""``pinakes schedule`` and the jobs behind ``pinakes serve``: real processes, a real port, real signals."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from indexer.catalog.table_base import now
from indexer.schedule import add_schedule, list_schedules
from indexer.settings import Settings
from tests.clocks import PATIENCE, patiently, slowness
from tests.command import pinakes
from tests.models import write_library
from tests.parsers.civitai_items import item, version
from tests.test_schedule import make_due


def schedule(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return pinakes("schedule", *arguments)


def test_add_list_run_remove(tmp_path: Path) -> None:
    home = ("--home", tmp_path / "home")
    folder = write_library(tmp_path / "models", 2, pictures=False)
    assert "Add one: pinakes schedule add" in schedule("list", *home).stdout
    added = schedule("add", "mine", "index", "--folder", folder, "--every", "6h", *home)
    assert added.returncode == 0, added.stderr
    assert f"mine: index folder={folder}, every 6h; next 20" in added.stdout
    told = json.loads(schedule("add", "tidy", "upkeep", "--cron", "0 3 * * Sun", "--json", *home).stdout)
    assert (told["trigger"], told["arguments"], told["result"]) == ("0 3 * * sun", {}, None)
    ran = schedule("run", "mine", "--json", *home)
    assert json.loads(ran.stdout)["detail"].startswith("2 files read"), ran.stderr
    first, second = json.loads(schedule("list", "--json", *home).stdout)
    assert (first["name"], first["result"], second["result"]) == ("mine", "ok", None)
    shown = schedule("list", *home).stdout
    assert "never run" in shown and "0 3 * * sun" in shown
    assert schedule("remove", "mine", *home).stdout == "mine is removed\n"
    assert json.loads(schedule("remove", "tidy", "--json", *home).stdout) == {"removed": "tidy"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("add", "a", "upkeep"), "either --every 6h or --cron"),
        (("add", "a", "upkeep", "--every", "6h", "--cron", "* * * * *"), "either --every 6h or --cron"),
        (("add", "a", "upkeep", "--every", "soon"), "'every soon' cannot be read"),
        (("add", "a", "upkeep", "--depth", "2", "--every", "6h"), "does not take '--depth'"),
        (("remove", "a"), "There is no schedule 'a'"),
        (("run", "a"), "There is no schedule 'a'"),
    ],
)
def test_mistakes_exit_2(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    run = schedule(*arguments, "--home", tmp_path / "home")
    assert (run.returncode, run.stdout) == (2, "")
    assert message in run.stderr and "Traceback" not in run.stderr


def test_a_run_that_fails_says_why_and_is_noted(tmp_path: Path) -> None:
    home = ("--home", tmp_path / "home")
    path = tmp_path / "dump.gz"
    path.write_bytes(b"\x1f\x8b broken")
    assert schedule("add", "d", "import", f"file={path}", "--every", "1d", *home).returncode == 0
    failed = schedule("run", "d", *home)
    assert failed.returncode == 2 and "cannot be read to its end" in failed.stderr
    assert "failed, 20" in schedule("list", *home).stdout


@contextmanager
def serving(home: Path, *options: str) -> Iterator[tuple["subprocess.Popen[str]", httpx.Client]]:
    command = [sys.executable, "-u", "-m", "search", "serve", "--port", "0", "--home", str(home), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        with httpx.Client(base_url=found[0], timeout=PATIENCE, trust_env=False) as client:
            yield process, client
    finally:
        process.kill()
        process.communicate()


def ask(client: httpx.Client, path: str) -> Any:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_server_runs_what_is_due_and_finds_what_came(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    folder = write_library(tmp_path / "models", 2)
    add_schedule(settings, "<b>mine</b>", "index", ["--folder", str(folder)], "every 6h")
    with serving(settings.home) as (_, client):
        assert ask(client, "/api/search")["total"] == 0
        assert ask(client, "/api/schedules")[0]["result"] is None
        assert "not run yet" in client.get("/health").text
        make_due(settings)
        patiently(lambda: ask(client, "/api/search")["total"] == 2)
        patiently(lambda: ask(client, "/api/schedules")[0]["result"] == "ok")
        (told,) = ask(client, "/api/schedules")
        assert told["detail"].startswith("2 files read") and told["next_at"] > told["finished_at"]
        (like,) = ask(client, "/api/similar?model=model 0")["hits"]
        assert like["name"] == "model 1"
        page = client.get("/health").text
        assert "&lt;b&gt;mine" in page and "2 files read" in page


def write_dump(path: Path) -> Path:
    """Enough to be met while it is read."""
    with path.open("wb") as out:
        for number in range(1, 3_001):
            out.write(orjson.dumps(item(number, modelVersions=[version(number)])) + b"\n")
    return path


def wait_for_batches(home: Path) -> None:
    log = home / "catalog.sqlite3-wal"
    patiently(lambda: log.exists() and log.stat().st_size > 1 << 20)


def test_ctrl_c_stops_a_run_by_hand_and_keeps_its_time(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    added = add_schedule(
        settings, "d", "import", [f"file={write_dump(tmp_path / 'dump.jsonl')}"], "0 3 1 1 *"
    )
    command = [sys.executable, "-m", "search", "schedule", "run", "d", "--home", str(settings.home)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for_batches(settings.home)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130 and "Traceback" not in said
    (after,) = list_schedules(settings)
    assert (after.result, after.running, after.next_at) == ("stopped", False, added.next_at)


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_server_told_to_stop_stops_its_job_within_ten_seconds(
    tmp_path: Path, sent: signal.Signals, status: int
) -> None:
    settings = Settings(home=tmp_path / "home")
    dump = write_dump(tmp_path / "dump.jsonl")
    add_schedule(settings, "d", "import", [f"file={dump}"], "every 6h")
    make_due(settings)
    with serving(settings.home) as (process, client):
        wait_for_batches(settings.home)
        assert ask(client, "/api/schedules")[0]["running"]
        began = time.monotonic()
        process.send_signal(sent)
        assert process.wait(PATIENCE) == status
        assert time.monotonic() - began < 10 * slowness()
        assert process.stderr is not None and "Traceback" not in process.stderr.read()
    (after,) = list_schedules(settings)
    assert (after.result, after.running) == ("stopped", False)
    assert after.next_at is not None and after.next_at <= now(), "the next server goes on at once"


def test_a_server_may_leave_the_jobs_to_another(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    add_schedule(settings, "tidy", "upkeep", [], "every 6h")
    make_due(settings)
    with serving(settings.home, "--no-schedules") as (_, client):
        time.sleep(1)
        assert ask(client, "/api/schedules")[0]["result"] is None
