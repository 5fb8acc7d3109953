"""A library whose every text is an attack: no page holds an element, attribute or address of its making."""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from tests.api.serving import hostile_home, serving
from tests.web.payloads import PAYLOADS

OURS = {"", "module"}


class Seen(HTMLParser):
    """Scripts, handlers, styles and addresses of a page, as a browser reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self.ids += [told["id"]] if "id" in told else []
        if tag in ("iframe", "object", "embed", "style", "base", "math", "foreignobject", "audio", "video"):
            self.faults.append(tag)
        if tag == "script" and not told.get("src", "").startswith("/static/"):
            self.faults.append("script")
        for name, value in told.items():
            address = value.strip().lower()
            if name.startswith("on") or name in ("style", "srcdoc", "formaction", "ping"):
                self.faults.append(f"{tag} {name}")
            if name in ("href", "src", "action") and not address.startswith(
                ("/", "#", "https://civitai.com/")
            ):
                self.faults.append(f"{tag} {name}={value}")
            if name in ("href", "src", "action") and address.startswith("//"):
                self.faults.append(f"{tag} {name}={value}")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder: Path = tmp_path_factory.mktemp("hostile")
    with (
        serving(hostile_home(folder)) as address,
        httpx.Client(base_url=address, timeout=60, trust_env=False) as client,
    ):
        yield client


def test_no_page_holds_what_a_stranger_wrote_as_markup(hostile: httpx.Client) -> None:
    hits = hostile.get("/api/search", params={"limit": 200}).json()["hits"]
    assert len(hits) == len(PAYLOADS)
    paths = ["/", "/health", *(f"/model/{hit['id']}" for hit in hits)]
    paths += [f"/fragment/row?like={hits[0]['id']}", "/fragment/results"]
    for path in paths:
        answer = hostile.get(path)
        assert answer.status_code == 200, path
        seen = Seen()
        seen.feed(answer.text)
        assert seen.faults == [], path
        assert len(seen.ids) == len(set(seen.ids)), path


def test_what_is_typed_is_shown_as_text(hostile: httpx.Client) -> None:
    for payload in PAYLOADS:
        for name in ("q", "tag", "type", "creator", "rank", "base", "sort", "by", "like", "offset"):
            answer = hostile.get("/", params={name: payload})
            seen = Seen()
            seen.feed(answer.text)
            assert seen.faults == [], (name, payload)


def test_every_facet_value_leads_to_its_entries(hostile: httpx.Client) -> None:
    facets = hostile.get("/api/search").json()["facets"]
    for value, count in facets["tag"].items():
        if '"' not in value:
            found = hostile.get("/api/search", params={"tag": '"' + value + '"'}).json()
            assert found["total"] == count, value
