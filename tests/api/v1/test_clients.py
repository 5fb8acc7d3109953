"""Requests as well-known clients send them: their headers, spellings, and ways to read an answer."""

from typing import Any
from urllib.parse import quote

import pytest

from indexer.settings import Settings
from search.api.v1.downloads import disposition
from tests.api.serving import serving
from tests.api.v1.items import digest
from tests.api.v1.schema import Client
from tests.api.v1.test_downloads import fetched, library, open_client

__all__ = ["library", "open_client"]


def ids(client: Client, address: str, **headers: str) -> list[int]:
    answer = client.http.get(f"/api/v1/models?{address}", headers=headers)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


def test_lists_are_spelled_in_every_way(hub: Client) -> None:
    spelled = ["types=LORA&types=VAE", "types=LORA,VAE", "types[]=LORA&types[]=VAE", "types=LORA%2CVAE"]
    assert len({tuple(ids(hub, f"limit=50&{text}")) for text in spelled}) == 1
    blanks = ["baseModels=SD%201.5", "baseModels=SD+1.5", "baseModels=SD 1.5"]
    assert len({tuple(ids(hub, f"limit=50&sort=Most%20Downloaded&{text}")) for text in blanks}) == 1


@pytest.mark.parametrize("true", ["true", "True", "TRUE", "1"])
def test_flags_are_spelled_in_every_way(hub: Client, true: str) -> None:
    assert 11 in ids(hub, f"limit=100&nsfw={true}&sort=Newest&hidden=false&favorites=False")


def test_empty_parameters_are_none(hub: Client) -> None:
    assert ids(hub, "limit=5&query=&tag=&username=&types=&period=&sort=&nsfw=") == ids(hub, "limit=5")


def test_a_browser_extension_tells_where_it_comes_from(hub: Client) -> None:
    headers = {
        "Origin": "https://civitai.com",
        "Referer": "https://civitai.com/",
        "User-Agent": "Mozilla/5.0",
    }
    assert ids(hub, "limit=1", **headers, **{"Content-Type": "application/json"})


def test_pages_are_followed_as_they_are_told(hub: Client) -> None:
    """By ``nextPage`` alone, as it stands."""
    seen: list[int] = []
    address = f"{hub.base}/api/v1/models?limit=25&nsfw=true&types=LORA&tag={quote('ink')}"
    while address:
        page = hub.http.get(address).json()
        seen += [item["id"] for item in page["items"]]
        address = page["metadata"].get("nextPage", "")
    assert (
        len(seen) == len(set(seen)) == len([n for n in (*range(1, 121), *range(1_000, 1_020)) if n % 5 == 0])
    )


def test_a_key_is_tried_by_what_needs_one(hub_home: Settings) -> None:
    with serving(hub_home, token="quill") as base:
        for key, status in (("quill", 200), ("wrong", 401)):
            client = Client(base, key)
            assert client.http.get("/api/v1/models?hidden=1&limit=1").status_code == status
            assert client.http.get("/api/v1/models?favorites=true&limit=1").status_code == status
            client.http.close()


def test_what_is_not_there_is_told_in_words_that_clients_look_for(hub: Client) -> None:
    for route in ("models/424242", "model-versions/424242", f"model-versions/by-hash/{'0' * 64}"):
        status, error = hub.refused(route)
        assert status == 404 and "not found" in error.lower()


def test_many_are_asked_at_once(hub: Client) -> None:
    wanted = ",".join(str(number) for number in range(1, 101))
    assert len(ids(hub, f"ids={wanted}&nsfw=true")) == 100
    found = hub.post("model-versions/by-hash", [digest(number).lower() for number in (10, 30, 31)]).json()
    assert {row["usageControl"] for row in found} == {"Download"}
    assert {"earlyAccessEndsAt", "modelId", "files"} <= found[0].keys()


def test_a_file_of_a_version_is_named_by_the_short_form(hub: Client) -> None:
    files: list[Any] = hub.get("model-versions/30")["files"]
    for file in files:
        told = hub.get("model-versions/mini/30", modelFileId=file["id"])
        assert (told["fileName"], told["downloadUrls"]) == (file["name"], [file["downloadUrl"]])
    assert hub.refused("model-versions/mini/30", modelFileId=999)[0] == 404


def test_a_picture_is_asked_for_by_its_number(hub: Client) -> None:
    (image,) = hub.get("images", imageId=300, nsfw="X", withMeta="true")["items"]
    assert image["id"] == 300 and image["meta"]["prompt"]


def test_the_first_page_of_words_is_asked_for_by_number(hub: Client) -> None:
    """sd-civitai-browser-neo numbers its first page always; the cursor leads on from there."""
    first = hub.get("models", query="ink", page=1, limit=5, nsfw="true")
    assert [one["id"] for one in first["items"]] == ids(hub, "query=ink&limit=5&nsfw=true")
    assert "cursor=" in first["metadata"]["nextPage"] and "page=" not in first["metadata"]["nextPage"]
    assert hub.http.get(first["metadata"]["nextPage"]).json()["items"]


def test_too_many_pages_are_told_from_too_many_requests(hub: Client) -> None:
    """civitai's own CLI asks a throttled question again, unless it reads of pages or cursors."""
    status, error = hub.refused("models", page=11, limit=100)
    assert status == 429 and "too many pages" in error and "use cursors" in error.lower()


def test_models_that_lie_here_can_be_generated_with(open_client: Client, hub: Client) -> None:
    """civitai-comfy-nodes asks for nothing else; where the hub said nothing, a file that is here counts."""
    (item,) = open_client.get("models", supportsGeneration="true")["items"]
    assert item["supportsGeneration"] is item["modelVersions"][0]["supportsGeneration"] is True
    assert open_client.get("models", supportsGeneration="false")["items"] == []
    assert hub.get("models", supportsGeneration="true", nsfw="true")["items"] == []


def test_kinds_of_adapters_are_told_apart_in_an_air(hub: Client) -> None:
    named = {"LORA": "lora", "LoCon": "lycoris", "DoRA": "dora", "TextualInversion": "embedding"}
    for item in hub.get("models", limit=50, nsfw="true")["items"]:
        if item["type"] in named:
            airs = {version["air"].split(":")[3] for version in item["modelVersions"]}
            assert airs == {named[item["type"]]}


def test_a_format_is_a_text_always(hub: Client, open_client: Client) -> None:
    """Some look for a word in it without a look at whether it is there."""
    for client in (hub, open_client):
        for item in client.get("models", limit=100, nsfw="true")["items"]:
            for version in item["modelVersions"]:
                assert all(type(file["metadata"]["format"]) is str for file in version["files"])


def test_pictures_without_a_record_come_too(hub: Client) -> None:
    """``withMeta`` asks for records, ``requiringMeta`` for pictures that have one."""
    every = hub.get("images", limit=200, nsfw="X")["items"]
    assert hub.get("images", limit=200, nsfw="X", withMeta="true")["items"] == every
    having = hub.get("images", limit=200, nsfw="X", requiringMeta="true")["items"]
    assert having == [one for one in every if one["meta"]]
    wanted = [one["id"] for one in every[3:6]]
    found = hub.get("images", nsfw="X", ids=",".join(map(str, wanted)))["items"]
    assert [one["id"] for one in found] == wanted
    assert hub.get("images", limit=5, page=2)["metadata"].items() >= {"currentPage": 2, "pageSize": 5}.items()


def test_a_key_belongs_to_somebody(hub: Client) -> None:
    assert hub.get("me")["username"]


def test_links_to_pages_of_the_hub_lead_to_ours(hub: Client) -> None:
    """Clients make them of the base that they were given, and open them in a browser."""
    at = {path: hub.http.get(path, follow_redirects=False) for path in ("/models/30", "/models/30/a-name")}
    assert {answer.status_code for answer in at.values()} == {303}
    for answer in at.values():
        assert hub.http.get(answer.headers["location"]).status_code == 200
    version = hub.get("models/30")["modelVersions"][-1]["id"]
    one = hub.http.get(f"/models/30?modelVersionId={version}", follow_redirects=False)
    assert one.headers["location"].startswith("/model/")
    assert hub.http.get("/models/424242").status_code == hub.http.get("/models/x").status_code == 404
    for path, place in (("/user/artist2", "/?creator=artist2"), ("/tag/a%20b", "/?tag=a+b")):
        assert hub.http.get(path, follow_redirects=False).headers["location"] == place


def test_our_own_pictures_have_an_ending(open_client: Client) -> None:
    """Clients name the files that they save by the end of the address."""
    (item,) = open_client.get("models")["items"]
    for picture in item["modelVersions"][0]["images"]:
        assert picture["url"].endswith(".webp") and "?" not in picture["url"]
        answer = open_client.http.get(picture["url"])
        assert answer.headers["content-type"] == "image/webp"
        assert "immutable" in answer.headers["cache-control"]


def test_a_slash_too_many_is_taken_off(hub: Client) -> None:
    answer = hub.http.get("/api/v1/models/?limit=1&types=LORA")
    assert answer.status_code == 308
    assert hub.http.get(answer.headers["location"]).json()["items"]
    assert hub.http.get("/api/v1/").status_code == hub.http.get("/api/v1//").status_code == 404


def test_json_answers_head(hub: Client) -> None:
    answer = hub.http.head("/api/v1/models?limit=1")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 100


def test_a_download_is_resumed_and_named(open_client: Client) -> None:
    (item,) = open_client.get("models")["items"]
    address = item["modelVersions"][0]["downloadUrl"]
    whole = fetched(open_client, f"{address}?token=any", {"Authorization": "Bearer any"})
    half = len(whole.content) // 2
    rest = fetched(open_client, address, {"Range": f"bytes={half}-", "Accept-Encoding": "identity"})
    assert rest.status_code == 206 and whole.content[:half] + rest.content == whole.content
    assert fetched(open_client, address, {"Range": "bytes=0-"}).status_code == 206


def test_a_plain_name_is_found_by_splitting_the_header() -> None:
    told = disposition("ink wash_v2 (final).safetensors")
    assert told.split("filename=")[-1].strip('"') == told.split("=")[1].strip('"')
    assert told.split("=")[1].strip('"') == "ink wash_v2 (final).safetensors"
    both = disposition("墨.safetensors")
    assert "filename*=UTF-8''" in both
    assert both.split("filename=")[-1].strip('"') == both.split("filename=")[1].strip('"') == "_.safetensors"
