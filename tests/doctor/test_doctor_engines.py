"""The same on PostgreSQL and with Meilisearch."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.catalog.database import make_engine
from indexer.catalog.migrating import downgrade_tables
from indexer.indexes.text_meilisearch import MeilisearchIndex
from indexer.settings import Settings
from tests.databases import Postgres
from tests.doctor.homes import COUNT, cut, flip, indexed, look, remove, repair, searched, sql, states
from tests.meilisearch import Running


@pytest.fixture(scope="module")
def hub(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A home whose catalog is a PostgreSQL database."""
    place = tmp_path_factory.mktemp("hub")
    with postgres.fresh() as url:
        settings = Settings(home=place / "home", database_url=url, decode_workers=1)
        settings.home.mkdir()
        yield indexed(place / "models", settings)


@pytest.mark.postgres
def test_postgresql_is_looked_over_and_mended(hub: Settings) -> None:
    """One after the other: a new database takes seconds."""
    assert states(look(hub)) == {}
    for damage, check in (
        (sql("DELETE FROM entry WHERE version_id = 2"), "entries"),
        (sql("UPDATE counter SET value = 1"), "counters"),
        (sql("UPDATE vector SET data = substring(data from 1 for 9) WHERE preview_id = 3"), "vectors"),
        (remove("thumbnails/*/*.webp"), "thumbnails"),
        (cut("text/*.term"), "text index"),
        (flip("vectors/content/*-vectors.faiss"), "content index"),
        (_downgrade, "tables"),
    ):
        damage(hub)
        assert states(look(hub)).get(check) == "fault", check
        report = repair(hub)
        assert (report.state, check in report.mended) == ("ok", True), (check, states(report))
        assert searched(hub) == COUNT
    sql("DELETE FROM version WHERE id = 2")(hub)
    assert states(look(hub))["references"] == "fault"
    assert repair(hub).state == "ok"
    assert searched(hub) == COUNT - 1


def _downgrade(settings: Settings) -> None:
    engine = make_engine(settings.catalog_url)
    downgrade_tables(engine, "0007")
    engine.dispose()


@pytest.mark.postgres
def test_a_server_that_is_away_is_a_fault(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", database_url="postgresql://nobody@127.0.0.1:9/none")
    report = look(settings)
    assert states(report) == {"catalog": "fault"}
    assert "nobody" not in str(report.to_json()) or "password" not in str(report.to_json())


@pytest.mark.meilisearch
def test_meilisearch_is_looked_over_and_filled_again(
    meilisearch_server: Running, meilisearch_index: MeilisearchIndex, tmp_path: Path
) -> None:
    name = meilisearch_index.name
    settings = Settings(home=tmp_path / "home", decode_workers=1).model_copy(
        update={
            "meilisearch_url": meilisearch_server.url,
            "meilisearch_key": Settings(MEILI_MASTER_KEY=meilisearch_server.key).meilisearch_key,
            "meilisearch_index": name,
        }
    )
    indexed(tmp_path / "models", settings)
    assert states(look(settings)) == {}
    meilisearch_index.drop()
    assert states(look(settings)) == {"text index": "fault"}
    assert meilisearch_index.found() == (None, False), "looking makes nothing"
    assert repair(settings).mended == ("text index",)
    assert searched(settings) == COUNT
    meilisearch_index.server.wait(
        meilisearch_index.server.patch(
            f"indexes/{name}/settings", {"stopWords": ["the"], "sortableAttributes": []}
        )
    )
    assert states(look(settings)) == {"text index": "fault"}
    assert repair(settings).state == "ok"
    with meilisearch_index.writing() as writer:
        writer.delete([1, 2])
    assert states(look(settings)) == {"text index": "fault"}
    assert repair(settings).state == "ok"
    assert searched(settings) == COUNT
    shutil.rmtree(settings.vector_folder)
    assert set(repair(settings).mended) == {"content index", "style index"}
