"""A disk that fills up at any stage of indexing: one clear sentence, and the next run finishes."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.errors import CatalogError
from indexer.pipeline import index_folders
from indexer.progress import Silent
from indexer.settings import Settings
from tests.models import write_library


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", disk], capture_output=True)
    if mount.returncode:
        pytest.skip("mounting a small disk is not allowed here")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
@pytest.mark.parametrize("free", [400_000, 700_000, 1_000_000])
def test_a_full_disk_stops_clearly_and_the_next_run_goes_on(
    tmp_path: Path, small_disk: Path, free: int
) -> None:
    folder = write_library(tmp_path / "models", 30)
    settings = Settings(home=small_disk / "home", decode_workers=1)
    left = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(left - free))
    with pytest.raises(CatalogError, match="Free some space") as caught:
        index_folders([folder], settings, Silent())
    assert caught.value.code in (
        "disk_full",
        "disk_io",
        "text_index",
        "prompt_cuts",
        "prompt_makers",
        "home_unwritable",
    )
    ballast.unlink()
    index_folders([folder], settings, Silent())
    again = index_folders([folder], settings, Silent())
    assert [scan.unchanged for scan in again.scans.values()] == [30]
    assert (again.pictures.embedded, again.published) == (0, 0)
