"""Crawling the fake hub: everything arrives once, faults cost time and no data."""

import json
import re
from itertools import count
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from indexer.catalog.schema import Crawl, RefusedItem
from indexer.crawl import civitai_question
from indexer.errors import UsageError
from indexer.indexes.text import TextQuery
from indexer.indexes.text_tantivy import TantivyIndex
from indexer.settings import Settings
from tests.hub_server import Reply, Request, json_reply
from tests.hubs.crawling import contents, crawl, documents, looking
from tests.hubs.fake_civitai import FakeCivitai, generated, model, release


def state(settings: Settings) -> tuple[str, str | None, str | None]:
    with looking(settings) as session:
        row = session.scalars(select(Crawl)).one()
        return row.state, row.code, row.cursor


@pytest.mark.parametrize("paging", ["cursor", "link", "number"])
def test_five_hundred_models_are_five_hundred(settings: Settings, paging: str) -> None:
    with FakeCivitai(generated(500)) as hub:
        hub.paging = paging
        run = crawl(hub, settings)
        assert (run.crawl.state, run.crawl.taken.models, run.crawl.pages) == ("done", 500, 5)
        assert len(hub.asked()) == 5
        found = contents(settings)
        assert found["models"] == sorted(f"civitai:{number}" for number in hub.items)
        assert TantivyIndex(settings.text_folder).search(TextQuery(()), 1).total == 500
        before = documents(settings)
        assert crawl(hub, settings).crawl.state == "done"
        assert (contents(settings), documents(settings)) == (found, before)
    assert state(settings) == ("done", None, None)
    assert not list((settings.home / "ahead").glob("*"))


def test_it_runs_on_both_databases(both: Settings) -> None:
    with FakeCivitai(generated(120)) as hub:
        assert crawl(hub, both).crawl.taken.versions == 120
        assert len(contents(both)["documents"]) == 120


@pytest.mark.parametrize(("limit", "requests"), [(1, 1), (100, 1), (101, 2), (250, 3), (900, 3)])
def test_a_limit_is_exact(settings: Settings, limit: int, requests: int) -> None:
    with FakeCivitai(generated(300)) as hub:
        run = crawl(hub, settings, limit=limit)
        assert run.crawl.state == "done" and len(contents(settings)["models"]) == min(limit, 300)
        assert len(hub.asked()) == requests


def test_limits_of_the_hub_cost_time_and_no_data(settings: Settings) -> None:
    with FakeCivitai(generated(300)) as hub:
        hub.per_second = 1
        assert crawl(hub, settings).crawl.taken.models == 300
        assert len(hub.asked()) > 3


def test_passing_faults_cost_no_data(settings: Settings) -> None:
    answers = iter([429, 500, None, 502, 520, None, 503, 200, None])
    with FakeCivitai(generated(250)) as hub:
        models = hub._guarded("", hub._models)

        def moody(request: Request) -> Reply:
            status = next(answers)
            if status == 200:
                return Reply(200, b"<html>We are down", {"Content-Type": "text/html"})
            return models(request) if status is None else Reply(status, b"{}")

        hub.server.route("/api/v1/models", moody)
        assert crawl(hub, settings).crawl.taken.models == 250
    assert len(contents(settings)["models"]) == 250


@pytest.mark.parametrize("status", [429, 503, 404])
def test_a_hub_that_stays_away_is_waited_for(settings: Settings, status: int) -> None:
    with FakeCivitai(generated(250)) as hub:
        healthy = hub._guarded("", hub._models)
        hub.server.route(
            "/api/v1/models",
            lambda r: json_reply({}, status) if r.param("cursor") and hub.broken else healthy(r),
        )
        hub.broken = {"second page"}
        run = crawl(hub, settings)
        assert run.crawl.state == ("failed" if status == 404 else "waiting")
        assert run.crawl.code and run.crawl.detail and len(contents(settings)["models"]) == 100
        assert len(documents(settings)) == 100 and not contents(settings)["gone"]
        assert state(settings)[2] is not None
        hub.broken = set()
        before = len(hub.asked())
        again = crawl(hub, settings)
        assert (again.crawl.resumed, again.crawl.state, len(hub.asked()) - before) == (True, "done", 2)
        assert len(contents(settings)["models"]) == 250


def test_one_bad_item_among_a_hundred(settings: Settings) -> None:
    items = [*generated(99, start=2)]
    for bad in ({"name": "no id"}, {"id": 0}, {"id": -3}, {"id": "7"}, {"id": 2**63}, None, 5):
        with FakeCivitai() as hub:
            hub.server.route("/api/v1/models", json_reply({"items": [*items[:50], bad, *items[50:]]}))
            run = crawl(hub, settings)
            assert (run.crawl.taken.models, run.crawl.taken.refused) == (99, 1)
    with looking(settings) as session:
        assert {row.code for row in session.scalars(select(RefusedItem))} == {"item"}


def test_a_model_on_two_pages_is_one(settings: Settings) -> None:
    first, second = [*generated(100)], [*generated(50, start=80)]
    with FakeCivitai() as hub:
        pages = [
            json_reply({"items": first, "metadata": {"nextCursor": "b"}}),
            json_reply({"items": second}),
        ]
        hub.server.route("/api/v1/models", pages)
        crawl(hub, settings)
    assert len(contents(settings)["models"]) == 129


def cursors(*names: str) -> Any:
    return [
        json_reply({"items": [model(place + 1)], "metadata": {"nextCursor": name}})
        for place, name in enumerate(names)
    ]


@pytest.mark.parametrize(("names", "pages"), [(("a", "a"), 2), (("a", "b", "a"), 3)])
def test_a_circle_of_cursors_is_left(settings: Settings, names: tuple[str, ...], pages: int) -> None:
    with FakeCivitai() as hub:
        hub.server.route("/api/v1/models", cursors(*names))
        run = crawl(hub, settings)
        assert (run.crawl.state, run.crawl.code, run.crawl.pages) == ("done", "cursor_loop", pages)
        assert len(hub.asked()) == pages
    assert state(settings)[:2] == ("done", "cursor_loop")


def test_the_same_page_under_ever_new_cursors_is_left(settings: Settings) -> None:
    numbers = count()
    with FakeCivitai() as hub:
        hub.server.route(
            "/api/v1/models",
            lambda _: json_reply({"items": [model(1)], "metadata": {"nextCursor": f"c{next(numbers)}"}}),
        )
        run = crawl(hub, settings)
        assert run.crawl.code == "cursor_loop" and len(hub.asked()) < 30


def test_pages_that_moved_leave_no_gap(settings: Settings) -> None:
    """Pages by number: a model is taken away between two runs, and those behind it move forward."""
    with FakeCivitai(generated(300)) as hub:
        hub.paging = "number"
        healthy = hub._guarded("", hub._models)
        hub.server.route(
            "/api/v1/models", lambda r: json_reply({}, 503) if r.param("page") == "2" else healthy(r)
        )
        assert crawl(hub, settings).crawl.state == "waiting"
        del hub.items[290]
        hub.server.route("/api/v1/models", healthy)
        assert crawl(hub, settings).crawl.state == "done"
    assert len(contents(settings)["models"]) == 300


def test_a_next_page_on_another_host_ends_the_crawl(settings: Settings) -> None:
    with FakeCivitai() as hub, FakeCivitai() as other:
        link = {"nextPage": f"{other.url}/api/v1/models?cursor=x"}
        hub.server.route("/api/v1/models", json_reply({"items": [model(1)], "metadata": link}))
        run = crawl(hub, settings, limit=50)
        assert (run.crawl.state, run.crawl.code, other.server.requests) == ("failed", "refused_address", [])


def test_a_key_is_sent_and_never_stored(settings: Settings) -> None:
    secret = "planted-secret-key"
    with FakeCivitai(generated(120)) as hub:
        hub.token = secret
        refused = crawl(hub, settings)
        assert (refused.crawl.state, refused.crawl.code) == ("failed", "auth")
        for name in ("CIVITAI_API_KEY", "CIVITAI_TOKEN", "CIVITAI_API_TOKEN"):
            assert name in (refused.crawl.detail or "")
        assert len(hub.server.requests) == 1
        keyed = settings.model_copy(update={"civitai_token": SecretStr(secret)})
        run = crawl(hub, keyed)
        assert run.crawl.state == "done" and secret not in json.dumps(run.to_json())
    assert not [p for p in settings.home.rglob("*") if p.is_file() and secret.encode() in p.read_bytes()]


def test_unknown_base_labels_are_kept_and_told(settings: Settings) -> None:
    with FakeCivitai([model(1, release(10, baseModel="Brand New 9")), model(2)]) as hub:
        assert crawl(hub, settings).to_json()["unknown_labels"] == {"Brand New 9": 1}
    assert {d.base_label for d in documents(settings)} == {"Brand New 9", "SDXL 1.0"}


def test_statistics_grow_only_on_change(settings: Settings) -> None:
    with FakeCivitai([model(1)]) as hub:
        crawl(hub, settings)
        before = contents(settings)["counts"]["statistic"]
        crawl(hub, settings)
        assert contents(settings)["counts"]["statistic"] == before
        hub.items[1]["stats"]["downloadCount"] += 5
        crawl(hub, settings)
        assert contents(settings)["counts"]["statistic"] == before + 1


def test_questions() -> None:
    assert civitai_question(
        types=["lora"], base_models=["sdxl 1.0", "New"], sort="most downloaded", nsfw=True
    ) == {
        "types": ["LORA"],
        "baseModels": ["SDXL 1.0", "New"],
        "sort": "Most Downloaded",
        "nsfw": "true",
    }
    assert civitai_question(query="ink") == {"query": "ink"}
    for wrong in ({"sort": "Best"}, {"period": "Hour"}, {"types": ["Lorra"]}):
        with pytest.raises(UsageError, match=re.escape(f"{next(iter(wrong.values()))}".strip("[]'"))):
            civitai_question(**wrong)
