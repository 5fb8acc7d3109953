"""Empty catalogs for tests: made once by the migrations, copied for each test."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from indexer.catalog.database import open_catalog
from indexer.settings import Settings

__all__ = ["ADMIN_URL", "CATALOG", "Postgres", "copy_catalog", "write_catalog"]

ADMIN_URL = os.environ.get("PINAKES_TEST_DATABASE_URL")
CATALOG = "catalog.sqlite3"


class Postgres:
    """Databases of one test process on the server that ``url`` administers."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = make_url(url)
        self.folder = folder
        self.admin = create_engine(
            self.url.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
        )
        self._migrated = f"test_{uuid.uuid4().hex}"

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """The URL of a new database without tables, dropped afterwards."""
        with self._created(f"test_{uuid.uuid4().hex}", "template1") as url:
            yield url

    @contextmanager
    def migrated(self) -> Iterator[str]:
        """The URL of a new database with all tables and nothing in them, dropped afterwards."""
        with self._created(f"test_{uuid.uuid4().hex}", self._migrated) as url:
            yield url

    @contextmanager
    def serving(self) -> Iterator["Postgres"]:
        """Keep the migrated database that others are copied from, for as long as the block lasts."""
        with self._created(self._migrated, "template1") as url:
            open_catalog(Settings(home=self.folder, database_url=url)).close()
            yield self
        self.admin.dispose()

    @contextmanager
    def _created(self, name: str, template: str) -> Iterator[str]:
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        try:
            yield self.url.set(database=name).render_as_string(hide_password=False)
        finally:
            self._run(f'DROP DATABASE "{name}" WITH (FORCE)')

    def _run(self, statement: str) -> None:
        with self.admin.connect() as connection:
            connection.execute(text(statement))


def write_catalog(home: Path) -> Path:
    """A catalog on SQLite with all tables and nothing in them; its path."""
    open_catalog(Settings(home=home)).close()
    return home / CATALOG


def copy_catalog(source: Path, settings: Settings) -> Settings:
    """``settings``, whose home now holds a copy of the catalog ``source``."""
    settings.prepare_home()
    shutil.copyfile(source, settings.home / CATALOG)
    return settings
