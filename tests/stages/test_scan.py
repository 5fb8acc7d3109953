"""Indexing folders, run after run: what is new, changed, moved, broken, away or back."""

import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from indexer.catalog.changes import last_number
from indexer.catalog.database import open_catalog
from indexer.catalog.details import library_counts, quarantined
from indexer.catalog.entries import changed_entries
from indexer.domain.records import Document
from indexer.errors import UsageError
from indexer.pipeline import IndexReport, index_folders
from indexer.progress import Silent
from indexer.reading import judge
from indexer.settings import Settings
from tests.bundles import write_pipeline, write_sharded
from tests.models import copy_with_holes, lora_tensors, write_library, write_picture, write_safetensors


class Library:
    """A folder and its catalog."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self.settings = settings
        self.watcher = Silent()

    def index(self, *folders: Path) -> IndexReport:
        return index_folders(list(folders) or [self.folder], self.settings, self.watcher)

    def scan(self) -> tuple[int, int, int, int, int]:
        (scan,) = self.index().scans.values()
        return scan.read, scan.unchanged, scan.quarantined, scan.postponed, scan.missing

    def look(self) -> tuple[list[Document], dict[str, Any], list[dict[str, Any]], int]:
        catalog = open_catalog(self.settings)
        with catalog.read() as session:
            documents = [d for _, _, d in changed_entries(session, 0, 10_000) if d is not None]
            found = sorted(documents, key=lambda d: d.name), library_counts(session), quarantined(session)
            number = last_number(session, "change")
        catalog.close()
        return *found, number

    def documents(self) -> list[Document]:
        return self.look()[0]

    def problems(self) -> dict[str, str]:
        return {row["path"].rsplit("/", 1)[1]: row["code"] for row in self.look()[2]}


@pytest.fixture
def library(tmp_path: Path, both: Settings) -> Library:
    return Library(write_library(tmp_path / "models", 6), both)


def test_a_second_run_reads_and_writes_nothing(library: Library) -> None:
    assert library.scan() == (6, 0, 0, 0, 0)
    before = {path: path.stat().st_mtime_ns for path in library.settings.home.rglob("*") if path.is_file()}
    number = library.look()[3]
    report = library.index()
    assert [s.read + s.quarantined for s in report.scans.values()] == [0]
    assert (report.pictures.embedded, report.published, report.vectors) == (0, 0, 0)
    assert library.look()[3] == number
    after = {path: path.stat().st_mtime_ns for path in library.settings.home.rglob("*") if path.is_file()}
    changed = {p.name for p in before.keys() | after.keys() if before.get(p) != after.get(p)}
    assert changed <= {"catalog.sqlite3-shm", "catalog.sqlite3-wal", "writer.lock", ".tantivy-meta.lock"}


def test_files_are_identified_and_their_pictures_seen(library: Library) -> None:
    library.index()
    documents, counts, _, _ = library.look()
    assert {(d.kind, d.architecture) for d in documents} == {("lora", "sdxl")}
    assert counts["previews"] == {"ok": 6}
    assert all("preview" in d.has and d.preview_id for d in documents)


def test_nothing_is_written_into_the_model_folder(library: Library) -> None:
    before = {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in library.folder.rglob("*")}
    library.index()
    assert {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in library.folder.rglob("*")} == before


def test_a_moved_file_stays_the_same_entry(library: Library) -> None:
    library.index()
    before = {d.name: d.id for d in library.documents()}
    (library.folder / "loras" / "set0").rename(library.folder / "loras" / "elsewhere")
    library.index()
    assert {d.name: d.id for d in library.documents()} == before
    assert not any("missing" in d.flags for d in library.documents())


def test_a_new_sidecar_or_picture_is_noticed(library: Library) -> None:
    library.index()
    stem = library.folder / "loras" / "set0" / "model000"
    stem.with_suffix(".civitai.info").write_text('{"id": 70, "modelId": 7, "model": {"name": "Known"}}')
    write_picture(stem.with_suffix(".1.png"), (1, 2, 3))
    assert library.scan()[:2] == (1, 5)
    known = [d for d in library.documents() if d.name == "Known"]
    assert [s.id for s in known[0].sources if s.source == "civitai"] == ["70"]


def test_deleted_files_are_marked_and_come_back(library: Library) -> None:
    library.index()
    path = library.folder / "loras" / "set1" / "model001.safetensors"
    kept = path.read_bytes() if path.stat().st_size < 10**6 else b""
    aside = library.folder.parent / "aside"
    shutil.move(path, aside)
    assert library.scan()[4] == 1
    assert sum("missing" in d.flags for d in library.documents()) == 1
    shutil.move(aside, path)
    library.index()
    assert not any("missing" in d.flags for d in library.documents())
    assert kept == path.read_bytes()[: len(kept)]


def test_an_emptied_root_is_taken_for_an_unmounted_disk(library: Library) -> None:
    library.index()
    away = library.folder.parent / "unmounted"
    library.folder.rename(away)
    library.folder.mkdir()
    report = library.index()
    assert [s.offline for s in report.scans.values()] == [True]
    assert "unmounted disk" in library.watcher.notes[-1]
    assert not any("missing" in d.flags for d in library.documents())
    library.folder.rmdir()
    away.rename(library.folder)
    assert library.scan() == (0, 6, 0, 0, 0)


def test_without_folders_all_known_ones_are_indexed_and_absent_ones_told(library: Library) -> None:
    library.index()
    shutil.rmtree(library.folder)
    report = index_folders([], library.settings, library.watcher)
    assert report.scans == {}
    assert "Is its disk mounted?" in library.watcher.notes[-1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "There is no folder"),
        (lambda path: path.write_text("x"), "is a file"),
    ],
)
def test_wrong_folders(tmp_path: Path, settings: Settings, make: Any, message: str) -> None:
    make(tmp_path / "what")
    with pytest.raises(UsageError, match=message):
        index_folders([tmp_path / "what"], settings, Silent())


def test_no_folder_at_all(settings: Settings) -> None:
    with pytest.raises(UsageError, match="Name one: pinakes index FOLDER"):
        index_folders([], settings, Silent())


def test_bad_files_are_quarantined_and_their_neighbours_unharmed(library: Library) -> None:
    folder = library.folder / "loras" / "set0"
    broken = write_safetensors(folder / "a_cut.safetensors")
    os.truncate(broken, broken.stat().st_size - 2)
    os.utime(broken, (1, 1))
    (folder / "z_html.safetensors").write_text("<!DOCTYPE html><html>Log in</html>" * 9)
    os.utime(folder / "z_html.safetensors", (1, 1))
    os.mkfifo(folder / "pipe.safetensors")
    assert library.scan() == (6, 0, 3, 0, 0)
    assert library.problems() == {
        "a_cut.safetensors": "data_truncated",
        "z_html.safetensors": "not_a_model:html",
        "pipe.safetensors": "not_regular_file",
    }
    assert library.scan() == (0, 9, 0, 0, 0), "quarantined files are not read again until they change"


def test_a_file_still_being_downloaded_is_put_off(library: Library) -> None:
    part = write_safetensors(library.folder / "loras" / "new.safetensors", metadata={"name": "late"})
    whole = part.stat().st_size
    os.truncate(part, whole - 100)
    assert library.scan() == (6, 0, 0, 1, 0)
    assert library.problems() == {"new.safetensors": "unstable"}
    os.truncate(part, whole)
    os.utime(part, (1, 1))
    assert library.scan() == (1, 6, 0, 0, 0)
    assert library.problems() == {}


def test_a_file_that_vanishes_mid_scan_is_put_off(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    victim = library.folder / "loras" / "set0" / "model003.safetensors"
    real = judge

    def vanish(found: Any, seconds: float) -> Any:
        victim.unlink(missing_ok=True)
        return real(found, seconds)

    monkeypatch.setattr("indexer.pipeline.judge", vanish)
    assert library.scan() == (5, 0, 0, 1, 0)
    assert library.problems() == {"model003.safetensors": "io"}


def test_a_fault_of_ours_in_one_file_is_recorded_and_the_rest_goes_on(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = judge

    def fail(found: Any, seconds: float) -> Any:
        if b"model003" in found.path:
            raise ZeroDivisionError("oops")
        return real(found, seconds)

    monkeypatch.setattr("indexer.pipeline.judge", fail)
    assert library.scan() == (5, 0, 1, 0, 0)
    assert library.problems() == {"model003.safetensors": "internal"}


def test_odd_names_reach_the_catalog(tmp_path: Path, settings: Settings) -> None:
    folder = tmp_path / "odd"
    for place, name in enumerate((b"new\nline", b"bad\xff\xfe", "☕️ émoji".encode())):
        path = write_safetensors(tmp_path / f"{place}.safetensors", metadata={"n": str(place)})
        folder.mkdir(exist_ok=True)
        os.rename(path, os.path.join(os.fsencode(folder), name + b".safetensors"))
    library = Library(folder, settings)
    assert library.scan() == (3, 0, 0, 0, 0)
    assert {d.name for d in library.documents()} == {"new\nline", "bad\ufffd\ufffd", "☕️ émoji"}
    assert library.scan() == (0, 3, 0, 0, 0)


def test_a_symlinked_root_and_the_real_one_are_the_same(library: Library, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(library.folder)
    library.index()
    (scan,) = library.index(tmp_path / "link").scans.values()
    assert (scan.read, scan.unchanged) == (0, 6)


def test_copies_are_hashed_and_flagged(library: Library) -> None:
    source = library.folder / "loras" / "set0" / "model000.safetensors"
    shutil.copy(source, library.folder / "copy.safetensors")
    assert library.index().hashed == 2
    copied = [d for d in library.documents() if "duplicate" in d.flags]
    assert len(copied) == 1 and len(copied[0].files) == 2
    assert all(f.sha256 for f in copied[0].files)


def test_a_home_inside_the_library_is_not_indexed(tmp_path: Path) -> None:
    folder = write_library(tmp_path / "models", 2)
    settings = Settings(home=folder / ".pinakes", decode_workers=1)
    library = Library(folder, settings)
    library.index()
    write_safetensors(settings.home / "stray.safetensors", metadata={"s": "1"})
    assert library.scan()[:2] == (0, 2)


def test_progress_is_quick_to_stop(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C between files leaves what was stored; the next run finishes."""
    real = judge
    calls: list[float] = []

    def interrupt(found: Any, seconds: float) -> Any:
        calls.append(time.monotonic())
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(found, seconds)

    settings = library.settings.model_copy(update={"batch_size": 2})
    library.settings = settings
    monkeypatch.setattr("indexer.pipeline.judge", interrupt)
    with pytest.raises(KeyboardInterrupt):
        library.index()
    assert len(library.documents()) == 2
    monkeypatch.setattr("indexer.pipeline.judge", real)
    assert library.scan() == (4, 2, 0, 0, 0)


@pytest.fixture
def bundled(tmp_path: Path, both: Settings) -> Library:
    """A pipeline and a sharded model, each several files, and nothing else."""
    write_pipeline(tmp_path / "models" / "dreamer")
    write_sharded(tmp_path / "models" / "loras", lora_tensors(), stem="style")
    return Library(tmp_path / "models", both)


def test_bundles_are_one_entry_each_and_cost_nothing_the_second_time(bundled: Library) -> None:
    write_picture(bundled.folder / "dreamer" / "preview.png")
    assert bundled.scan() == (2, 0, 0, 0, 0)
    assert {(d.name, d.kind, d.architecture) for d in bundled.documents()} == {
        ("dreamer", "checkpoint", "sdxl"),
        ("style", "lora", "sdxl"),
    }
    assert sum("preview" in d.has for d in bundled.documents()) == 1
    number = bundled.look()[3]
    assert bundled.scan() == (0, 2, 0, 0, 0)
    assert bundled.look()[3] == number


def test_a_moved_pipeline_stays_the_same_entry(bundled: Library) -> None:
    bundled.index()
    before = {d.kind: d.id for d in bundled.documents()}
    (bundled.folder / "dreamer").rename(bundled.folder / "loras" / "renamed")
    bundled.index()
    assert {d.kind: d.id for d in bundled.documents()} == before
    assert {d.name for d in bundled.documents()} == {"renamed", "style"}
    assert not any("missing" in d.flags for d in bundled.documents())


def test_a_shard_that_goes_is_a_problem_of_its_model_alone(bundled: Library) -> None:
    bundled.index()
    lost = bundled.folder / "loras" / "style-00002-of-00003.safetensors"
    lost.rename(bundled.folder.parent / "aside")
    assert bundled.scan() == (0, 1, 1, 0, 0)
    assert bundled.problems() == {"style.safetensors.index.json": "shard_missing"}
    assert [d.name for d in bundled.documents() if "local" in d.flags] == ["dreamer"]
    (bundled.folder.parent / "aside").rename(lost)
    assert bundled.scan() == (1, 1, 0, 0, 0)
    assert bundled.problems() == {}
    assert {d.name for d in bundled.documents() if "local" in d.flags} == {"dreamer", "style"}


def test_a_component_that_changes_is_noticed(bundled: Library) -> None:
    bundled.index()
    scheduler = bundled.folder / "dreamer" / "scheduler" / "scheduler_config.json"
    scheduler.write_text('{"prediction_type": "epsilon"}')
    assert bundled.scan() == (1, 1, 0, 0, 0)


def test_copies_of_bundles_are_flagged_and_never_hashed(bundled: Library) -> None:
    shutil.copytree(bundled.folder / "dreamer", bundled.folder / "again", copy_function=copy_with_holes)
    report = index_folders([bundled.folder], bundled.settings, bundled.watcher, hash_all=True)
    assert report.hashed == 0
    (copied,) = [d for d in bundled.documents() if "duplicate" in d.flags]
    assert [file.sha256 for file in copied.files] == [None, None]
