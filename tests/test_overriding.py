"""Overrides from end to end: what is said, who is meant, and that search sees it at once. On both databases."""

import os
from pathlib import Path

import pytest

from indexer.catalog.database import open_catalog
from indexer.catalog.lock import writer_lock
from indexer.errors import CatalogError, UsageError
from indexer.finding import found_exactly
from indexer.overriding import change_overrides, checked_values, list_overrides, read_overrides
from indexer.pipeline import index_folders
from indexer.progress import Silent
from indexer.settings import Settings
from search.service import Pinakes
from tests.models import write_library, write_safetensors


@pytest.fixture
def library(tmp_path: Path, both: Settings) -> Path:
    folder = write_library(tmp_path / "models", 3, pictures=False)
    index_folders([folder], both, Silent())
    return folder


def first(library: Path) -> Path:
    return library / "loras" / "set0" / "model000.safetensors"


def test_search_sees_it_at_once_and_again_when_it_is_withdrawn(library: Path, both: Settings) -> None:
    with Pinakes(both) as pinakes:  # opened before: a running server sees it too
        assert pinakes.search("arch:flux1").total == 0
        told = change_overrides(
            str(first(library)), both, Silent(), {"architecture": "flux1-dev", "kind": "vae"}
        )
        assert (told.changed, told.overrides["kind"]) == (2, "vae")
        assert (told.found["kind"], told.found["architecture"]) == ("lora", "sdxl")
        (hit,) = pinakes.search("arch:flux1 type:vae").hits
        assert hit.document.confidence == 1.0
        told = change_overrides(str(told.id), both, Silent(), {}, ["all"])
        assert (told.overrides, len(told.history)) == ({}, 2)
        assert pinakes.search("arch:flux1").total == 0


def test_it_follows_the_content_when_the_file_moves(library: Path, both: Settings) -> None:
    change_overrides(str(first(library)), both, Silent(), {"name": "Mine"})
    new = library / "elsewhere" / "renamed.safetensors"
    new.parent.mkdir()
    os.rename(first(library), new)
    index_folders([], both, Silent())
    with Pinakes(both) as pinakes:
        assert pinakes.find("Mine").files[0].path == str(new)
    assert read_overrides(str(new), both).overrides == {"name": "Mine"}


@pytest.mark.parametrize("by_what", ["path", "id", "name", "file", "stem", "hash"])
def test_a_model_is_meant_by_what_people_have(library: Path, both: Settings, by_what: str) -> None:
    with Pinakes(both) as pinakes:
        document = pinakes.search('file:"model001"').hits[0].document
        path = document.files[0].path
        names = {
            "path": path,
            "id": str(document.id),
            "name": "Model 1",
            "file": Path(path).name,
            "stem": Path(path).stem,
            "hash": document.hashes[0][:12].upper(),
        }
        assert read_overrides(names[by_what], both).id == document.id
        assert pinakes.find(names[by_what]).id == document.id


def test_what_is_not_clear_is_asked_back(library: Path, both: Settings, tmp_path: Path) -> None:
    other = write_safetensors(tmp_path / "other.safetensors", {"x": [1]})
    broken = library / "broken.safetensors"
    broken.write_bytes(b"<html>")
    os.utime(broken, (1, 1))
    index_folders([library], both, Silent())
    for what, code in (
        ("model", "ambiguous"),
        ("nothing of the kind", "unknown_model"),
        (str(other), "not_indexed"),
        (str(broken), "quarantined"),
        ("odd\0name", "unknown_model"),
        ("x" * 5000, "unknown_model"),
    ):
        with pytest.raises(UsageError) as told:
            change_overrides(what, both, Silent(), {"kind": "vae"})
        assert told.value.code == code, what
    assert list(list_overrides(both)) == []


def test_all_decisions_are_listed(library: Path, both: Settings) -> None:
    for number in (0, 2):
        change_overrides(f"model {number}", both, Silent(), {"category": "style"})
    assert [told.name for told in list_overrides(both)] == ["model 0", "model 2"]


def test_one_writes_at_a_time(library: Path, both: Settings) -> None:
    catalog = open_catalog(both)
    with writer_lock(catalog, both), pytest.raises(CatalogError, match="being written"):
        change_overrides("model 1", both, Silent(), {"kind": "vae"})
    assert found_exactly(catalog, "no path, id or hash") is None
    catalog.close()


@pytest.mark.parametrize(
    ("name", "said", "kept"),
    [
        ("architecture", "SDXL", "sdxl"),
        ("architecture", "Flux.1 D", "flux1-dev"),
        ("kind", "Text Encoder", "text_encoder"),
        ("kind", "Textual inversion", "textual_inversion"),
        ("family", "Illustrious", "illustrious"),
        ("category", "Style", "style"),
        ("name", "  My model ", "My model"),
    ],
)
def test_values_are_taken_as_people_spell_them(name: str, said: str, kept: str) -> None:
    assert checked_values({name: said}) == {name: kept}


@pytest.mark.parametrize(
    ("values", "advice"),
    [
        ({"architecture": "sdxll"}, "Did you mean sdxl"),
        ({"kind": "loras"}, "Did you mean lora"),
        ({"family": "ilustrious"}, "Did you mean illustrious"),
        ({"category": "zzzz"}, "Known are: "),
        ({"name": "  "}, "1 to 300 characters"),
        ({"family": "pony", "architecture": "flux1"}, "pony is a family of sdxl"),
    ],
)
def test_wrong_values_name_what_comes_near(values: dict[str, str], advice: str) -> None:
    with pytest.raises(UsageError, match=advice):
        checked_values(values)
