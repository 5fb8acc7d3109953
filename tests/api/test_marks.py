"""The user's own layer over HTTP: marks and saved searches, refused where they are wrong or forged."""

import shutil
import time
from collections.abc import Iterator

import httpx
import pytest

from indexer.settings import Settings
from tests.api.serving import serving


@pytest.fixture(scope="module")
def own(demo_home: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a server over a copy of the demo library."""
    home = tmp_path_factory.mktemp("own") / "home"
    shutil.copytree(demo_home.home, home)
    with (
        serving(Settings(home=home, decode_workers=2)) as address,
        httpx.Client(base_url=address, timeout=60, trust_env=False) as client,
    ):
        yield client


def first(client: httpx.Client, query: str) -> int:
    return int(client.get("/api/search", params={"q": query}).json()["hits"][0]["id"])


def test_marks_are_seen_by_search_at_once(own: httpx.Client) -> None:
    id_ = first(own, "harbour")
    asked = {
        "favourite": True,
        "seen": True,
        "purpose": "Sea",
        "rating": 4.5,
        "note": "soft",
        "tags": ["a b"],
    }
    told = own.put(f"/api/models/{id_}/marks", json=asked).json()
    assert told["published"] and told["favourite"] and told["tags"] == ["a b"]
    assert told["opinions"] == [{"purpose": "sea", "rating": 4.5, "note": "soft"}]
    assert first(own, 'is:favourite is:seen mine:4.5 note:soft mytag:"a b"') == id_
    told = own.put(f"/api/models/{id_}/marks", json={"purpose": "sea", "rating": None, "tags": ["c"]}).json()
    assert told["opinions"] == [{"purpose": "sea", "rating": None, "note": "soft"}]
    assert told["tags"] == ["c"] and told["favourite"] is True
    told.pop("published")
    assert own.get(f"/api/models/{id_}/marks").json() == told


@pytest.mark.parametrize(
    "asked",
    [
        {"rating": 4.3},
        {"rating": 6},
        {"note": "x" * 10_001},
        {"tags": [""]},
        {"tags": "comic"},
        {"favourite": "perhaps"},
        {"stars": 4},
        [],
    ],
)
def test_wrong_marks_are_refused(own: httpx.Client, asked: object) -> None:
    answer = own.put("/api/models/1/marks", json=asked)
    assert answer.status_code == 400 and set(answer.json()) == {"code", "message"}
    assert own.put("/api/models/999999/marks", json={"seen": True}).status_code == 404


def test_searches_are_kept_renamed_and_removed(own: httpx.Client) -> None:
    name = "új/../ ?#%2F <b>"
    told = own.post("/api/saved", json={"name": name, "query": "is:unseen type:lora", "sort": "newest"})
    assert told.status_code == 200 and told.json()["query"] == "is:unseen type:lora"
    assert [one["name"] for one in own.get("/api/saved").json()] == [name]
    assert own.patch("/api/saved", params={"name": name}, json={"name": "new"}).json()["sort"] == "newest"
    assert own.delete("/api/saved", params={"name": name}).status_code == 404
    assert own.delete("/api/saved", params={"name": "new"}).json() == {"removed": "new"}
    assert own.get("/api/saved").json() == []


@pytest.mark.parametrize(
    "asked",
    [
        {"name": "x", "query": "rank:abc"},
        {"name": "x", "query": "a", "sort": "best"},
        {"name": "  ", "query": "a"},
        {"name": "x" * 101, "query": "a"},
        {"query": "a"},
    ],
)
def test_a_search_that_cannot_be_run_is_not_kept(own: httpx.Client, asked: dict[str, str]) -> None:
    assert own.post("/api/saved", json=asked).status_code == 400
    assert own.get("/api/saved").json() == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("PUT", "/api/models/1/marks"), ("POST", "/api/saved"), ("POST", "/model/1/marks")),
        *(("PATCH", "/api/saved?name=x"), ("DELETE", "/api/saved?name=x"), ("POST", "/saved")),
        *(("POST", "/fragment/marks/1"), ("POST", "/fragment/saved")),
    ],
)
def test_other_sites_change_nothing(own: httpx.Client, method: str, path: str) -> None:
    for headers in ({"origin": "http://evil.test"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
        answer = own.request(method, path, headers=headers, json={"favourite": True})
        assert (answer.status_code, answer.json()["code"]) == (403, "origin")
    plain = own.request(method, path, content="favourite=yes", headers={"content-type": "text/plain"})
    assert plain.status_code == 415


def test_forms_lead_back_to_this_page_only(own: httpx.Client) -> None:
    def sent(back: str) -> str:
        form = {"favourite": (None, "yes"), "back": (None, back)}
        answer = own.post("/model/1/marks", files=form)
        assert answer.status_code == 303
        return answer.headers["location"]

    assert sent("/?q=a&type=lora") == "/?q=a&type=lora"
    assert sent("/model/7") == "/model/7"
    for back in ("//evil.test", "http://evil.test/", "/\\evil.test", "/health", "", "/?q=\r\nx: y"):
        assert sent(back) == "/model/1"


def test_opening_a_page_marks_it_seen_for_people_only(own: httpx.Client) -> None:
    def unseen(id_: int) -> bool:
        return own.get(f"/api/models/{id_}/marks").json()["seen"] is not True

    id_ = first(own, "is:unseen type:checkpoint")
    own.put(f"/api/models/{id_}/marks", json={"seen": False})
    person = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "sec-fetch-site": "none"}
    for other in ({}, {**person, "sec-fetch-site": "cross-site"}, {**person, "sec-fetch-dest": "iframe"}):
        assert own.get(f"/model/{id_}", headers=other).status_code == 200
    assert own.get(f"/model/{id_}", headers={**person, "sec-purpose": "prefetch"}).status_code == 200
    assert own.head(f"/model/{id_}", headers=person).status_code == 200
    assert unseen(id_), own.get(f"/api/models/{id_}/marks").json()
    assert own.get(f"/model/{id_}", headers=person).status_code == 200
    deadline = time.monotonic() + 60  # it is noted after the page was sent
    while unseen(id_) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not unseen(id_)


def test_what_is_noted_stands_in_the_description_of_the_api(own: httpx.Client) -> None:
    paths = own.get("/api/openapi.json").json()["paths"]
    assert {"get", "put"} <= set(paths["/api/models/{model_id}/marks"])
    assert {"get", "post", "patch", "delete"} == set(paths["/api/saved"])
    assert "/api/models/{model_id}/history" in paths
