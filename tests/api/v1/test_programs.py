"""What programs that people use asked of the drop-in when they were run against it, and did not get at first."""

import re

import httpx
import pytest

from indexer.settings import Settings
from search.api.v1.blurhash import flat_blurhash
from tests.api.v1.schema import Client
from tests.api.v1.test_downloads import library, open_client

__all__ = ["library", "open_client"]

BLURHASH = re.compile(r"[0-9A-Za-z#$%*+,\-.:;=?@\[\]^_{|}~]{6,}")


def items(client: Client, **asked: object) -> list[dict[str, object]]:
    found: list[dict[str, object]] = client.get("models", limit=100, nsfw="true", **asked)["items"]
    return found


def test_the_last_page_leads_nowhere(hub: Client) -> None:
    """Programs show a button for a page that would be empty."""
    everything = items(hub, tag="tag3")
    for asked in ({"tag": "tag3"}, {"query": "tag:tag3"}, {"ids": ",".join(str(n) for n in range(1, 5))}):
        count = len(items(hub, **asked))
        assert count in (4, len(everything))
        for limit in (count, count + 1):
            last = hub.get("models", nsfw="true", **{"limit": limit} | asked)["metadata"]
            assert "nextCursor" not in last and "nextPage" not in last
        assert "nextCursor" in hub.get("models", nsfw="true", **{"limit": count - 1} | asked)["metadata"]


def test_the_last_page_of_pictures_leads_nowhere(hub: Client) -> None:
    asked = {"modelId": 3, "nsfw": "X"}
    count = len(hub.get("images", limit=200, **asked)["items"])
    assert "nextCursor" not in hub.get("images", limit=count, **asked)["metadata"]
    first = hub.get("images", limit=count - 1, **asked)
    rest = hub.get("images", limit=5, cursor=first["metadata"]["nextCursor"], **asked)
    assert len({one["id"] for one in [*first["items"], *rest["items"]]}) == count


def test_creators_that_files_tell_of_are_listed(demo: Client) -> None:
    creators = {one["username"]: one for one in demo.get("creators", limit=200)["items"]}
    assert {"tsquare", "fernlight"} <= creators.keys() and list(creators) == sorted(creators)
    for name in ("tsquare", "fernlight"):
        link = str(creators[name]["link"]).replace("?", "?nsfw=true&limit=100&")
        assert len(demo.http.get(link).json()["items"]) == creators[name]["modelCount"]
    assert [one["username"] for one in demo.get("creators", query="TSQ")["items"]] == ["tsquare"]
    paged = [demo.get("creators", limit=3, page=page)["items"] for page in range(1, len(creators) // 3 + 2)]
    assert [one["username"] for page in paged for one in page] == list(creators)


def test_our_own_pictures_have_what_strict_programs_want(demo: Client) -> None:
    """civitai-api and civitapy take no null for a blurhash or a post."""
    pictures = demo.get("images", limit=50)["items"]
    assert pictures
    for one in pictures:
        assert BLURHASH.fullmatch(one["hash"]) and type(one["postId"]) is int
    together = demo.get("images", postId=pictures[0]["postId"], limit=200)["items"]
    assert pictures[0] in together
    assert {tuple(one["modelVersionIds"]) for one in together} == {tuple(pictures[0]["modelVersionIds"])}
    shown = [image for item in items(demo) for v in item["modelVersions"] for image in v["images"]]  # type: ignore[attr-defined]
    assert shown and all(BLURHASH.fullmatch(image["hash"]) for image in shown if image["width"])


@pytest.mark.parametrize(("colour", "code"), [("#000000", "000000"), ("#ffffff", "00TSUA"), ("#a", None)])
def test_a_blurhash_of_one_colour(colour: str, code: str | None) -> None:
    assert flat_blurhash(colour) == code
    assert flat_blurhash("#zzzzzz") is None


def test_files_tell_when_and_how_they_were_looked_through(demo: Client) -> None:
    """civitai-hub warns of files that no scan called safe."""
    files = [
        (file["metadata"]["format"], file)
        for item in items(demo)
        for version in item["modelVersions"]  # type: ignore[attr-defined]
        for file in version["files"]
    ]
    safe = [file for format_, file in files if format_ in ("SafeTensor", "GGUF")]
    assert safe and {file["pickleScanResult"] for file in safe} == {"Success"}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", file["scannedAt"]) for _, file in files)


def test_models_without_a_description_have_an_empty_one(open_client: Client) -> None:
    (item,) = open_client.get("models")["items"]
    assert item["description"] == ""


def test_versions_name_their_model_everywhere(hub: Client) -> None:
    for item in [*items(hub), hub.get("models/3")]:
        assert {version["modelId"] for version in item["modelVersions"]} == {item["id"]}


@pytest.mark.parametrize("spelled", ["//api/v1/models/3", "/api/v1//models/3", "/api/v1/models//3/"])
def test_slashes_too_many_are_taken_off(hub: Client, spelled: str) -> None:
    """mmget joins a base that ends with one and a path that begins with one."""
    answer = httpx.get(f"{hub.base}{spelled}?a=1", trust_env=False)
    assert (answer.status_code, answer.headers["location"]) == (308, "/api/v1/models/3?a=1")
    assert httpx.get(f"{hub.base}//else.where/x", trust_env=False).headers["location"] == "/else.where/x"


def test_what_nobody_does_here_is_an_empty_listing(hub: Client) -> None:
    for route in ("articles", "collections"):
        assert hub.get(route, limit=3) == {"items": [], "metadata": {}}
    assert hub.get("permissions/check", entityIds="30,4242") == {"30": True, "4242": False}


def test_nothing_found_is_told_in_the_words_of_the_hub(hub: Client) -> None:
    for route in ("models/424242", "model-versions/by-hash/0", f"model-versions/by-hash/{'0' * 64}"):
        status, error = hub.refused(route)
        assert status == 404 and error.startswith("Model not found")


def test_previews_may_be_shown_by_programs_of_this_machine(demo: Client, demo_home: Settings) -> None:
    (image, *_) = demo.get("images", limit=1)["items"]
    assert demo.http.get(image["url"]).headers["cross-origin-resource-policy"] == "same-site"
    assert demo.http.get("/api/v1/enums").headers["cross-origin-resource-policy"] == "same-origin"
