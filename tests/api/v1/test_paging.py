"""Reading a listing to its end: nothing twice, nothing left out, also while models come and go."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.parsers.civitai import parse_item
from indexer.pipeline import writing
from indexer.progress import Silent
from indexer.settings import Settings
from indexer.stages.importing import HubReport, store_page
from indexer.stages.publish import publish_text
from search.api.v1.cursor import AFTER, Cursor, read_cursor
from search.api.v1.errors import HubError
from tests.api.serving import serving
from tests.api.v1.conftest import COUNT, imported
from tests.api.v1.items import model, models
from tests.api.v1.schema import Client

SORTS = ("Highest Rated", "Most Downloaded", "Most Liked", "Newest", "Oldest")


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("limit", [7, 100])
def test_every_model_comes_once(hub: Client, sort: str, limit: int) -> None:
    pages = hub.pages("models", sort=sort, limit=limit, nsfw="true")
    ids = [item["id"] for page in pages for item in page]
    assert len(ids) == len(set(ids)) == COUNT + 20
    assert all(len(page) == limit for page in pages[:-1])


def test_orders_are_those_asked_for(hub: Client) -> None:
    def listed(sort: str) -> list[dict[str, object]]:
        return [item for page in hub.pages("models", sort=sort, limit=50, nsfw="true") for item in page]

    def days(sort: str, best: object) -> list[str]:
        return [best([v["publishedAt"][:10] for v in item["modelVersions"]]) for item in listed(sort)]  # type: ignore[operator,attr-defined]

    assert days("Newest", max) == sorted(days("Newest", max), reverse=True)
    assert days("Oldest", min) == sorted(days("Oldest", min))
    downloads = [
        max(v["stats"]["downloadCount"] for v in item["modelVersions"])  # type: ignore[attr-defined]
        for item in listed("Most Downloaded")
    ]
    assert downloads == sorted(downloads, reverse=True)


@pytest.fixture(scope="module")
def sixty(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return imported(tmp_path_factory.mktemp("sixty"), models(60))


@pytest.mark.parametrize("sort", SORTS)
def test_inserts_in_between_neither_hide_nor_double(sort: str, sixty: Settings, tmp_path: Path) -> None:
    settings = sixty.model_copy(update={"home": tmp_path / "home"})
    shutil.copytree(sixty.home, settings.home)
    with serving(settings) as base:
        client = Client(base)
        seen: list[int] = []
        cursor: dict[str, str] = {}
        fresh = 500
        while True:
            page = client.get("models", sort=sort, limit=10, nsfw="true", **cursor)
            seen += [item["id"] for item in page["items"]]
            if "nextCursor" not in page["metadata"]:
                break
            cursor = {"cursor": page["metadata"]["nextCursor"]}
            store(settings, [model(number) for number in range(fresh, fresh + 5)])
            fresh += 5
        client.http.close()
    assert len(seen) == len(set(seen))
    assert set(range(1, 61)) <= set(seen)


def test_models_that_go_in_between_hide_no_others(tmp_path: Path) -> None:
    settings = imported(tmp_path, [model(number, stats={}) for number in range(1, 61)])
    with serving(settings) as base:
        client = Client(base)
        first = client.get("models", sort="Newest", limit=20, nsfw="true")
        # Those that were read last get another day, so that the place that the cursor names is gone.
        moved = [item["id"] for item in first["items"][-6:]]
        late = "2026-09-09T10:00:00.000Z"
        changed = [model(number) for number in moved]
        for one in changed:
            for version in one["modelVersions"]:
                version["publishedAt"] = late
        store(settings, changed)
        cursor = first["metadata"]["nextCursor"]
        seen = [item["id"] for item in first["items"]]
        while cursor:
            page = client.get("models", sort="Newest", limit=20, nsfw="true", cursor=cursor)
            seen += [item["id"] for item in page["items"]]
            cursor = page["metadata"].get("nextCursor")
        client.http.close()
    assert sorted(seen) == list(range(1, 61))


def store(settings: Settings, items: list[dict[str, object]]) -> None:
    with writing(settings) as catalog:
        with catalog.write() as session:
            store_page(session, [parse_item(item) for item in items], HubReport())
        publish_text(catalog, settings, Silent())


def test_pages_by_number_are_those_of_the_cursor(hub: Client) -> None:
    by_cursor = hub.pages("models", limit=30, nsfw="true")
    by_number = [hub.get("models", limit=30, nsfw="true", page=n + 1)["items"] for n in range(len(by_cursor))]
    assert by_number == by_cursor
    first = hub.get("models", limit=30, nsfw="true", page=2)["metadata"]
    assert (first["totalItems"], first["currentPage"], first["pageSize"], first["totalPages"]) == (
        140,
        2,
        30,
        5,
    )
    following = hub.http.get(first["nextPage"]).json()
    assert following["items"] == by_cursor[2] and following["metadata"]["currentPage"] == 3
    assert hub.http.get(first["prevPage"]).json()["items"] == by_cursor[0]


def test_the_next_page_keeps_what_was_asked(hub: Client) -> None:
    page = hub.get("models", limit=5, types=["LORA", "LoCon"], tag="ink", nsfw="true")
    seen = [item["id"] for item in page["items"]]
    while "nextPage" in page["metadata"]:
        page = hub.http.get(page["metadata"]["nextPage"]).json()
        assert {item["type"] for item in page["items"]} <= {"LORA", "LoCon"}
        seen += [item["id"] for item in page["items"]]
    assert (
        len(seen)
        == len(set(seen))
        == sum(number % 5 in (0, 3) for number in [*range(1, 121), *range(1000, 1020)])
    )


@pytest.mark.parametrize("sort", [None, "Newest", "Oldest", "Most Downloaded"])
def test_words_are_paged_too(hub: Client, sort: str | None) -> None:
    asked = {"sort": sort} if sort else {}
    pages = hub.pages("models", query="ink wash", limit=30, nsfw="true", **asked)
    ids = [item["id"] for page in pages for item in page]
    assert len(ids) == len(set(ids)) == COUNT + 20
    assert hub.get("models", query="Ink Wash 42", limit=1, nsfw="true")["items"][0]["name"] == "Ink Wash 42"


def test_images_are_paged(hub: Client) -> None:
    for sort in ("Newest", "Oldest", "Most Reactions"):
        pages = hub.pages("images", limit=60, sort=sort, nsfw="X")
        ids = [image["id"] for page in pages for image in page]
        assert len(ids) == len(set(ids)) > 300
    assert {image["browsingLevel"] for image in hub.get("images")["items"]} == {1}


@given(st.integers(0, 3), st.floats(0, 1e9), st.integers(0, 2**62), st.integers(0, 10**6))
def test_a_cursor_comes_back(phase: int, value: float, id_: int, skip: int) -> None:
    cursor = Cursor(AFTER, "Newest", phase, value, id_, skip)
    assert read_cursor(cursor.to_text(), "Newest") == cursor
    with pytest.raises(HubError):
        read_cursor(cursor.to_text(), "Oldest")


@given(st.text(max_size=80) | st.binary(max_size=80).map(lambda data: data.hex()))
def test_no_other_text_is_a_cursor(text: str) -> None:
    with pytest.raises(HubError):
        read_cursor(text, "Newest")


@settings(max_examples=40)
@given(st.data())
def test_a_changed_cursor_is_refused(data: st.DataObject) -> None:
    text = Cursor(AFTER, "Newest", 1, 2.5, 77, 3).to_text()
    place = data.draw(st.integers(0, len(text) - 2))  # the last digit has bits that say nothing
    other = data.draw(st.sampled_from("ABCxyz019-_").filter(lambda letter: letter != text[place]))
    with pytest.raises(HubError):
        read_cursor(text[:place] + other + text[place + 1 :], "Newest")
