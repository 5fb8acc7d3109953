"""``pinakes crawl civitai`` and ``pinakes updates`` as a person calls them."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.command import pinakes
from tests.hubs.fake_civitai import FakeCivitai, generated, hash_of, model, release
from tests.models import write_safetensors

KEY = "planted-secret-key"


@pytest.fixture
def hub() -> Iterator[FakeCivitai]:
    with FakeCivitai(generated(120)) as fake:
        yield fake


def crawl(hub: FakeCivitai, home: Path, *more: str, status: int = 0, env: Mapping[str, str] = {}) -> Any:
    quick = {"PINAKES_REQUESTS_PER_SECOND": "1000", **env}
    run = pinakes("crawl", "civitai", "--base-url", hub.url, "--home", home, *more, **quick)
    assert run.returncode == status, run.stderr
    assert KEY not in run.stdout + run.stderr
    return json.loads(run.stdout) if "--json" in more else run.stdout + run.stderr


def test_help_has_examples() -> None:
    for verbs in (("crawl",), ("crawl", "civitai"), ("updates",)):
        assert f"Example: pinakes {' '.join(verbs)}" in pinakes(*verbs, "--help").stdout


def test_a_crawl_is_searchable(hub: FakeCivitai, tmp_path: Path) -> None:
    told = crawl(hub, tmp_path, "--types", "lora", "--base-models", "sdxl 1.0", "--limit", "15", "--json")
    assert (told["state"], told["models"], told["refused"], told["unknown_labels"]) == ("done", 15, 0, {})
    found = pinakes("search", 'type:lora base:"SDXL 1.0"', "--json", "--home", tmp_path)
    assert json.loads(found.stdout)["total"] == 15
    assert "120 models, 120 versions" in crawl(hub, tmp_path)
    told = crawl(hub, tmp_path, "--what", "images", "--ask", "modelVersionId=10", "--ask", "withMeta=true")
    assert "1 items: 1 images, 0 refused" in told
    hub.enums = {"BaseModel": ["SDXL 1.0", "Flux.9 Q"]}
    assert "BaseModel: no table of Pinakes has Flux.9 Q" in crawl(hub, tmp_path, "--what", "enums")


def test_a_refusal_names_the_variables(hub: FakeCivitai, tmp_path: Path) -> None:
    hub.token = KEY
    told = crawl(hub, tmp_path, status=2)
    assert all(name in told for name in ("CIVITAI_API_KEY", "CIVITAI_TOKEN", "CIVITAI_API_TOKEN"))
    assert "wrong-key" not in crawl(hub, tmp_path, status=2, env={"CIVITAI_TOKEN": "wrong-key"})
    for name in ("CIVITAI_API_KEY", "CIVITAI_TOKEN", "CIVITAI_API_TOKEN"):
        assert crawl(hub, tmp_path, "--limit", "5", "--json", env={name: KEY})["models"] == 5


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (("--sort", "best"), "Highest Rated"),
        (("--ids", "1,x"), "'x' is no id"),
        (("--identify", "--refresh"), "Ask one thing"),
        (("--ids", "1", "--tag", "ink"), "Ask one thing"),
        (("--identify", "--what", "images"), "Ask one thing"),
        (("--what", "tags", "--types", "LORA"), "takes no 'types'"),
        (("--base-url", "ftp://h/"), "cannot be used"),
    ],
)
def test_wrong_usage(hub: FakeCivitai, tmp_path: Path, wrong: tuple[str, ...], told: str) -> None:
    assert told in crawl(hub, tmp_path, *wrong, status=2)
    assert hub.server.requests == []


def test_from_a_file_of_mine_to_its_update(hub: FakeCivitai, tmp_path: Path) -> None:
    home = tmp_path / "home"
    mine = write_safetensors(tmp_path / "models" / "mine.safetensors")
    assert pinakes("index", mine.parent, "--hash", "--home", home).returncode == 0
    shown = json.loads(pinakes("show", "mine", "--json", "--home", home).stdout)
    old = release(77)
    old["files"][0]["hashes"]["SHA256"] = shown["files"][0]["sha256"].upper()
    new = release(78, publishedAt="2026-04-01T00:00:00.000Z")
    assert hash_of(77) != shown["files"][0]["sha256"]
    hub.items[7] = model(7, new, old)
    told = crawl(hub, home, "--identify", "--json")
    assert (told["asked"], told["linked"], told["models"]) == (1, 1, 1)
    found = json.loads(pinakes("updates", "--json", "--home", home).stdout)
    assert (found["total"], found["items"][0]["path"]) == (1, str(mine))
    assert [version["version"] for version in found["items"][0]["newer"]] == ["v78"]
    assert "v78 [SDXL 1.0] of 2026-04-01" in pinakes("updates", "--home", home).stdout
    assert crawl(hub, home, "--refresh", "--json")["models"] == 1
    assert crawl(hub, home, "--ids", "8,999", "--json")["absent"] == ["civitai:999"]
