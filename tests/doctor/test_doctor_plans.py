"""What move plans compare is looked at too: damage is found out and mended."""

import json
import shutil
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from indexer.catalog import changes, entries
from indexer.catalog.database import open_catalog
from indexer.domain.health import Finding
from indexer.indexes.gist import GistWriter, open_gists
from indexer.indexes.gist_health import look_at_gists
from indexer.settings import Settings
from tests.doctor.homes import COUNT, indexed, look, repair


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home whose few entries were noted all the same, as those of a large library are."""
    place = tmp_path_factory.mktemp("plans")
    settings = indexed(place / "models", Settings(home=place / "home", decode_workers=1))
    with closing(open_catalog(settings)) as catalog:
        with catalog.read() as session:
            page = entries.changed_entries(session, 0)
        writer = GistWriter(settings.gist_folder)
        writer.put([(id_, document) for _, id_, document in page], page[-1][0])
        with catalog.write() as session:
            changes.write_watermark(session, "gist", writer.seq, {"generation": writer.generation})
    return settings


@pytest.fixture
def home(kept: Settings, tmp_path: Path) -> Settings:
    shutil.copytree(kept.home, tmp_path / "home")
    return Settings(home=tmp_path / "home", decode_workers=1)


def found(settings: Settings) -> Finding:
    return next(finding for finding in look(settings).findings if finding.check == "plan index")


def column(settings: Settings, name: str) -> Path:
    (segment,) = open_gists(settings.gist_folder)[0].segments
    return settings.gist_folder / segment.name / name


def test_a_sound_one(home: Settings) -> None:
    state = look_at_gists(home.gist_folder)
    assert (state.rows, state.faults) == (COUNT, ())
    assert found(home).state == "ok"


def test_a_small_library_needs_none(home: Settings) -> None:
    shutil.rmtree(home.gist_folder)
    assert found(home).state == "ok"


@pytest.mark.parametrize("name", ["ids", "rows", "called", "segment.json"])
def test_what_is_cut_short_or_gone(home: Settings, name: str) -> None:
    path = column(home, name)
    path.write_bytes(path.read_bytes()[:-4])
    assert found(home).state == "fault"
    path.unlink()
    assert found(home).state == "fault"


@pytest.mark.parametrize("name", ["rows", "kinds", "words", "starts", "called_starts"])
def test_numbers_that_cannot_be(home: Settings, name: str) -> None:
    path = column(home, name)
    values = np.fromfile(path, np.uint32)
    values[0 if name in ("rows", "kinds", "words") else 2] = 0xFFFF_FFFF
    values.tofile(path)
    assert found(home).state == "fault"
    assert "plan index" in repair(home).mended
    assert found(home).state == "ok"


def test_one_of_another_catalog_and_one_that_lost_entries(home: Settings) -> None:
    manifest = home.gist_folder / "manifest.json"
    told = json.loads(manifest.read_bytes())
    manifest.write_text(json.dumps({**told, "generation": "another"}))
    assert "another one" in found(home).detail
    manifest.write_text(json.dumps({**told, "segments": []}))
    assert found(home).detail == f"It holds 0 entries; the catalog has {COUNT}."
    assert "plan index" in repair(home).mended
