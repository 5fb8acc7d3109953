"""Previews of hubs: fetched once, within a budget, never adult ones unasked; then looked at."""

import hashlib
import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select

from indexer.catalog.schema import Preview
from indexer.hub_run import HubRun
from indexer.settings import Settings
from tests.hub_server import Reply, Request, file_reply
from tests.hubs.crawling import crawl, documents, looking
from tests.hubs.fake_civitai import FakeCivitai, model, release

PATH = re.compile(r"/pictures/(\d+)\.png")


def drawn(number: int, side: int = 32) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side, side), (number * 37 % 256, number * 91 % 256, 90)).save(file, "png")
    return file.getvalue()


def shown(hub: FakeCivitai, number: int, **more: Any) -> dict[str, Any]:
    return {"url": f"{hub.url}/pictures/{number}.png", "type": "image", "nsfwLevel": 1} | more


def picture(request: Request) -> Reply:
    assert request.match is not None
    return file_reply(request, drawn(int(request.match[1])), media_type="image/png")


@pytest.fixture
def hub() -> Iterator[FakeCivitai]:
    with FakeCivitai() as fake:
        fake.server.route(PATH, picture)
        for number in range(1, 6):
            pictures = [shown(fake, number * 10 + place) for place in range(3)]
            fake.items[number] = model(number, release(number * 10, images=pictures))
        yield fake


def fetch(hub: FakeCivitai, settings: Settings) -> HubRun:
    run = crawl(hub, settings, previews=True)
    assert run.crawl.state == "done" and run.previews is not None
    return run


def statuses(settings: Settings) -> list[tuple[str, str | None, bool]]:
    with looking(settings) as session:
        rows = session.scalars(select(Preview).order_by(Preview.id)).all()
        return [(row.status, row.code, row.original is not None) for row in rows]


def pictures_asked(hub: FakeCivitai) -> list[str]:
    return [path for path in hub.server.paths() if PATH.fullmatch(path)]


def test_pictures_are_fetched_once_and_looked_at(hub: FakeCivitai, settings: Settings) -> None:
    run = fetch(hub, settings)
    assert run.previews is not None and (run.previews.fetched, run.embedded) == (15, 15)
    kept = {path.name: path.read_bytes() for path in settings.fetched_folder.iterdir()}
    assert all(hashlib.sha256(data).hexdigest() == name for name, data in kept.items())
    assert run.previews.bytes == sum(map(len, kept.values()))
    assert set(statuses(settings)) == {("ok", None, True)}
    assert all(d.preview_id and d.preview_colour for d in documents(settings))
    again = fetch(hub, settings)
    assert again.previews is not None and (again.previews.fetched, again.embedded) == (0, 0)
    assert len(pictures_asked(hub)) == 15


def test_the_budget_holds_and_first_pictures_come_first(hub: FakeCivitai, settings: Settings) -> None:
    budget = sum(len(drawn(number * 10)) for number in range(1, 6)) + 10
    small = settings.model_copy(update={"preview_budget": budget})
    for _ in range(2):
        report = fetch(hub, small).previews
        assert report is not None and report.full
        assert sum(path.stat().st_size for path in small.fetched_folder.iterdir()) <= budget
    assert all(d.preview_id for d in documents(small))
    assert [status for status in statuses(small) if status[1]] == []


def test_without_a_budget_nothing_is_fetched(hub: FakeCivitai, settings: Settings) -> None:
    report = fetch(hub, settings.model_copy(update={"preview_budget": 0})).previews
    assert report is not None and report.full and pictures_asked(hub) == []


def test_adult_pictures_videos_and_refused_ones(hub: FakeCivitai, both: Settings) -> None:
    hub.server.route("/pictures/bad.png", Reply(200, b"<html>", {"Content-Type": "text/html"}))
    odd = [
        shown(hub, 97, nsfwLevel=8),
        shown(hub, 98, type="video"),
        shown(hub, 99, url=f"{hub.url}/pictures/bad.png"),
        shown(hub, 96, url="http://127.0.0.1:9/private.png"),
    ]
    hub.items = {9: model(9, release(90, images=odd))}
    report = fetch(hub, both).previews
    assert report is not None and (report.fetched, report.refused) == (0, 2)
    assert [status[:2] for status in statuses(both)] == [
        ("new", None), ("new", None), ("broken", "bad_answer"), ("broken", "refused_address"),
    ]  # fmt: skip
    adult = fetch(hub, both.model_copy(update={"show_adult": True})).previews
    assert adult is not None and adult.fetched == 1 and pictures_asked(hub) == ["/pictures/97.png"]


def test_a_busy_host_of_pictures_takes_nothing_away(hub: FakeCivitai, settings: Settings) -> None:
    hub.server.route(PATH, Reply(429))
    report = fetch(hub, settings).previews
    assert report is not None and report.fetched == 0 and report.postponed > 0
    assert set(statuses(settings)) == {("new", None, False)}
    hub.server.route(PATH, picture)
    again = fetch(hub, settings).previews
    assert again is not None and again.fetched == 15


def test_leftovers_of_a_killed_run_are_swept(hub: FakeCivitai, settings: Settings) -> None:
    hub.items.clear()
    settings.fetched_folder.mkdir(parents=True)
    (settings.fetched_folder / ".7.new").write_bytes(b"half")
    (settings.fetched_folder / ".abc.part").write_bytes(b"half")
    fetch(hub, settings)
    assert not [path for path in settings.fetched_folder.iterdir() if path.name.startswith(".")]
