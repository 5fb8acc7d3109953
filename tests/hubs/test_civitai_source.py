"""Civitai's routes: pages, look-ups, and what goes wrong with them."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from indexer.errors import UsageError
from indexer.sources.civitai import Civitai
from indexer.sources.http_errors import HubRefused
from indexer.sources.pages import Page
from tests.hub_server import HubServer, json_reply
from tests.hubs.fake_civitai import FakeCivitai, generated, hash_of
from tests.sources.http_support import client


@pytest.fixture
def hub() -> Iterator[FakeCivitai]:
    with FakeCivitai(generated(250)) as fake:
        yield fake


@pytest.fixture
def api(hub: FakeCivitai) -> Iterator[Civitai]:
    with client(hub.server) as asking:
        yield Civitai(asking, hub.url + "/")


def pages(api: Civitai, **question: str) -> list[Page]:
    found = [api.models(question)]
    while (cursor := found[-1].next_cursor) is not None:
        found.append(api.models(question, cursor))
    return found


@pytest.mark.parametrize("paging", ["cursor", "link", "number"])
def test_all_ways_of_paging(hub: FakeCivitai, api: Civitai, paging: str) -> None:
    hub.paging = paging
    found = pages(api)
    assert [len(page.items) for page in found] == [100, 100, 50]
    assert {item["id"] for page in found for item in page.items} == set(hub.items)


def test_a_question_reaches_the_hub_as_it_is(hub: FakeCivitai, api: Civitai) -> None:
    page = api.models({"types": ["LORA"], "baseModels": ["Pony", "SD 1.5"], "tag": "tag2"})
    assert page.items and all(item["type"] == "LORA" and "tag2" in item["tags"] for item in page.items)
    assert hub.server.requests[0].query["baseModels"] == ["Pony", "SD 1.5"]


def test_pages_by_number_end_before_the_hub_refuses(hub: FakeCivitai, api: Civitai) -> None:
    hub.paging = "number"
    hub.items = {item["id"]: item for item in generated(1_050)}
    assert len(api.models({}, "page:10").items) == 100
    before = len(hub.server.requests)
    with pytest.raises(HubRefused, match="ends at 1,000") as caught:
        api.models({}, "page:11")
    assert caught.value.code == "page_limit" and len(hub.server.requests) == before


@pytest.mark.parametrize(
    "link", ["http://127.0.0.1:1/api", "https://example.com/?cursor=a", "//other/?page=2", "http://["]
)
def test_a_next_page_elsewhere_is_refused_and_never_asked(link: str) -> None:
    with HubServer() as server, client(server, secrets={server.url: SecretStr("s3cret-key")}) as asking:
        server.route("/api/v1/models", json_reply({"items": [], "metadata": {"nextPage": link}}))
        with pytest.raises(HubRefused) as caught:
            Civitai(asking, server.url).models({})
        assert caught.value.code == "refused_address" and "s3cret" not in caught.value.detail


@pytest.mark.parametrize(
    "metadata", [None, [], {"nextCursor": ""}, {"nextCursor": True}, {"currentPage": 2, "totalPages": 2}]
)
def test_no_next_page(metadata: object) -> None:
    with HubServer() as server, client(server) as asking:
        server.route("/api/v1/models", json_reply({"items": [], "metadata": metadata}))
        assert Civitai(asking, server.url).models({}).next_cursor is None


def test_a_cursor_may_be_a_number_but_not_endless() -> None:
    with HubServer() as server, client(server) as asking:
        answers = [json_reply({"items": [], "metadata": {"nextCursor": c}}) for c in (5, "x" * 5_000)]
        server.route("/api/v1/models", answers)
        api = Civitai(asking, server.url)
        assert api.models({}).next_cursor == "cursor:5"
        with pytest.raises(HubRefused, match="5,007 characters"):
            api.models({})


@pytest.mark.parametrize("value", [[], {"items": {}}, {"error": "x"}, "text", None])
def test_another_shape_is_no_page(value: object) -> None:
    with HubServer() as server, client(server) as asking:
        server.route("/api/v1/models", json_reply(value))
        with pytest.raises(HubRefused, match="no list of items"):
            Civitai(asking, server.url).models({})


def test_look_ups(hub: FakeCivitai, api: Civitai) -> None:
    assert (api.model(7) or {})["id"] == 7
    assert (api.version(70) or {})["modelId"] == 7
    for value in (hash_of(70), hash_of(70).upper(), hash_of(70)[:10]):
        assert (api.by_hash(value) or {})["id"] == 70
    assert (api.model(9_999), api.version(9_999), api.by_hash("00" * 32)) == (None, None, None)
    assert [item["id"] for item in api.models_by_id([3, 1, 9_999]).items] == [3, 1]
    assert api.enums()["ModelType"] == ["LORA"] and api.is_alive()
    assert api.creators({}).items[0]["username"] == "user0" and len(api.tags({}).items) == 8
    assert api.images({"modelId": "7"}).items[0]["modelVersionIds"] == [70]
    with pytest.raises(UsageError):
        api.models_by_id(range(101))


def test_hashes_in_batches(hub: FakeCivitai, api: Civitai) -> None:
    values = [hash_of(number * 10) for number in range(1, 300)]
    assert {found["id"] for found in api.by_hashes(values)} == {number * 10 for number in range(1, 251)}
    assert len(hub.asked("/api/v1/model-versions/by-hash")) == 3
    known = api.version_ids(values)
    assert known is not None and len(known) == 250 and known[hash_of(10)] == 10
    hub.broken = {"/api/v1/model-versions/by-hash", "/api/v1/model-versions/by-hash/ids"}
    assert api.version_ids(values) is None
    assert [found["id"] for found in api.by_hashes(values[:3])] == [10, 20, 30]


def test_an_unchanged_answer(api: Civitai) -> None:
    first = api.models_by_id([1, 2])
    again = api.models_by_id([1, 2], etag=first.etag)
    assert (len(first.items), first.fresh, len(again.items), again.fresh) == (2, True, 0, False)


@pytest.mark.parametrize(
    ("status", "told"), [(401, "CIVITAI_API_KEY"), (403, "CIVITAI_TOKEN"), (400, "base models")]
)
def test_refusals_say_what_to_do(hub: FakeCivitai, api: Civitai, status: int, told: str) -> None:
    hub.outage = status
    with pytest.raises(HubRefused, match=told):
        api.models({})
    assert len(hub.server.requests) == 1
