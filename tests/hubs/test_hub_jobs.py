"""Crawls, refreshes and update checks as scheduled jobs."""

from collections.abc import Iterator

import pytest

from indexer.errors import TemporaryError, UsageError
from indexer.jobs import JOBS, read_arguments
from indexer.progress import Silent
from indexer.settings import Settings
from tests.hubs.crawling import contents, quick
from tests.hubs.fake_civitai import FakeCivitai, generated


@pytest.fixture
def hub() -> Iterator[FakeCivitai]:
    with FakeCivitai(generated(40)) as fake:
        yield fake


def run(name: str, hub: FakeCivitai, settings: Settings, *words: str) -> str:
    job = JOBS[name]
    asked = quick(settings, civitai_url=hub.url)
    return job.run(read_arguments(job, words), asked, Silent())


def test_each_job_says_what_it_did(hub: FakeCivitai, settings: Settings) -> None:
    assert run("crawl", hub, settings, "--types", "lora", "--limit=7").startswith("7 models, 7 versions")
    assert len(contents(settings)["models"]) == 7
    assert run("crawl", hub, settings, "--what=images", "--ask", "modelId=40").startswith("1 images")
    assert run("crawl", hub, settings, "--what=tags").startswith("0 images, 8 words")
    assert "7 models" in run("refresh", hub, settings)
    assert "7 unchanged" in run("refresh", hub, settings)
    assert run("identify", hub, settings).startswith("0 models")
    assert run("updates", hub, settings, "--any-base").startswith("0 models have newer")


def test_a_refusal_is_a_failed_run(hub: FakeCivitai, settings: Settings) -> None:
    hub.token = "planted-secret-key"
    with pytest.raises(TemporaryError, match="CIVITAI_API_KEY"):
        run("crawl", hub, settings)


@pytest.mark.parametrize("words", [("--limit", "0"), ("--limit", "x"), ("--speed", "1")])
def test_wrong_arguments(words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        read_arguments(JOBS["crawl"], words)
