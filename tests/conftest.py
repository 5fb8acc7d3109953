"""Shared by all tests: settings in a folder of their own, catalogs on both databases, the indexed demo."""

import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

# Test processes share the cores, and threads of numpy that wait for each other burn what the others need: ten
# times the work for the small matrices here. Read when numpy and torch load, so it is said before ours are.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from indexer.catalog.database import Catalog, open_catalog
from indexer.settings import Settings
from tests.databases import ADMIN_URL, Postgres, copy_catalog, write_catalog
from tests.meilisearch import Running, running_server

if TYPE_CHECKING:
    from indexer.demo import DemoReport
    from indexer.indexes.text import TextIndex
    from indexer.indexes.text_meilisearch import MeilisearchIndex

FIRST = (
    "tests/search/test_service.py",
    "tests/stages/test_kill.py",
    "tests/test_importing.py",
    "tests/hubs/test_crawl_kill.py",
    "tests/test_watching.py",
    "tests/web/test_own_browser.py",
    "tests/web/test_stack_browser.py",
    "tests/web/test_browser.py",
    "tests/web/test_model_browser.py",
    "tests/web/test_map.py",
)
"""Files that take long, begun first so that no test process waits for another's at the end. The demo library is
made in the first; the second does not need it."""

# How long an example takes to make or to try depends on what else the machine does; tests of speed have limits of
# their own. A run that nothing was changed for ends as the one before: new examples are tried with PINAKES_FUZZ.
hypothesis.settings.register_profile(
    "pinakes",
    deadline=None,
    derandomize="PINAKES_FUZZ" not in os.environ,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("pinakes")

DATABASES = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files of ``FIRST`` first, in that order."""
    places = {name: place for place, name in enumerate(FIRST)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(places)))


@pytest.fixture(autouse=True, scope="session")
def _own_environment() -> Iterator[None]:
    """No setting of the person who runs the tests reaches them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("PINAKES_") and not name.startswith("PINAKES_TEST_"):
                patch.delenv(name)
        yield


@pytest.fixture
def homeless(tmp_path: Path) -> Settings:
    """Settings whose home is not there yet."""
    return Settings(home=tmp_path / "home", decode_workers=1)


@pytest.fixture
def settings(homeless: Settings, empty_catalog: Path) -> Settings:
    """Settings with a home of their own, which holds an empty catalog."""
    return copy_catalog(empty_catalog, homeless)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """The PostgreSQL server; tests use databases of their own."""
    if ADMIN_URL is None:
        pytest.skip("no PostgreSQL server: run scripts/test, which starts one")
    with Postgres(ADMIN_URL, tmp_path_factory.mktemp("postgres")).serving() as server:
        yield server


@pytest.fixture(scope="session")
def empty_catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalog on SQLite with all tables and nothing in them, to be copied."""
    return write_catalog(tmp_path_factory.mktemp("empty") / "home")


@pytest.fixture(params=DATABASES)
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a catalog that has no tables yet, once on each database."""
    home = tmp_path / "home"
    if request.param == "sqlite":
        yield Settings(home=home, decode_workers=1)
        return
    home.mkdir()
    server: Postgres = request.getfixturevalue("postgres")
    with server.fresh() as url:
        yield Settings(home=home, database_url=url, decode_workers=1)


@pytest.fixture(params=DATABASES)
def both(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings of an empty catalog, once on each database."""
    home = tmp_path / "home"
    if request.param == "sqlite":
        yield copy_catalog(request.getfixturevalue("empty_catalog"), Settings(home=home, decode_workers=1))
        return
    home.mkdir()
    server: Postgres = request.getfixturevalue("postgres")
    with server.migrated() as url:
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
    from tests.sharing import demo_report, run_folder

    report = demo_report(run_folder(tmp_path_factory))
    return report.folder, report


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory, demo_library: "tuple[Path, DemoReport]") -> Settings:
    """Settings whose home holds the indexed demo library. For reading only."""
    from tests.sharing import demo_index, run_folder

    home = tmp_path_factory.mktemp("demo-home") / "home"
    shutil.copytree(demo_index(run_folder(tmp_path_factory), demo_library[0]), home)
    return Settings(home=home, decode_workers=2)
