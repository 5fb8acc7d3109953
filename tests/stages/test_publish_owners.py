"""The content index tells whose each picture is, and follows when a picture comes to belong to another."""

from pathlib import Path

from sqlalchemy import text

from indexer.catalog import vectors
from indexer.catalog.changes import count_up
from indexer.catalog.database import open_catalog
from indexer.indexes.vector_store import open_index, read_beside
from indexer.pipeline import index_folders
from indexer.progress import Silent
from indexer.settings import Settings
from indexer.upkeep import keep_up
from tests.models import write_library


def test_a_picture_that_changes_hands_is_followed_without_building_anew(
    tmp_path: Path, settings: Settings
) -> None:
    index_folders([write_library(tmp_path / "models", 4)], settings, Silent())
    folder = settings.vector_folder / "content"
    before = read_beside(folder)
    catalog = open_catalog(settings)
    with catalog.write() as session:
        session.execute(text("UPDATE preview SET version_id = 1 WHERE version_id = 2"))
        count_up(session, "vectors")
    keep_up(settings, Silent())
    manifest, pairs = read_beside(folder)
    with catalog.read() as session:
        owners = vectors.versions_of_previews(session, open_index(folder).ids().tolist())
    catalog.close()
    assert pairs is not None and before[1] is not None
    assert dict(pairs.tolist()) == owners != dict(before[1].tolist())
    assert manifest.note["lineage"] == before[0].note["lineage"], "it was changed, not built anew"
