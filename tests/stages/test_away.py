"""Disks that are not there: nothing is marked missing, whatever they left in their place."""

import os
import shutil
from pathlib import Path

import pytest
from sqlalchemy import update

from indexer.catalog.database import open_catalog
from indexer.catalog.schema import Location, Root
from indexer.settings import Settings
from tests.models import write_library, write_safetensors
from tests.stages.test_layouts import rows
from tests.stages.test_scan import Library


@pytest.fixture
def library(tmp_path: Path, both: Settings) -> Library:
    """Six LoRAs, indexed."""
    found = Library(write_library(tmp_path / "models", 6, pictures=False), both)
    found.index()
    return found


def on_another_device(library: Library, *, root: int | None = None, below: bytes | None = None) -> None:
    """As if the root, or what lay below a folder, had been on another disk when it was seen."""
    catalog = open_catalog(library.settings)
    with catalog.write() as session:
        if root is not None:
            session.execute(update(Root).values(device=root))
        if below is not None:
            session.execute(update(Location).where(Location.directory == below).values(inode="77:1"))
    catalog.close()


def missing(library: Library) -> int:
    return sum("missing" in d.flags for d in library.documents())


def test_an_offline_root_that_is_back_is_online_again(library: Library) -> None:
    library.folder.rename(library.folder.parent / "away")
    library.folder.mkdir()
    library.index()
    assert rows(library.settings, Root.offline_since) != [(None,)]
    library.folder.rmdir()
    (library.folder.parent / "away").rename(library.folder)
    assert library.scan() == (0, 6, 0, 0, 0)
    assert rows(library.settings, Root.offline_since) == [(None,)]


def test_another_disk_in_the_same_place_marks_nothing(library: Library) -> None:
    on_another_device(library, root=77)
    shutil.rmtree(library.folder / "loras")
    write_safetensors(library.folder / "other.safetensors", metadata={"o": "1"})
    (scan,) = library.index().scans.values()
    assert (scan.offline, scan.read, scan.missing, missing(library)) == (True, 1, 0, 0)


def test_another_device_number_alone_means_nothing(library: Library) -> None:
    on_another_device(library, root=77)
    (library.folder / "loras" / "set0" / "model000.safetensors").unlink()
    assert library.scan() == (0, 5, 0, 0, 1)


def test_a_disk_below_the_root_that_is_not_mounted_marks_nothing(library: Library) -> None:
    on_another_device(library, below=b"loras/set0")
    shutil.rmtree(library.folder / "loras" / "set0")
    (library.folder / "loras" / "set0").mkdir()
    assert library.scan() == (0, 4, 0, 0, 0)
    assert missing(library) == 0


def test_an_emptied_folder_on_the_same_disk_is_believed(library: Library) -> None:
    shutil.rmtree(library.folder / "loras" / "set0")
    (library.folder / "loras" / "set0").mkdir()
    assert library.scan() == (0, 4, 0, 0, 2)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_became_unreadable_marks_nothing(library: Library) -> None:
    (library.folder / "loras" / "set0").chmod(0)
    assert library.scan() == (0, 4, 0, 0, 0)
    assert "cannot be read" in library.watcher.notes[-1]
    (library.folder / "loras" / "set0").chmod(0o755)
    library.folder.chmod(0)
    assert library.scan() == (0, 0, 0, 0, 0)
    library.folder.chmod(0o755)
    assert missing(library) == 0
