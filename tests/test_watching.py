"""``index --watch``: what happens on disk is in the catalog and the indexes seconds later."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexer.catalog.database import open_catalog
from indexer.catalog.lock import writer_lock
from indexer.indexes.text import TextQuery
from indexer.indexes.text_tantivy import TantivyIndex
from indexer.pipeline import IndexReport
from indexer.progress import Silent
from indexer.settings import Settings
from indexer.sources.touched import Touched
from indexer.stages.scan import ScanReport
from indexer.watching import watch_folders
from tests.clocks import PATIENCE, patiently
from tests.models import write_library, write_picture, write_safetensors
from tests.sources.trees import lora, write_text
from tests.stages.test_scan import Library


class Watch:
    """A library under watch in a thread of its own."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.progress = Silent()
        self.reports: list[IndexReport] = []
        self.stop = threading.Event()
        self.fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            settings, folder = self.library.settings, self.library.folder
            watch_folders([folder], settings, self.progress, self.reports.append, stop=self.stop)
        except BaseException as error:
            self.fault = error
            raise

    def __enter__(self) -> "Watch":
        self._thread.start()
        self.until(lambda: any("Watching" in note for note in self.progress.notes))
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self._thread.join(PATIENCE)
        assert self.fault is None and not self._thread.is_alive()

    def until(self, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not holds():
            if self.fault is not None:
                raise AssertionError("the watch failed") from self.fault
            assert time.monotonic() < end, (self.reports[1:], self.progress.notes)
            time.sleep(0.1)

    def scans(self) -> list[ScanReport]:
        """What was seen in the folder, each time that it was looked through."""
        return [report.scans[str(self.library.folder)] for report in self.reports]

    def names(self) -> set[str]:
        """What is there, by name."""
        return {d.name for d in self.library.documents() if "missing" not in d.flags}


@pytest.fixture
def watch(tmp_path: Path, settings: Settings) -> Iterator[Watch]:
    # Longer than a busy machine holds up whoever writes a file in pieces.
    fast = settings.model_copy(update={"unstable_seconds": 6.0})
    with Watch(Library(write_library(tmp_path / "models", 3, pictures=False), fast)) as started:
        yield started


def test_new_changed_moved_and_deleted_files(watch: Watch) -> None:
    folder = watch.library.folder / "loras"
    lora(folder / "first.safetensors", None)
    watch.until(lambda: "first" in watch.names())
    lora(folder / "ink.safetensors", None)
    watch.until(lambda: "ink" in watch.names())
    text = watch.library.settings.text_folder
    watch.until(lambda: TantivyIndex(text).search(TextQuery(()), 10).total == 5)
    # Other folders are left alone: of all that was there, only the first is seen again.
    watch.until(lambda: any((scan.read, scan.unchanged) == (1, 1) for scan in watch.scans()))
    write_picture(folder / "ink.png")
    watch.until(lambda: any("preview" in d.has for d in watch.library.documents()))
    write_text(folder / "ink.civitai.info", '{"id": 70, "modelId": 7, "model": {"name": "Known"}}')
    watch.until(lambda: "Known" in watch.names())
    (folder / "set0").rename(folder / "set9")
    watch.until(lambda: any(scan.moved == 1 for scan in watch.scans()))
    shutil.rmtree(folder / "set1")
    watch.until(lambda: len(watch.names()) == 4)
    assert sum("missing" in d.flags for d in watch.library.documents()) == 1


def test_a_file_that_grows_is_left_until_it_is_whole(watch: Watch) -> None:
    whole = write_safetensors(watch.library.folder.parent / "aside", metadata={"g": "1"}).read_bytes()
    path = watch.library.folder / "loras" / "grown.safetensors"
    with path.open("wb") as file:
        for start in range(0, len(whole), len(whole) // 6 + 1):
            file.write(whole[start : start + len(whole) // 6 + 1])
            file.flush()
            time.sleep(0.4)
    watch.until(lambda: "grown" in watch.names())
    assert not any(s.quarantined for r in watch.reports for s in r.scans.values())


def test_a_download_that_stalls_is_looked_at_again(watch: Watch) -> None:
    path = write_safetensors(watch.library.folder.parent / "slow.part", metadata={"s": "1"})
    data = path.read_bytes()
    target = watch.library.folder / "slow.safetensors"
    target.write_bytes(data[:-100])
    watch.until(lambda: any(s.postponed for r in watch.reports for s in r.scans.values()))
    with target.open("ab") as file:
        file.write(data[-100:])
    watch.until(lambda: "slow" in watch.names())


def test_a_new_folder_with_everything_in_it(watch: Watch) -> None:
    aside = write_library(watch.library.folder.parent / "aside", 9, pictures=False)
    for place, path in enumerate(sorted(aside.rglob("*.safetensors"))):
        write_safetensors(path, metadata={"new": str(place)})
    shutil.move(aside, watch.library.folder / "late")
    watch.until(lambda: len(watch.library.documents()) == 12)


def test_linked_folders_are_watched_where_they_lead(watch: Watch, tmp_path: Path) -> None:
    lora(tmp_path / "far" / "one.safetensors", None)
    (watch.library.folder / "near").symlink_to(tmp_path / "far")
    watch.until(lambda: "one" in watch.names())
    watch.until(lambda: any(str(tmp_path / "far") in note for note in watch.progress.notes))
    lora(tmp_path / "far" / "two.safetensors", None)
    watch.until(lambda: "two" in watch.names())
    (document,) = (d for d in watch.library.documents() if d.name == "two")
    assert document.files[0].path == str(watch.library.folder / "near" / "two.safetensors")


def test_a_root_that_goes_and_comes_back(watch: Watch) -> None:
    folder = watch.library.folder
    folder.rename(folder.parent / "away")
    time.sleep(3)
    lora(folder.parent / "away" / "meanwhile.safetensors", None)
    (folder.parent / "away").rename(folder)
    watch.until(lambda: "meanwhile" in watch.names())
    assert not any("missing" in d.flags for d in watch.library.documents())
    lora(folder / "after.safetensors", None)
    watch.until(lambda: "after" in watch.names())


def test_the_right_to_write_is_free_in_between_and_waited_for(watch: Watch) -> None:
    settings = watch.library.settings
    catalog = open_catalog(settings)
    with writer_lock(catalog, settings):
        lora(watch.library.folder / "ink.safetensors", None)
        watch.until(lambda: any("wait until then" in note for note in watch.progress.notes))
        assert "ink" not in watch.names()
    catalog.close()
    watch.until(lambda: "ink" in watch.names())


def test_folders_named_by_a_configuration_are_picked_up(watch: Watch, tmp_path: Path) -> None:
    lora(tmp_path / "outside" / "oil.safetensors", None)
    (watch.library.folder / "models").mkdir()
    write_text(watch.library.folder / "extra_model_paths.yaml", f"a:\n  loras: {tmp_path}/outside\n")
    watch.until(lambda: "oil" in watch.names())
    lora(tmp_path / "outside" / "water.safetensors", None)
    watch.until(lambda: "water" in watch.names())


def test_ctrl_c_ends_it_and_other_commands_run_meanwhile(tmp_path: Path) -> None:
    folder, home = write_library(tmp_path / "models", 2, pictures=False), tmp_path / "home"
    command = [sys.executable, "-m", "search", "index", str(folder), "--home", str(home)]
    with subprocess.Popen([*command, "--watch"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert process.stderr is not None
            assert b"Watching" in process.stderr.readline()
            # It looks through the folder once more; then the right to write is free.
            patiently(lambda: subprocess.run(command, capture_output=True).returncode == 0)
            process.send_signal(signal.SIGINT)
            told = process.stderr.read()
            assert process.wait(PATIENCE) == 130
        finally:
            process.kill()
    assert b"Traceback" not in told and b"Stopped" in told


def test_what_is_no_part_of_a_model_is_passed_over(tmp_path: Path) -> None:
    touched = Touched()
    for name in ("a.tmp", "b.db", ".hidden.safetensors"):
        touched.add(tmp_path, os.fsencode(write_text(tmp_path / name, "")), 0.0)
    assert not touched.due(99.0)
    touched.add(tmp_path, os.fsencode(write_text(tmp_path / "x" / "m.png", "")), 0.0)
    assert not touched.due(0.5) and touched.due(1.5)
    assert touched.writing(0.5) == {os.fsencode(tmp_path / "x" / "m.png")}
    starts = [(s.directory, s.deep) for s in touched.take(1.5)[tmp_path]]
    assert starts == [(os.fsencode(tmp_path), False), (os.fsencode(tmp_path / "x"), False)]
    assert not touched.due(99.0)
