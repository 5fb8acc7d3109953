"""Publishing vectors: only what changed goes in, and the outcome is that of building from nothing."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.catalog import changes
from indexer.catalog.database import open_catalog
from indexer.indexes.vector_base import VectorIndex
from indexer.indexes.vector_manifest import MANIFEST, read_manifest
from indexer.indexes.vector_store import open_index, verify_index
from indexer.pipeline import IndexReport, index_folders, rebuild_indexes
from indexer.progress import Silent
from indexer.settings import Settings
from indexer.stages import publish_vectors
from tests.models import write_library, write_picture

PICTURES = 8


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_library(tmp_path / "models", PICTURES)


@pytest.fixture
def few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small libraries are treated as large ones: the style space stays while it may."""
    monkeypatch.setattr(publish_vectors, "REFIT_BELOW", 0)
    monkeypatch.setattr(publish_vectors, "REFIT_SHARE", 0.3)


def index(folder: Path, settings: Settings) -> IndexReport:
    return index_folders([folder], settings, Silent())


def opened(settings: Settings, name: str) -> VectorIndex:
    return open_index(settings.vector_folder / name)


def content(settings: Settings) -> tuple[list[int], NDArray[np.float32]]:
    made = opened(settings, "content")
    return made.ids().tolist(), made.vectors(made.ids())


def repaint(folder: Path, number: int, colour: tuple[int, int, int]) -> None:
    (picture,) = folder.rglob(f"model{number:03d}.png")
    write_picture(picture, colour, side=80)


def lineage(settings: Settings, name: str) -> object:
    return read_manifest(settings.vector_folder / name).note["lineage"]


def test_one_changed_picture_is_one_change(folder: Path, settings: Settings) -> None:
    index(folder, settings)
    before = lineage(settings, "content")
    repaint(folder, 3, (9, 200, 30))
    index(folder, settings)
    assert lineage(settings, "content") == before, "it was changed, not built anew"
    changed = content(settings)
    rebuild_indexes(settings, Silent())
    rebuilt = content(settings)
    assert changed[0] == rebuilt[0]
    np.testing.assert_allclose(changed[1], rebuilt[1], atol=1e-6)


def test_pictures_that_come_and_go_are_followed(folder: Path, settings: Settings) -> None:
    index(folder, settings)
    (picture,) = folder.rglob("model002.png")
    picture.unlink()
    write_picture(folder / "loras" / "set0" / "model000.preview.png", (1, 99, 3), side=70)
    assert index(folder, settings).vectors > 0
    changed = content(settings)
    rebuild_indexes(settings, Silent())
    assert changed[0] == content(settings)[0]


def test_nothing_new_writes_nothing(folder: Path, settings: Settings) -> None:
    index(folder, settings)
    before = {name: opened(settings, name).generation for name in ("content", "style")}
    assert index(folder, settings).vectors == 0
    assert {name: opened(settings, name).generation for name in before} == before


@pytest.mark.usefixtures("few_are_enough")
def test_the_style_space_stays_until_enough_changed(folder: Path, settings: Settings) -> None:
    index(folder, settings)
    fitted = opened(settings, "style")
    repaint(folder, 3, (9, 200, 30))
    index(folder, settings)
    projected = opened(settings, "style")
    assert projected.identity == fitted.identity
    assert projected.ids().tolist() == fitted.ids().tolist()
    moved = np.flatnonzero(
        np.abs(projected.vectors(projected.ids()) - fitted.vectors(fitted.ids())).max(1) > 1e-4
    )
    assert len(moved) == 1
    for number in (4, 5, 6):
        repaint(folder, number, (200, 20 * number, 30))
    index(folder, settings)
    assert opened(settings, "style").identity != fitted.identity, "half of the pictures changed since the fit"


@pytest.mark.usefixtures("few_are_enough")
def test_an_entry_without_pictures_leaves_the_style_index(folder: Path, settings: Settings) -> None:
    index(folder, settings)
    before = opened(settings, "style")
    (picture,) = folder.rglob("model002.png")
    picture.unlink()
    index(folder, settings)
    after = opened(settings, "style")
    assert (len(after), after.identity) == (PICTURES - 1, before.identity)


@pytest.mark.parametrize(
    ("name", "damage"), [("content", "vectors"), ("style", "manifest"), ("style", "note")]
)
def test_a_damaged_index_is_built_anew(folder: Path, settings: Settings, name: str, damage: str) -> None:
    index(folder, settings)
    place = settings.vector_folder / name
    if damage == "vectors":
        (path,) = place.glob("*-vectors.faiss")
        path.write_bytes(path.read_bytes()[:-8])
    else:
        text = (place / MANIFEST).read_text("utf-8")
        changed = text[:-20] if damage == "manifest" else text.replace('"seq"', '"sqe"')
        (place / MANIFEST).write_text(changed, "utf-8")
    index(folder, settings)
    assert verify_index(place) == []
    assert len(opened(settings, name)) == PICTURES
    assert index(folder, settings).vectors == 0


def test_an_index_ahead_of_its_catalog_is_built_anew(folder: Path, settings: Settings) -> None:
    """A catalog restored from a backup counts its changes again, for other pictures."""
    index(folder, settings)
    before = lineage(settings, "content")
    place = settings.vector_folder / "content" / MANIFEST
    note = read_manifest(place.parent).note
    place.write_text(place.read_text("utf-8").replace(f'"seq": {note["seq"]}', '"seq": 999999'), "utf-8")
    index(folder, settings)
    assert lineage(settings, "content") != before


def test_a_stop_before_the_catalog_knows_is_made_good(folder: Path, settings: Settings) -> None:
    index(folder, settings)
    expected = content(settings)
    catalog = open_catalog(settings)
    with catalog.write() as session:
        seq, detail = changes.read_watermark(session, "vectors")
        changes.write_watermark(session, "vectors", 0, detail)
    catalog.close()
    index(folder, settings)
    again = content(settings)
    assert again[0] == expected[0]
    np.testing.assert_allclose(again[1], expected[1], atol=1e-6)
    assert seq > 0
