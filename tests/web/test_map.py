"""The map of the indexed demo library: as the service answers it, in the API, on the page, as a file."""

import json
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest
from playwright.sync_api import expect

from indexer.errors import UsageError
from indexer.pipeline import index_folders
from indexer.progress import Silent
from indexer.settings import Settings
from search.map import StyleMap
from search.service import Pinakes
from search.web.map import map_file, write_map
from tests.api.serving import hostile_home, serving
from tests.command import answer, pinakes
from tests.models import write_library
from tests.web.conftest import Open, Shoot


@pytest.fixture(scope="module")
def library(demo_home: Settings) -> Iterator[Pinakes]:
    with Pinakes(demo_home) as opened:
        yield opened


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
        yield client


def test_every_visible_entry_with_a_preview_lies_on_the_map(library: Pinakes) -> None:
    drawn = library.map()
    seen = {hit.document.id for hit in library.search("has:preview", limit=200, versions=True).hits}
    assert {point.id for point in drawn.points} == seen
    assert drawn.total == len(seen) == sum(cluster.size for cluster in drawn.clusters)
    assert all(0 <= point.x <= 1 and 0 <= point.y <= 1 for point in drawn.points)
    assert [c.size for c in drawn.clusters] == sorted((c.size for c in drawn.clusters), reverse=True)


def test_versions_of_one_style_lie_near_each_other(library: Pinakes) -> None:
    points = library.map().points
    near = []
    for point in points:
        others = [other for other in points if other.id != point.id]
        twins = [other for other in others if other.name == point.name]
        far = sorted(((o.x - point.x) ** 2 + (o.y - point.y) ** 2, o.name) for o in others)
        near += [point.name in {name for _, name in far[:5]}] if twins else []
    assert sum(near) > 0.6 * len(near) > 3


def test_hidden_entries_come_only_when_asked_for(library: Pinakes, demo_home: Settings) -> None:
    hidden = {hit.document.id for hit in library.search("is:adult,real_person has:preview").hits}
    assert hidden and not hidden & {point.id for point in library.map().points}
    assert {point.id for point in library.map("is:adult,real_person").points} == hidden
    with Pinakes(demo_home.model_copy(update={"show_adult": True, "show_people": True})) as open_minded:
        assert hidden <= {point.id for point in open_minded.map().points}


def test_a_cluster_tells_its_words_and_an_example_of_its_own(library: Pinakes) -> None:
    drawn = library.map()
    where = {point.id: point.cluster for point in drawn.points}
    for cluster in drawn.clusters:
        assert 1 <= len(cluster.words) <= 3
        assert where[cluster.example.id] == cluster.id


def test_a_map_is_drawn_once_whoever_asks(demo_home: Settings) -> None:
    with Pinakes(demo_home) as opened:
        maps: list[StyleMap] = []
        threads = [threading.Thread(target=lambda: maps.append(opened.map())) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({id(drawn.points) for drawn in maps}) == 1
    with Pinakes(demo_home) as again:
        assert again.map().points == maps[0].points


def test_the_map_follows_the_library(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", decode_workers=1, unstable_seconds=0)
    with Pinakes(settings) as opened:
        assert opened.map().total == 0
        for count in (3, 5):
            index_folders([write_library(tmp_path / "models", count)], settings, Silent())
            assert opened.map().total == count
        shutil.rmtree(settings.vector_folder)
        assert opened.map().total == 0


def test_an_empty_library_has_an_empty_map(settings: Settings) -> None:
    with Pinakes(settings) as opened:
        assert opened.map().to_json()["points"] == []
    with serving(settings) as address:
        text = httpx.get(address + "/map", timeout=60, trust_env=False).text
    assert "No picture is indexed yet" in text and "<canvas" not in text
    run = pinakes("map", "--home", settings.home)
    assert run.returncode == 0 and "No picture is indexed yet" in run.stdout


def test_the_api_tells_the_map(client: httpx.Client) -> None:
    told = client.get("/api/map").json()
    assert set(told) == {"points", "clusters", "total", "generation", "took_ms"}
    assert set(told["points"][0]) == {"id", "x", "y", "cluster", "name", "preview", "nsfw_level"}
    assert set(told["clusters"][0]) == {"id", "x", "y", "size", "words", "example"}
    fewer = client.get("/api/map", params={"type": "lora"}).json()
    assert 0 < fewer["total"] < told["total"]
    assert client.get("/api/map", params={"q": "rank:abc"}).status_code == 400
    assert client.get("/map", params={"q": "rank:abc"}).status_code == 400


def test_the_page_lists_the_neighbourhoods_without_script(client: httpx.Client, library: Pinakes) -> None:
    text = client.get("/map").text
    for cluster in library.map().clusters:
        assert cluster.title in text
        assert f"/model/{cluster.example.id}" in text
    assert "Nothing that matches" in client.get("/map", params={"q": "zzzzqqq"}).text


def test_the_map_as_files(library: Pinakes, tmp_path: Path) -> None:
    drawn = library.map()
    write_map(library, drawn, tmp_path / "map.html")
    text = (tmp_path / "map.html").read_text("utf-8")
    assert not re.search(r"""(?:src|href)=["'](?!data:)""", text)
    data = re.search(r'id="map-data">(.*?)</script>', text, re.S)
    assert data and len(json.loads(data[1])["points"]) == drawn.total
    circles = ElementTree.fromstring(map_file(library, drawn, ".svg")).iter(
        "{http://www.w3.org/2000/svg}circle"
    )
    assert len(list(circles)) == drawn.total
    with pytest.raises(UsageError, match=r"\.html or \.svg"):
        write_map(library, drawn, tmp_path / "map.png")
    with pytest.raises(UsageError, match="cannot be written"):
        write_map(library, drawn, tmp_path / "absent" / "map.svg")


def test_the_command(demo_home: Settings, tmp_path: Path) -> None:
    told = answer("map", "type:lora", "--home", demo_home.home, "--out", tmp_path / "map.svg")
    assert told["total"] == len(told["points"]) and (tmp_path / "map.svg").stat().st_size
    run = pinakes("map", "--home", demo_home.home)
    assert "neighbourhood" in run.stdout and told["clusters"][0]["words"]


@pytest.mark.browser
def test_a_person_walks_about_the_map(visit: Open, shoot: Shoot) -> None:
    page = visit("/map")
    page.wait_for_selector("#map[data-ready]")
    shoot(page, "map-light")
    page.focus("#map-canvas")
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#map-caption")).to_contain_text(", ")
    page.locator("[data-cluster]").nth(1).click()
    page.focus("#map-canvas")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    page.wait_for_url("**/model/*")


@pytest.mark.browser
def test_a_pointer_finds_and_opens_a_model(visit: Open, client: httpx.Client) -> None:
    page = visit("/map", dark=True)
    page.wait_for_selector("#map[data-ready]")
    box = page.locator("#map-canvas").bounding_box()
    assert box
    point = client.get("/api/map").json()["points"][0]
    side = 0.86 * min(box["width"], box["height"])
    at = (
        box["x"] + box["width"] / 2 + (point["x"] - 0.5) * side,
        box["y"] + box["height"] / 2 + (point["y"] - 0.5) * side,
    )
    page.mouse.move(*at)
    expect(page.locator("#map-caption")).to_contain_text(point["name"])
    page.mouse.click(*at)
    page.wait_for_url(f"**/model/{point['id']}")


@pytest.mark.browser
def test_the_map_fits_a_narrow_window(visit: Open, shoot: Shoot) -> None:
    page = visit("/map", width=360, height=740, dark=True)
    page.wait_for_selector("#map[data-ready]")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    shoot(page, "map-narrow")


@pytest.mark.browser
def test_the_file_works_from_the_disk(visit: Open, library: Pinakes, tmp_path: Path) -> None:
    write_map(library, library.map(), tmp_path / "map.html")
    page = visit((tmp_path / "map.html").as_uri(), base="")
    page.wait_for_selector("#map[data-ready]")
    expect(page.locator(".map-list li")).to_have_count(len(library.map().clusters))


@pytest.mark.browser
def test_hostile_names_stay_names(visit: Open, tmp_path: Path) -> None:
    settings = hostile_home(tmp_path)
    with serving(settings) as address:
        page = visit("/map", base=address)
        page.wait_for_selector("#map[data-ready]")
        assert page.locator(".map-list li").count() > 1
        page.close()
    with Pinakes(settings) as opened:
        drawn = opened.map()
        ElementTree.fromstring(map_file(opened, drawn, ".svg"))
        write_map(opened, drawn, tmp_path / "hostile.html")
    page = visit((tmp_path / "hostile.html").as_uri(), base="")
    page.wait_for_selector("#map[data-ready]")
    assert page.locator("script").count() == 2
