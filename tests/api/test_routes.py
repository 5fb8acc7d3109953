"""The native routes over a real socket: the public contract, filters, pictures."""

import io
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from indexer.demo import DemoReport
from indexer.domain.fields import FIELDS
from indexer.settings import Settings
from search.service import Pinakes

ANSWER = {
    *("query", "total", "matches", "estimated", "hidden", "hidden_by", "took_ms", "facets", "hits", "notes")
}
HIT = {
    *("id", "sources", "name", "version", "kind", "architecture", "family", "base_label", "category"),
    *("creator", "tags", "trigger_words", "rating", "downloads", "nsfw_level", "licence", "preview"),
    *("files", "score", "signals", "also"),
}


def ask(client: httpx.Client, path: str, **parameters: Any) -> dict[str, Any]:
    answer = client.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_search_answers_by_the_contract(client: httpx.Client) -> None:
    found = ask(client, "/api/search", q="harbour", limit=5)
    assert set(found) == ANSWER
    assert 1 <= len(found["hits"]) <= 5
    for hit in found["hits"]:
        assert set(hit) == HIT
        assert all(set(signal) == {"value", "weight"} for signal in hit["signals"].values())
        assert all(set(file) == {"path", "sha256"} for file in hit["files"])
        assert all(set(source) == {"source", "id", "url"} for source in hit["sources"])
    assert set(found["facets"]) == {field.name for field in FIELDS.values() if field.facet}


def test_search_answers_what_the_service_answers(client: httpx.Client, demo_home: Settings) -> None:
    with Pinakes(demo_home) as pinakes:
        expected = pinakes.search("type:lora watercolour", limit=10).to_json()
    found = ask(client, "/api/search", q="type:lora watercolour", limit=10)
    for answer in (found, expected):
        del answer["took_ms"]
    assert found == expected


@pytest.mark.parametrize(
    ("parameters", "query"),
    [
        ({"type": "lora"}, "type:lora"),
        ({"type": "lora,checkpoint"}, "type:lora,checkpoint"),
        ({"type": ["lora", "checkpoint"]}, "type:lora,checkpoint"),
        ({"type": "-lora"}, "-type:lora"),
        ({"arch": "sdxl", "type": "lora"}, "arch:sdxl type:lora"),
        ({"tag": ["landscape", "sea"]}, "tag:landscape tag:sea"),
        ({"tag": "landscape,sea"}, "tag:landscape,sea"),
        ({"rank": "8..32"}, "rank:8..32"),
        ({"size": "<200MB"}, "size:<200MB"),
        ({"base_label": "SDXL 1.0"}, 'base:"SDXL 1.0"'),
        ({"q": "harbour OR city", "type": "lora"}, "(harbour OR city) type:lora"),
        ({"is": "mislabelled"}, "is:mislabelled"),
    ],
)
def test_filters_mean_what_the_query_language_means(
    client: httpx.Client, parameters: dict[str, Any], query: str
) -> None:
    by_filter = ask(client, "/api/search", limit=200, **parameters)
    by_query = ask(client, "/api/search", limit=200, q=query)
    assert [hit["id"] for hit in by_filter["hits"]] == [hit["id"] for hit in by_query["hits"]]
    assert by_filter["total"] == by_query["total"] > 0


def test_pages_follow_each_other_without_gap_or_repeat(client: httpx.Client) -> None:
    whole = [hit["id"] for hit in ask(client, "/api/search", limit=60, sort="name")["hits"]]
    parts = [
        hit["id"]
        for offset in range(0, 60, 12)
        for hit in ask(client, "/api/search", limit=12, offset=offset, sort="name")["hits"]
    ]
    assert parts == whole
    assert len(set(parts)) == len(parts)


def test_a_picture_of_the_library_finds_its_style_first(
    client: httpx.Client, demo_library: tuple[Path, DemoReport]
) -> None:
    folder, report = demo_library
    style, alike = max(report.by_style().items(), key=lambda item: len(item[1]))
    picture = next(path for model in alike for path in model.previews)
    answer = client.post("/api/similar", files={"image": (folder / picture).read_bytes()})
    names = [hit["name"] for hit in answer.json()["hits"]]
    assert names[0] in {model.name for model in alike}, (style, names)


def test_a_picture_is_searched_by_style_and_by_content(client: httpx.Client) -> None:
    hit = next(h for h in ask(client, "/api/search", q="type:lora has:preview")["hits"] if h["preview"])
    picture = client.get(hit["preview"]).content
    for by in ("style", "content"):
        answer = client.post(
            "/api/similar", files={"image": ("p.webp", picture)}, data={"by": by, "limit": "5"}
        )
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert set(found) == ANSWER | {"made_with"}
        assert found["query"]["by"] == by
        assert 1 <= len(found["hits"]) <= 5


def test_search_takes_a_picture_beside_its_filters(client: httpx.Client) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (256, 256), (30, 90, 160)).save(picture, "PNG")
    answer = client.post(
        "/api/search",
        params={"type": "lora"},
        files={"image": ("p.png", picture.getvalue())},
        data={"limit": "3"},
    )
    assert answer.status_code == 200, answer.text
    assert {hit["kind"] for hit in answer.json()["hits"]} == {"lora"}


def test_similar_takes_an_id_or_a_name(client: httpx.Client) -> None:
    hit = next(h for h in ask(client, "/api/search", q="type:lora has:preview")["hits"] if h["preview"])
    by_id = ask(client, "/api/similar", model=hit["id"], limit=6)
    assert by_id["query"]["like"] == {"id": hit["id"], "name": hit["name"]}
    assert hit["id"] not in [other["id"] for other in by_id["hits"]]
    assert ask(client, "/api/similar", model=hit["name"], limit=6)["hits"]
    for only in ask(client, "/api/similar", model=hit["id"], type="lora", base="sdxl")["hits"]:
        assert only["kind"] == "lora"


def test_a_model_is_shown_with_what_stands_behind_it(client: httpx.Client) -> None:
    hit = ask(client, "/api/search", q="type:lora has:preview", limit=1)["hits"][0]
    shown = ask(client, f"/api/models/{hit['id']}")
    assert shown["name"] == hit["name"]
    assert {"files", "claims", "previews", "statistics"} <= set(shown)
    assert shown["files"][0]["verdict"]["evidence"]


def test_what_is_mislabelled_is_told_in_pages(client: httpx.Client) -> None:
    whole = ask(client, "/api/mislabelled")
    assert set(whole) == {"total", "hidden", "offset", "items"}
    assert set(whole["items"][0]) == {"id", "name", "path", "conflicts", "confidence", "evidence"}
    assert ask(client, "/api/mislabelled", offset=whole["total"])["items"] == []
    assert ask(client, "/api/mislabelled", type="upscaler")["total"] == 0
    assert client.get("/api/mislabelled", params={"q": "colour:red"}).status_code == 400


def test_a_preview_is_webp_that_a_browser_may_keep(client: httpx.Client) -> None:
    hit = ask(client, "/api/search", q="has:preview", limit=1)["hits"][0]
    answer = client.get(hit["preview"])
    assert answer.headers["content-type"] == "image/webp"
    assert answer.content[8:12] == b"WEBP"
    mark = answer.headers["etag"]
    assert client.get(hit["preview"], headers={"if-none-match": mark}).status_code == 304
    named = client.get(hit["preview"], params={"v": mark.strip('"')})
    assert "immutable" in named.headers["cache-control"]
    assert "immutable" not in answer.headers["cache-control"]
    assert client.head(hit["preview"]).content == b""


def test_stats_and_fields_are_told(client: httpx.Client, demo_home: Settings) -> None:
    stats = ask(client, "/api/stats")
    assert stats["entries"] > 40
    assert stats["quarantined"]
    told = client.get("/api/fields").json()
    assert [row["name"] for row in told] == list(FIELDS)
    assert all(row["help"] and row["example"] for row in told)


def test_the_api_describes_itself_without_help_from_elsewhere(client: httpx.Client) -> None:
    described = ask(client, "/api/openapi.json")
    assert {"/api/search", "/api/similar", "/api/models/{model_id}", "/api/stats"} <= set(described["paths"])
    names = {row["name"] for row in described["paths"]["/api/search"]["get"]["parameters"]}
    assert {"q", "base", "sort", "limit", "type", "tag", "base_label"} <= names
    page = client.get("/api/docs")
    assert page.status_code == 200
    assert "/api/models/{model_id}" in page.text
    assert "http://" not in page.text.replace(str(client.base_url), "")
    assert "https://" not in page.text


def test_each_example_of_a_field_is_a_query(client: httpx.Client) -> None:
    for field in FIELDS.values():
        ask(client, "/api/search", q=field.example)
