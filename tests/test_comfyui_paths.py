"""``pinakes comfyui-paths``: what it writes, our own reader of ComfyUI's file reads back."""

import json
import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from indexer.catalog.model_folders import ModelFolder
from indexer.domain.comfyui import category_named
from indexer.pipeline import index_folders
from indexer.progress import Silent
from indexer.settings import Settings
from indexer.sources.extra_paths import read_comfyui
from search.comfyui_paths import comfy_paths, sections_of
from search.service import Pinakes
from tests.command import pinakes
from tests.models import write_safetensors


def read_back(text: str, folder: Path) -> dict[str, str]:
    """The folders that our reader finds in a file, with the category of each."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "main.py").touch()
    (folder / "extra_model_paths.yaml").write_text(text, "utf-8")
    library = read_comfyui(os.fsencode(folder), [os.fsencode(path.name) for path in folder.iterdir()])
    assert library is not None
    assert library.problems == ()
    return {os.fsdecode(path): category for path, category in library.promises.items()}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path / "home", decode_workers=1, unstable_seconds=0)
    for place in (
        "comfy/models/loras/flux/a",
        "comfy/models/checkpoints/b",
        "mixed: bag #1/c",
        "a1111/Lora/d",
    ):
        write_safetensors(tmp_path / f"{place}.safetensors", metadata={"from": place})
    (tmp_path / "a1111" / "Stable-diffusion").mkdir()
    index_folders([tmp_path / "comfy", tmp_path / "mixed: bag #1", tmp_path / "a1111"], settings, Silent())
    return settings


def test_what_is_written_is_read_back(settings: Settings, tmp_path: Path) -> None:
    with Pinakes(settings) as library:
        found = comfy_paths(library)
        entries = [library.show(number) for number in range(1, 5)]
    shown = [place for entry in entries if entry for file in entry.files for place in file["places"]]
    promised = read_back(found.to_yaml(), tmp_path / "elsewhere")
    assert promised == {
        str(tmp_path / "comfy/models/loras"): "loras",
        str(tmp_path / "comfy/models/checkpoints"): "checkpoints",
        str(tmp_path / "mixed: bag #1"): "loras",
        str(tmp_path / "a1111/Lora"): "loras",
    }
    assert len(shown) == 4
    for place in shown:
        told = place["comfyui"]
        folders = [folder for folder, category in promised.items() if category == told["category"]]
        assert place["path"] in [f"{folder}/{told['path']}" for folder in folders]


def test_the_command_writes_no_file_over_another(settings: Settings, tmp_path: Path) -> None:
    out = tmp_path / "extra_model_paths.yaml"
    home = ("--home", settings.home)
    shown = pinakes("comfyui-paths", *home).stdout
    assert pinakes("comfyui-paths", "--out", out, *home).stdout == ""
    assert out.read_text("utf-8") == shown
    refused = pinakes("comfyui-paths", "--out", out, *home)
    assert refused.returncode == 2 and "--replace" in refused.stderr
    told = json.loads(pinakes("comfyui-paths", "--out", out, "--replace", "--json", *home).stdout)
    assert [section["name"] for section in told["sections"]] == [
        "pinakes_comfy",
        "pinakes_mixed_bag_1",
        "pinakes_a1111",
    ]


def test_an_empty_catalog_says_what_to_do() -> None:
    assert "pinakes index" in sections_of([]).to_yaml()


NAMES = st.text(st.characters(blacklist_characters="/\x00"), min_size=1, max_size=8).filter(
    lambda name: name not in (".", "..")
)


@given(st.lists(NAMES, min_size=1, max_size=3), st.lists(NAMES | st.just("loras"), max_size=3))
def test_a_folder_of_any_name_is_read_back_or_left_out(above: list[str], below: list[str]) -> None:
    root = "/" + "/".join(above)
    directory = "/".join(below).encode("utf-8", "surrogatepass")
    report = sections_of([ModelFolder(root, "plain", False, directory, "lora")])
    assert bool(report.sections) != bool(report.left_out)
    report.to_yaml().encode()
    for section in report.sections:
        (told,) = yaml.safe_load(report.to_yaml()).values()
        assert told.pop("base_path") == section.root
        (lines,) = told.values()
        (folder,) = lines.strip("\n").split("\n")
        full = os.path.normpath(os.path.join(section.root, folder))
        own = next((n for n, part in enumerate(below, 1) if category_named(part)), 0)
        assert category_named(above[-1]) or full == "/".join((root, *below[:own])) or "models" in root.lower()
