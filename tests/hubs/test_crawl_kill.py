"""``kill -9`` at many moments of a crawl: nothing lost, nothing doubled, next to nothing asked for twice."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from indexer.crawl import civitai_question
from indexer.settings import Settings
from tests.hubs.crawling import contents, crawl
from tests.hubs.fake_civitai import FakeCivitai, generated

PAGES = 21
MODELS = 10 * PAGES
KILLS = 50 if os.environ.get("PINAKES_FUZZ") == "full" else 10


def start(hub: FakeCivitai, home: Path, told: int = subprocess.DEVNULL) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "search", "crawl", "civitai", "--base-url", hub.url, "--home", str(home)]
    quick = {"PINAKES_REQUESTS_PER_SECOND": "1000"}
    return subprocess.Popen(command, env=os.environ | quick, stdout=subprocess.DEVNULL, stderr=told)


def wait_for_requests(hub: FakeCivitai, count: int, run: "subprocess.Popen[bytes]") -> None:
    while len(hub.asked()) < count and run.poll() is None:
        time.sleep(0.002)


@pytest.mark.timeout(1_800)
def test_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    with FakeCivitai(generated(MODELS)) as hub:
        hub.most = 10
        calm = Settings(home=tmp_path / "calm")
        assert start(hub, calm.home).wait() == 0
        wanted = contents(calm)
        assert len(wanted["models"]) == MODELS and len(hub.asked()) == PAGES

        source = random.Random(4)
        for kill in range(KILLS):
            home = tmp_path / f"rough{kill}"
            hub.server.requests.clear()
            run = start(hub, home)
            wait_for_requests(hub, source.randint(1, PAGES), run)
            time.sleep(source.uniform(0, 0.15))
            run.kill()
            run.wait()
            run_again = crawl(hub, Settings(home=home), question=civitai_question())
            assert run_again.crawl.state == "done"
            asked = Counter(request.param("cursor") for request in hub.asked())
            assert len(asked) == PAGES and asked.total() <= PAGES + 1 <= 1.05 * PAGES
            assert contents(Settings(home=home)) == wanted


def test_ctrl_c_keeps_the_place_and_says_how_to_go_on(tmp_path: Path) -> None:
    with FakeCivitai(generated(MODELS)) as hub:
        hub.most = 10
        run = start(hub, tmp_path, subprocess.PIPE)
        wait_for_requests(hub, 8, run)
        run.send_signal(signal.SIGINT)
        _, told = run.communicate()
        assert run.returncode == 130 and b"run the same command again" in told
        assert start(hub, tmp_path).wait() == 0
        assert len(contents(Settings(home=tmp_path))["models"]) == MODELS
        assert len(hub.asked()) <= PAGES + 1
