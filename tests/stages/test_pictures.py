"""The picture stage and what it publishes: thumbnails, vectors, weights that come and go."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import select

from indexer.catalog.database import open_catalog
from indexer.catalog.schema import Preview, VectorSpace
from indexer.errors import UsageError
from indexer.indexes.vector_manifest import read_manifest
from indexer.indexes.vectors import saved_generation
from indexer.pipeline import IndexReport, index_folders, rebuild_indexes
from indexer.progress import Silent
from indexer.settings import Settings
from search.service import Pinakes
from tests.embedding.test_style_file import write_style_file
from tests.embedding.tiny_clip import TINY, register, write_weights
from tests.models import write_library, write_picture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_library(tmp_path / "models", 4)


def index(folder: Path, settings: Settings, watcher: Silent | None = None) -> IndexReport:
    return index_folders([folder], settings, watcher or Silent())


def spaces(settings: Settings) -> list[str]:
    catalog = open_catalog(settings)
    with catalog.read() as session:
        pictured = select(VectorSpace.space).where(VectorSpace.space != "weights")
        found = sorted(session.scalars(pictured))
    catalog.close()
    return found


def test_each_picture_gets_a_thumbnail_and_two_vectors(folder: Path, settings: Settings) -> None:
    assert index(folder, settings).pictures.embedded == 4
    assert spaces(settings) == ["content", "style"]
    assert len(list(settings.thumbnail_folder.rglob("*.webp"))) == 4


def test_a_broken_picture_is_told_and_the_others_are_seen(folder: Path, settings: Settings) -> None:
    (folder / "loras" / "set0" / "model000.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    report = index(folder, settings)
    assert (report.pictures.embedded, report.pictures.broken) == (3, 1)
    assert index(folder, settings).pictures.broken == 0, "it is not tried again until it changes"
    catalog = open_catalog(settings)
    with catalog.read() as session:
        assert session.scalars(select(Preview.code).where(Preview.status == "broken")).all() == [
            "image_broken"
        ]
    catalog.close()


def test_a_changed_picture_is_seen_anew_and_the_indexes_follow(folder: Path, settings: Settings) -> None:
    index(folder, settings)
    before = saved_generation(settings.vector_folder / "style")
    write_picture(folder / "loras" / "set0" / "model000.png", (0, 0, 255), side=80)
    assert index(folder, settings).pictures.embedded == 1
    assert saved_generation(settings.vector_folder / "style") > before


def test_identical_pictures_share_a_thumbnail(folder: Path, settings: Settings) -> None:
    for name in ("model000", "model003"):
        write_picture(folder / "loras" / "set0" / f"{name}.png", (1, 2, 3))
    index(folder, settings)
    assert len(list(settings.thumbnail_folder.rglob("*.webp"))) == 3


def test_indexes_are_rebuilt_from_the_catalog_even_without_the_models(
    folder: Path, settings: Settings
) -> None:
    index(folder, settings)
    for lost in (settings.text_folder, settings.vector_folder, folder):
        shutil.rmtree(lost)
    report = rebuild_indexes(settings, Silent())
    assert (report.published, report.vectors) == (4, 8)
    with Pinakes(settings) as pinakes:
        assert pinakes.search("model").total == 4
        assert len(pinakes.similar("model 1").hits) == 3


def test_a_library_without_pictures_has_no_look_alikes(tmp_path: Path, settings: Settings) -> None:
    index(write_library(tmp_path / "bare", 2, pictures=False), settings)
    with Pinakes(settings) as pinakes:
        assert pinakes.search("").total == 2
        with pytest.raises(UsageError, match="No picture was indexed"):
            pinakes.similar("model 1")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    return write_weights(register(folder), folder / "weights.safetensors")


def test_weights_that_come_later_are_used_for_content(
    folder: Path, settings: Settings, weights: Path
) -> None:
    index(folder, settings)
    clip = settings.model_copy(update={"clip_model": TINY, "clip_pretrained": str(weights)})
    with Pinakes(clip) as pinakes, pytest.raises(UsageError, match="other weights"):
        pinakes.similar("model 1", by="content")
    index(folder, clip)
    assert spaces(clip) == ["content", "semantic", "style"]
    with Pinakes(clip) as pinakes:
        picture = folder / "loras" / "set1" / "model001.png"
        best = pinakes.similar(picture, by="content").hits[0]
        assert best.document.name == "model 1"
        assert best.score.signals["semantic"][0] > 0.999
        assert pinakes.similar(picture, by="style").hits[0].document.name == "model 1"
    assert index(folder, clip).pictures.embedded == 0


def test_weights_that_cannot_be_had_are_said_in_one_line(folder: Path, settings: Settings) -> None:
    watcher = Silent()
    missing = settings.model_copy(
        update={"clip_model": TINY, "clip_pretrained": "/no/such/weights.safetensors"}
    )
    assert index(folder, missing, watcher).pictures.embedded == 4
    assert any(note.startswith("CLIP is off") for note in watcher.notes)


def test_vectors_that_come_later_leave_everything_else_as_it_was(
    folder: Path, settings: Settings, weights: Path
) -> None:
    index(folder, settings)
    before = pictured(settings)
    index(folder, settings.model_copy(update={"clip_model": TINY, "clip_pretrained": str(weights)}))
    assert pictured(settings) == before
    assert spaces(settings) == ["content", "semantic", "style"]


def test_a_style_encoder_from_a_file_takes_part_in_style(
    folder: Path, settings: Settings, weights: Path, tmp_path: Path
) -> None:
    path = write_style_file(tmp_path / "encoder" / "style.safetensors")
    index(folder, settings)
    plain = read_manifest(settings.vector_folder / "style").identity
    both = settings.model_copy(
        update={"style_encoder": path, "clip_model": TINY, "clip_pretrained": str(weights)}
    )
    watcher = Silent()
    assert index(folder, both, watcher).pictures.embedded == 4
    assert spaces(both) == ["content", "semantic", "style", "style"]
    assert not [note for note in watcher.notes if "off" in note]
    fused = read_manifest(both.vector_folder / "style").identity
    assert fused != plain
    with Pinakes(both) as pinakes:
        picture = folder / "loras" / "set1" / "model001.png"
        assert pinakes.similar(picture, by="style").hits[0].document.name == "model 1"
    index(folder, both.model_copy(update={"style_encoder_share": 1.0}))
    assert read_manifest(both.vector_folder / "style").identity != fused
    index(folder, settings)
    assert read_manifest(settings.vector_folder / "style").identity == plain


def test_a_style_encoder_that_cannot_be_had_is_said_in_one_line(folder: Path, settings: Settings) -> None:
    watcher = Silent()
    missing = settings.model_copy(update={"style_encoder": Path("/no/such/style.safetensors")})
    assert index(folder, missing, watcher).pictures.embedded == 4
    assert any(note.startswith("The style encoder is off") for note in watcher.notes)


def pictured(settings: Settings) -> list[tuple[object, ...]]:
    catalog = open_catalog(settings)
    with catalog.read() as session:
        columns = (
            Preview.id,
            Preview.status,
            Preview.width,
            Preview.height,
            Preview.colour,
            Preview.thumbnail,
        )
        found: list[tuple[object, ...]] = [
            tuple(row) for row in session.execute(select(*columns).order_by(Preview.id))
        ]
    catalog.close()
    return found
