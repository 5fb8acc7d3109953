"""What lies several times, as the command, the API and the page tell it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from indexer.pipeline import index_folders
from indexer.progress import Silent
from indexer.settings import Settings
from search.cli import app
from search.duplicates import Duplicates
from search.service import Pinakes
from search.web.health import health_view
from search.web.templating import render
from tests.adapters import dotted, kohya, renamed, save, trained, unet_sizes
from tests.api.serving import serving

INK = trained(1, unet_sizes())


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Four groups: a conversion, equal tensors under another name, a hidden pair, and hard links, which cost nothing."""
    folder = tmp_path_factory.mktemp("library")
    loras = folder / "models" / "loras"
    save(loras / "ink.safetensors", kohya(INK, alpha=4.0), "F32")
    save(loras / "<b>ink</b> converted.safetensors", dotted(renamed(INK)), "F16")
    pose = kohya(trained(2, unet_sizes()))
    save(loras / "pose.safetensors", pose, "F16", {"ss_output_name": "pose"})
    save(loras / "pose again.safetensors", pose, "F16", {"ss_output_name": "pose, renamed"})
    shy = kohya(trained(3, unet_sizes()))
    for name in ("shy", "shy two"):
        save(loras / f"{name}.safetensors", shy, "F16", {"ss_output_name": name})
        info = {"id": len(name), "nsfwLevel": 32, "model": {"name": name, "type": "LORA", "nsfw": True}}
        (loras / f"{name}.civitai.info").write_text(json.dumps(info), "utf-8")
    lone = save(loras / "lone.safetensors", kohya(trained(4, unet_sizes())), "F16")
    os.link(lone, loras / "lone linked.safetensors")
    made = Settings(home=folder / "home", decode_workers=1)
    index_folders([folder / "models"], made, Silent(), hash_all=True)
    return made


@pytest.fixture
def report(settings: Settings) -> Iterator[Duplicates]:
    with Pinakes(settings) as pinakes:
        yield pinakes.duplicates()


def test_groups_are_sorted_by_bytes_and_say_why(report: Duplicates) -> None:
    assert (report.total, report.hidden) == (2, 1)
    conversion, equal = report.groups
    assert (conversion["sort"], equal["sort"]) == ("weights", "tensors")
    assert conversion["files"][0]["keep"] and conversion["files"][0]["paths"][0].endswith("ink.safetensors")
    assert equal["files"][1]["why"] == "the same tensors, other metadata"
    for group in report.groups:
        assert sum(file["keep"] for file in group["files"]) == 1
        assert group["bytes"] == sum(file["size"] for file in group["files"] if not file["keep"])


def test_the_command_tells_it_and_deletes_nothing(settings: Settings) -> None:
    before = sorted((settings.home.parent / "models" / "loras").iterdir())
    home = ["--home", str(settings.home)]
    told = json.loads(CliRunner().invoke(app, ["duplicates", "--json", "--limit", "1", *home]).stdout)
    assert (told["total"], len(told["groups"]), told["offset"]) == (2, 1, 0)
    shown = CliRunner().invoke(app, ["duplicates", *home]).stdout
    assert "Adapters with the same weights" in shown
    assert "the same tensors, other metadata" in shown
    assert "nothing is deleted here" in shown
    assert sorted((settings.home.parent / "models" / "loras").iterdir()) == before


def test_an_empty_library_has_nothing_twice(tmp_path: Path) -> None:
    shown = CliRunner().invoke(app, ["duplicates", "--home", str(tmp_path / "home")]).stdout
    assert "Nothing lies here twice" in shown


def test_the_api_pages_through_it(settings: Settings) -> None:
    with serving(settings) as address, httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
        first = client.get("/api/duplicates", params={"limit": 1}).json()
        second = client.get("/api/duplicates", params={"limit": 1, "offset": 1}).json()
        wrong = client.get("/api/duplicates", params={"limit": 0})
    assert first["total"] == second["total"] == 2
    assert [group["sort"] for page in (first, second) for group in page["groups"]] == ["weights", "tensors"]
    assert wrong.status_code == 400


def test_the_page_of_health_shows_it(settings: Settings) -> None:
    with Pinakes(settings) as pinakes:
        text = render("health.html", **health_view(pinakes))
    section = text.split('id="duplicates"')[1].split('id="refused"')[0]
    assert "the same weights" in section
    assert "&lt;b&gt;ink" in section and "<b>ink" not in section
    assert "shy" not in section
