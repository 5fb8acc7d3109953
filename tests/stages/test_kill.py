"""``kill -9`` at random moments of indexing: the next run finishes, with nothing lost or doubled."""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from indexer.catalog.database import open_catalog
from indexer.catalog.entries import changed_entries
from indexer.catalog.schema import File, Location, Preview, Vector
from indexer.indexes.text import TextQuery
from indexer.indexes.text_tantivy import TantivyIndex
from indexer.indexes.vectors import saved_generation
from indexer.pipeline import index_folders
from indexer.progress import Silent
from indexer.settings import Settings
from tests.models import write_library

FILES = 24
KILLS = 20


def start(folder: Path, home: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "search", "index", str(folder), "--home", str(home)]
    few = {"PINAKES_BATCH_SIZE": "5", "PINAKES_DECODE_WORKERS": "1"}
    return subprocess.Popen(
        command, env=os.environ | few, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def contents(settings: Settings) -> dict[str, Any]:
    """All that must be equal however the library got there."""
    catalog = open_catalog(settings)
    with catalog.read() as session:
        documents = [d for _, _, d in changed_entries(session, 0, 10_000) if d is not None]
        counts = {
            table.__tablename__: session.scalar(select(func.count()).select_from(table))
            for table in (File, Location, Preview, Vector)
        }
        statuses = Counter(session.scalars(select(Preview.status)))
        check = session.connection().exec_driver_sql("PRAGMA integrity_check").scalar()
    text = TantivyIndex(settings.text_folder).search(TextQuery(()), 1_000)
    catalog.close()
    return {
        "names": sorted((d.name, d.kind, d.architecture, d.has) for d in documents),
        "rows": counts,
        "previews": statuses,
        "searchable": (text.total, len(set(text.ids))),
        "vectors": saved_generation(settings.vector_folder / "style") > 0,
        "integrity": check,
    }


@pytest.mark.timeout(1_800)
def test_twenty_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    folder = write_library(tmp_path / "models", FILES)
    calm = Settings(home=tmp_path / "calm", decode_workers=1)
    began = time.monotonic()
    assert start(folder, calm.home).wait() == 0
    whole = time.monotonic() - began
    wanted = contents(calm)
    assert wanted["rows"]["location"] == FILES

    source = random.Random(20)
    killed = 0
    for attempt in range(100):
        rough = Settings(home=tmp_path / f"rough{attempt}", decode_workers=1)
        while killed < KILLS:
            run = start(folder, rough.home)
            began = time.monotonic()
            try:
                run.wait(source.uniform(0.2 * whole, whole))
                whole = time.monotonic() - began  # the machine may have become faster
                break
            except subprocess.TimeoutExpired:
                run.kill()
                run.wait()
                killed += 1
        index_folders([folder], rough, Silent())
        assert contents(rough) == wanted
        if killed >= KILLS:
            return
    raise AssertionError(f"only {killed} runs were caught alive")
