"""Folders that tools are told by environment variables, and Stability Matrix by its settings."""

import json
import os
from pathlib import Path

import pytest

from indexer.domain.vocabulary import read_table
from indexer.errors import UsageError
from indexer.pipeline import index_folders
from indexer.progress import Silent
from indexer.settings import TOOL_VARIABLES, Settings, read_settings
from indexer.sources.environment import environment_folders
from indexer.sources.libraries import survey
from tests.sources.trees import lora, write_text
from tests.stages.test_scan import Library


def test_every_variable_that_is_read_has_a_meaning() -> None:
    assert set(TOOL_VARIABLES) == set(read_table("libraries.toml")["environment"])


def test_variables_name_folders_that_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache" / "hub").mkdir(parents=True)
    (tmp_path / "loras").mkdir()
    for name in TOOL_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("SD_LORADIR", f" {tmp_path}/loras ")
    monkeypatch.setenv("INVOKEAI_ROOT", str(tmp_path / "gone"))
    monkeypatch.setenv("SD_MODELSDIR", "/")
    monkeypatch.setenv("COMFYUI_PATH", "relative")
    found = environment_folders(read_settings(tmp_path / "home").tool_folders)
    assert [(f.path, f.tool, f.category) for f in found] == [
        (tmp_path / "loras", "sdnext", "Lora"),
        (tmp_path / "cache" / "hub", "huggingface", ""),
    ]


def test_they_are_read_when_no_folder_is_named(tmp_path: Path, settings: Settings) -> None:
    lora(tmp_path / "loras" / "ink.safetensors", None)
    lora(tmp_path / "chosen" / "oil.safetensors", None)
    told = settings.model_copy(update={"tool_folders": {"SD_LORADIR": str(tmp_path / "loras")}})
    library = Library(tmp_path / "chosen", told)
    index_folders([library.folder], told, Silent())
    assert [d.name for d in library.documents()] == ["oil"]
    index_folders([], told, Silent())
    assert {d.name for d in library.documents()} == {"oil", "ink"}
    report = index_folders([], settings.model_copy(update={"tool_folders": {}}), Silent())
    assert set(report.scans) == {str(tmp_path / "chosen"), str(tmp_path / "loras")}, "known from then on"


def test_without_any_the_error_says_what_to_do(settings: Settings) -> None:
    with pytest.raises(UsageError, match="pinakes index FOLDER"):
        index_folders([], settings.model_copy(update={"tool_folders": {}}), Silent())


@pytest.mark.parametrize("beside", ["Models", "Packages"])
def test_stability_matrix_with_its_models_elsewhere(tmp_path: Path, beside: str) -> None:
    (tmp_path / "big" / "StableDiffusion").mkdir(parents=True)
    (tmp_path / "Data" / beside).mkdir(parents=True)
    told = {"Version": 1, "ModelDirectoryOverride": str(tmp_path / "big"), "InstalledPackages": []}
    write_text(tmp_path / "Data" / "settings.json", "\ufeff" + json.dumps(told))
    found = survey(tmp_path / "Data")
    assert [(e.path, e.tool) for e in found.elsewhere()] == [(tmp_path / "big", "stability-matrix")]
    assert found.tool_of(os.fsencode(tmp_path / "Data")) == "stability-matrix"


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"ModelDirectoryOverride": null}', '{"ModelDirectoryOverride": 5}']
)
def test_settings_that_name_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "Models").mkdir()
    write_text(tmp_path / "settings.json", text)
    assert survey(tmp_path).libraries == [] and survey(tmp_path).problems == []


def test_settings_that_are_broken_or_lead_nowhere_are_told(tmp_path: Path) -> None:
    (tmp_path / "Models").mkdir()
    for text, fault in (("{", "no valid JSON"), ('{"ModelDirectoryOverride": "/nowhere"}', "is not there")):
        write_text(tmp_path / "settings.json", text)
        assert any(fault in problem for problem in survey(tmp_path).problems)
