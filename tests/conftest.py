"""Shared by all tests: settings in a folder of their own, catalogs on both databases, the indexed demo."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
from sqlalchemy import create_engine, make_url, text

from indexer.catalog.database import Catalog, open_catalog
from indexer.progress import Silent
from indexer.settings import Settings
from tests.meilisearch import Running, running_server

if TYPE_CHECKING:
    from indexer.demo import DemoReport
    from indexer.indexes.text import TextIndex
    from indexer.indexes.text_meilisearch import MeilisearchIndex

# How long one example takes depends on what else the machine does; tests of speed have limits of their own.
hypothesis.settings.register_profile("pinakes", deadline=None)
hypothesis.settings.load_profile("pinakes")

ADMIN_URL = os.environ.get("PINAKES_TEST_DATABASE_URL")


@pytest.fixture(autouse=True, scope="session")
def _own_environment() -> Iterator[None]:
    """No setting of the person who runs the tests reaches them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("PINAKES_") and not name.startswith("PINAKES_TEST_"):
                patch.delenv(name)
        yield


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a home of their own."""
    return Settings(home=tmp_path / "home", decode_workers=1)


def _fresh_postgres() -> Iterator[str]:
    """The URL of a new, empty PostgreSQL database, dropped afterwards."""
    if ADMIN_URL is None:
        pytest.skip("no PostgreSQL server: run scripts/test, which starts one")
    name = f"test_{uuid.uuid4().hex}"
    admin = create_engine(
        make_url(ADMIN_URL).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    try:
        yield make_url(ADMIN_URL).set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
        admin.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def both(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings of an empty catalog, once on each database."""
    home = tmp_path / "home"
    if request.param == "sqlite":
        yield Settings(home=home, decode_workers=1)
        return
    home.mkdir()
    for url in _fresh_postgres():
        yield Settings(home=home, database_url=url, decode_workers=1)


@pytest.fixture
def catalog(both: Settings) -> Iterator[Catalog]:
    """An open, empty catalog, once on each database."""
    opened = open_catalog(both)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def meilisearch_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A real Meilisearch server; tests use indexes of their own (``meilisearch_index``)."""
    with running_server(tmp_path_factory.mktemp("meilisearch")) as running:
        if running is None:
            pytest.skip("no Meilisearch server: run scripts/test, which starts one")
        yield running


@pytest.fixture
def meilisearch_index(meilisearch_server: Running) -> Iterator["MeilisearchIndex"]:
    """An index of this test alone, dropped afterwards."""
    from indexer.indexes.text_meilisearch import MeilisearchIndex

    index = MeilisearchIndex(meilisearch_server.url, meilisearch_server.key, f"test-{uuid.uuid4().hex}")
    yield index
    index.drop()


@pytest.fixture(params=["tantivy", pytest.param("meilisearch", marks=pytest.mark.meilisearch)])
def text_engine(request: pytest.FixtureRequest, tmp_path: Path) -> "TextIndex":
    """An empty text index, once with each engine."""
    if request.param == "meilisearch":
        index: TextIndex = request.getfixturevalue("meilisearch_index")
        return index
    from indexer.indexes.text_tantivy import TantivyIndex

    return TantivyIndex(tmp_path / "text")


@pytest.fixture(scope="session")
def demo_library(tmp_path_factory: pytest.TempPathFactory) -> "tuple[Path, DemoReport]":
    """The demo library's folder and what its generator knows of it."""
    from indexer.demo import write_demo

    folder = tmp_path_factory.mktemp("demo") / "library"
    return folder, write_demo(folder)


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory, demo_library: "tuple[Path, DemoReport]") -> Settings:
    """Settings whose home holds the indexed demo library. For reading only."""
    from indexer.pipeline import index_folders

    settings = Settings(home=tmp_path_factory.mktemp("demo-home"), decode_workers=2)
    index_folders([demo_library[0]], settings, Silent())
    return settings
