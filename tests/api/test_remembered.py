"""Answers are remembered for as long as the library is as it was, whoever changes it."""

import shutil
from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import select

from indexer.catalog.database import opened_catalog
from indexer.catalog.schema import Model
from indexer.settings import Settings
from search.api import remembered
from tests.api.serving import serving
from tests.clocks import patiently


@pytest.fixture
def home(demo_home: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a copy of the demo library."""
    folder = tmp_path_factory.mktemp("remembered") / "home"
    shutil.copytree(demo_home.home, folder)
    return Settings(home=folder, decode_workers=1)


@pytest.fixture
def own(home: Settings) -> Iterator[httpx.Client]:
    with serving(home) as address, httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
        yield client


def took(client: httpx.Client, query: str = "harbour") -> float:
    """How long an answer took when it was made: the same number again tells that it was not made again."""
    return float(client.get("/api/search", params={"q": query}).json()["took_ms"])


def test_an_answer_is_made_once(own: httpx.Client) -> None:
    assert took(own) == took(own)
    assert took(own, "harbour type:lora") == took(own, "harbour type:lora")
    pages = [own.get("/?q=harbour") for _ in range(2)]
    assert pages[0].content == pages[1].content and pages[0].headers.keys() == pages[1].headers.keys()
    assert own.head("/?q=harbour").content == b""
    assert own.get("/?q=harbour").content == pages[0].content


def test_what_the_user_marks_is_seen_at_once(own: httpx.Client) -> None:
    asked = {"q": "is:favourite harbour"}
    assert own.get("/api/search", params=asked).json()["hits"] == []
    id_ = own.get("/api/search", params={"q": "harbour"}).json()["hits"][0]["id"]
    own.put(f"/api/models/{id_}/marks", json={"favourite": True}).raise_for_status()
    assert [hit["id"] for hit in own.get("/api/search", params=asked).json()["hits"]] == [id_]
    assert own.get(f"/api/models/{id_}").json()["marks"]["opinions"] is not None


def test_what_another_program_stores_counts(own: httpx.Client, home: Settings) -> None:
    before = took(own)
    with opened_catalog(home) as catalog, catalog.write() as session:
        session.add(Model(key="elsewhere"))
    assert took(own) != before
    again = took(own)
    (home.text_folder / "meta.json").touch()  # an index that was published after its catalog
    assert took(own) != again


def test_links_are_made_for_who_asks(own: httpx.Client) -> None:
    """One server has several names; each client goes on under the one that it used."""
    port = own.base_url.port
    for name in ("localhost", "127.0.0.1", "localhost"):
        page = own.get("/api/v1/models?limit=1", headers={"Host": f"{name}:{port}"}).json()
        assert page["metadata"]["nextPage"].startswith(f"http://{name}:{port}/")


def test_chance_and_errors_are_not_remembered(own: httpx.Client) -> None:
    orders = {own.get("/?sort=random").text for _ in range(4)}
    assert len(orders) > 1
    assert own.get("/?q=rank:abc").status_code == own.get("/?q=rank:abc").status_code == 400


def test_a_visit_of_a_person_is_noted_each_time(own: httpx.Client) -> None:
    id_ = own.get("/api/search", params={"q": "is:unseen"}).json()["hits"][0]["id"]
    browser = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "none"}
    own.get(f"/model/{id_}")
    assert own.get(f"/api/models/{id_}/marks").json()["seen"] is None
    own.get(f"/model/{id_}", headers=browser)
    # It is noted after the answer.
    patiently(lambda: own.get(f"/api/models/{id_}/marks").json()["seen"] is not None)


def test_memory_is_bounded(own: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "BYTES", 40_000)
    first = took(own)
    for number in range(20):
        took(own, f"harbour -nothing{number}")
    assert took(own) != first


def test_the_state_tells_every_commit(both: Settings) -> None:
    """Of this process as of others; reading changes nothing. A server of PostgreSQL counts the commits of all
    its databases together."""
    with opened_catalog(both) as catalog, opened_catalog(both) as other:
        seen = [catalog.state()]
        with catalog.read() as session:
            session.scalars(select(Model)).all()
        assert catalog.state() == seen[0] or not catalog.is_sqlite
        for writer in (catalog, other):
            with writer.write() as session:
                session.add(Model(key=f"key {len(seen)}"))
            seen.append(catalog.state())
        assert len(set(seen)) == 3
