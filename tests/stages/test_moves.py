"""Moves and renames: known by size, time and inode; nothing is hashed twice, nothing said is lost."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from indexer.catalog.schema import Location, Preview
from indexer.overriding import change_overrides
from indexer.pipeline import index_folders
from indexer.settings import Settings
from tests.models import write_library
from tests.stages.test_layouts import rows
from tests.stages.test_scan import Library


@pytest.fixture
def library(tmp_path: Path, both: Settings) -> Library:
    """Six LoRAs with pictures, hashed in full."""
    found = Library(write_library(tmp_path / "models", 6), both)
    index_folders([found.folder], both, found.watcher, hash_all=True)
    return found


def hashes(library: Library) -> dict[str, str]:
    return {
        os.fsdecode(name): sha
        for name, sha, gone in rows(library.settings, Location.name, Location.sha256, Location.missing_since)
        if gone is None
    }


@pytest.fixture
def no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading any file is a failure."""

    def refuse(found: Any, seconds: float) -> Any:
        raise AssertionError(found.path)

    monkeypatch.setattr("indexer.pipeline.judge", refuse)


def test_a_moved_folder_costs_stats_alone(library: Library, no_reading: None) -> None:
    before, known = hashes(library), {d.name: (d.id, d.preview_id) for d in library.documents()}
    thumbnails = sorted(rows(library.settings, Preview.id, Preview.thumbnail, Preview.status))
    (library.folder / "loras" / "set0").rename(library.folder / "loras" / "deep0")
    (scan,) = library.index().scans.values()
    assert (scan.read, scan.moved, scan.unchanged, scan.missing) == (0, 2, 4, 0)
    assert hashes(library) == before
    assert {d.name: (d.id, d.preview_id) for d in library.documents()} == known
    assert sorted(rows(library.settings, Preview.id, Preview.thumbnail, Preview.status)) == thumbnails
    assert all(os.path.exists(path) for (path,) in rows(library.settings, Preview.location))
    assert library.scan() == (0, 6, 0, 0, 0)


def test_a_file_moved_to_another_root_is_recognised(
    library: Library, tmp_path: Path, no_reading: None
) -> None:
    before = hashes(library)
    other = tmp_path / "other" / "loras"
    other.mkdir(parents=True)
    for path in (library.folder / "loras" / "set1").iterdir():
        path.rename(other / path.name)
    report = index_folders([tmp_path / "other", library.folder], library.settings, library.watcher)
    assert [(s.read, s.moved, s.missing) for s in report.scans.values()] == [(0, 2, 0), (0, 0, 0)]
    assert hashes(library) == before
    assert not any("missing" in d.flags for d in library.documents())
    assert len(rows(library.settings, Location.id)) == 6


def test_a_rename_reads_the_header_and_keeps_hash_and_decisions(library: Library) -> None:
    path = library.folder / "loras" / "set0" / "model000.safetensors"
    change_overrides(str(path), library.settings, library.watcher, {"category": "style"})
    before = hashes(library)["model000.safetensors"]
    known = {d.id for d in library.documents()}
    path.rename(path.with_name("ink.safetensors"))
    path.with_suffix(".png").rename(path.with_name("ink.png"))
    (scan,) = library.index().scans.values()
    assert (scan.read, scan.missing) == (1, 0)
    assert hashes(library)["ink.safetensors"] == before
    assert {d.id for d in library.documents()} == known
    assert [d.category for d in library.documents() if any("ink." in f.path for f in d.files)] == ["style"]
    assert len(rows(library.settings, Location.id)) == 6


def test_a_new_sidecar_keeps_the_hash(library: Library) -> None:
    before = hashes(library)
    path = library.folder / "loras" / "set0" / "model000.safetensors"
    path.with_suffix(".civitai.info").write_text('{"id": 70, "modelId": 7}')
    assert library.scan()[0] == 1
    assert hashes(library) == before


def test_a_hard_link_is_the_same_and_is_not_hashed(library: Library) -> None:
    path = library.folder / "loras" / "set0" / "model000.safetensors"
    os.link(path, library.folder / "twin.safetensors")
    report = library.index()
    assert report.hashed == 0
    assert hashes(library)["twin.safetensors"] == hashes(library)["model000.safetensors"]
    assert len(library.documents()) == 6
    assert not any("duplicate" in d.flags for d in library.documents())


def test_other_bytes_under_the_old_stats_of_another_name_are_read(library: Library) -> None:
    path = library.folder / "loras" / "set0" / "model000.safetensors"
    copy = library.folder / "loras" / "set0" / "copy.safetensors"
    shutil.copy2(path, copy)  # size and time are equal, the inode is not
    path.unlink()
    (scan,) = library.index().scans.values()
    assert (scan.read, scan.moved) == (1, 0)
    assert {d.id for d in library.documents() if "missing" in d.flags} == set()


def test_two_links_to_what_went_away_take_its_place_once(library: Library) -> None:
    path = library.folder / "loras" / "set0" / "model000.safetensors"
    for folder in ("x", "y"):
        (library.folder / folder).mkdir()
        os.link(path, library.folder / folder / path.name)
    path.unlink()
    library.index()
    assert library.scan() == (0, 7, 0, 0, 0)
    assert len({d.id for d in library.documents()}) == 6


def test_files_that_swap_their_names(library: Library) -> None:
    folder = library.folder / "loras" / "set0"
    one, two = folder / "model000.safetensors", folder / "model003.safetensors"
    before = hashes(library)
    one.rename(folder / "aside")
    two.rename(one)
    (folder / "aside").rename(two)
    library.index()
    assert hashes(library)[one.name] == before[two.name]
    assert hashes(library)[two.name] == before[one.name]
    assert not any("missing" in d.flags for d in library.documents())


def test_a_move_into_a_folder_of_another_kind_is_judged_anew(library: Library) -> None:
    (library.folder / "checkpoints").mkdir()
    path = library.folder / "loras" / "set0" / "model000.safetensors"
    path.rename(library.folder / "checkpoints" / path.name)
    assert library.scan()[0] == 1
    assert sum("mislabelled" in d.flags for d in library.documents()) == 1
    assert None not in hashes(library).values()


def test_a_root_that_is_away_does_not_give_its_files_to_a_copy(library: Library, tmp_path: Path) -> None:
    library.folder.rename(tmp_path / "unmounted")
    index_folders([tmp_path / "unmounted"], library.settings, library.watcher)
    assert len(rows(library.settings, Location.id)) == 12
    assert not any("missing" in d.flags for d in library.documents())
