"""Every refusal is ``{code, message}``: no traceback, no path of ours, no 500."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.settings import Settings
from search.api.app import create_app
from tests.api.serving import serving

BIG = str(10**30)


def refused(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    told: dict[str, Any] = answer.json()
    assert {"code", "message"} <= set(told)
    assert "Traceback" not in answer.text
    return told


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/search?limit=0", 400),
        ("/api/search?limit=-1", 400),
        ("/api/search?limit=1e9", 400),
        ("/api/search?limit=NaN", 400),
        ("/api/search?limit=201", 400),
        ("/api/search?offset=-1", 400),
        (f"/api/search?offset={2**63}", 400),
        ("/api/search?sort=id;drop table", 400),
        ("/api/search?base=nothing", 400),
        ("/api/search?rank=abc", 400),
        ("/api/search?rank=8%20OR%20type:lora", 400),
        ("/api/search?q=" + "a" * 10_001, 400),
        ("/api/similar", 400),
        ("/api/similar?model=1&by=colour", 400),
        ("/api/similar?model=there is no such model anywhere", 404),
        ("/api/models/0", 404),
        ("/api/models/999999", 404),
        (f"/api/models/{BIG}", 404),
        ("/api/models/abc", 404),
        ("/api/previews/999999", 404),
        ("/api/previews/..%2f..%2fetc%2fpasswd", 404),
        ("/api/nothing", 404),
        ("/api/search/", 404),
    ],
)
def test_what_cannot_be_answered_is_refused(client: httpx.Client, path: str, status: int) -> None:
    refused(client.get(path), status)


@pytest.mark.parametrize("model", [BIG, "9" * 450, "²", " ", '"', "'; drop table entry", "\x00"])
def test_no_name_of_a_model_breaks_the_server(client: httpx.Client, model: str) -> None:
    answer = client.get("/api/similar", params={"model": model})
    refused(answer, answer.status_code)
    assert answer.status_code in (400, 404), (
        "unknown, or found (a superscript is a digit) but without a preview"
    )


def test_a_faulty_query_says_where(client: httpx.Client) -> None:
    query = "harbour rank:abc"
    told = refused(client.get("/api/search", params={"q": query}), 400)
    assert told["code"] == "query"
    assert query[told["start"] : told["end"]] == "abc"


def test_the_place_of_a_fault_is_that_in_what_was_typed(client: httpx.Client) -> None:
    query = "harbour rank:abc"
    told = refused(client.get("/api/search", params={"q": query, "type": "lora", "tag": "a,b"}), 400)
    assert query[told["start"] : told["end"]] == "abc"


def test_a_picture_that_is_none_is_refused(client: httpx.Client) -> None:
    for content in (b"not a picture", b"GIF89a" + b"\x00" * 50, b"<svg onload='alert(1)'/>"):
        refused(client.post("/api/similar", files={"image": ("p.png", content)}), 400)
    refused(client.post("/api/similar", data={"by": "style"}, files={"other": b"x"}), 400)
    refused(client.post("/api/similar", files={"image": b"x"}, data={"limit": "no"}), 400)


def test_the_wrong_method_is_refused(client: httpx.Client) -> None:
    told = refused(client.delete("/api/models/1"), 405)
    assert told["code"] == "method_not_allowed"


def test_a_catalog_that_cannot_be_opened_is_503(tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the home should be")
    with serving(Settings(home=blocked)) as address:
        answer = httpx.get(f"{address}/api/search", timeout=60, trust_env=False)
    told = refused(answer, 503)
    assert str(tmp_path) not in answer.text
    assert told["message"]
    assert answer.headers["retry-after"]


def test_a_fault_of_ours_tells_nothing_but_its_number(demo_home: Settings) -> None:
    app = create_app(demo_home)

    def broken() -> None:
        raise RuntimeError(f"secret in {demo_home.home}")

    app.add_api_route("/api/broken", broken)
    with serving(demo_home, app=app) as address:
        answer = httpx.get(f"{address}/api/broken", timeout=60, trust_env=False)
    told = refused(answer, 500)
    assert set(told) == {"code", "message", "id"}
    assert told["code"] == "internal"
    assert "secret" not in answer.text
    assert "content-security-policy" in answer.headers


def test_pages_refuse_with_a_page(client: httpx.Client) -> None:
    for path, status in (("/model/999999", 404), ("/nothing", 404), ("/?sort=x", 400)):
        answer = client.get(path)
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("text/html")


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.text(max_size=60), st.sampled_from(["q", "type", "tag", "rank", "created", "base", "hash"]))
def test_no_text_breaks_the_server(client: httpx.Client, text: str, name: str) -> None:
    answer = client.get("/api/search", params={name: text.encode("utf-8", "replace").decode()})
    assert answer.status_code in (200, 400), answer.text
    page = client.get("/fragment/results", params={name: text.encode("utf-8", "replace").decode()})
    assert page.status_code == 200, page.text
