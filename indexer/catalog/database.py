"""Opening the catalog: SQLite by default, PostgreSQL for a hub; migrations; one writer."""

import sqlite3
import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from indexer.catalog.migrating import WRITING, upgrade_tables
from indexer.errors import CatalogError
from indexer.settings import Settings

__all__ = [
    "MINIMUM_SQLITE",
    "Catalog",
    "Session",
    "check_sqlite",
    "open_catalog",
    "opened_catalog",
    "sqlite_driver",
]

MINIMUM_SQLITE = (3, 51, 3)
"""The first release free of the WAL-reset fault (https://www.sqlite.org/wal.html#walresetbug)."""


def sqlite_driver() -> ModuleType:
    """The newest SQLite at hand: the bundled wheel where there is one, else Python's own."""
    try:
        import pysqlite3
    except ImportError:  # no wheel for this platform: Python's own, which check_sqlite judges
        return sqlite3
    driver: ModuleType = pysqlite3
    return driver


def check_sqlite(version: tuple[int, ...]) -> None:
    """Refuse an SQLite that may corrupt the catalog. Raises ``CatalogError`` (``sqlite_too_old``)."""
    if version < MINIMUM_SQLITE:
        have, need = (".".join(map(str, v)) for v in (version, MINIMUM_SQLITE))
        raise CatalogError(
            "sqlite_too_old",
            f"This SQLite is {have}; before {need} it can corrupt a catalog that several programs read. "
            "Install the pysqlite3 package (it carries a newer one), or use a newer Python.",
        )


class Catalog:
    """The open catalog. ``read()`` and ``write()`` give sessions; errors become ``CatalogError``."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._watching = threading.Lock()
        self._watch: Any = None

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded catalog."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one consistent state and must not write."""
        with translated(self.engine), Session(self.engine) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session in one transaction: committed at the end, or rolled back whole."""
        with (
            translated(self.engine),
            Session(self.engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            # Taking the right to write at once makes a second writer wait; taken after the first read, SQLite
            # refuses it without waiting, since what was read may have changed.
            session.connection(execution_options={WRITING: True})
            yield session

    def state(self) -> Hashable:
        """What is another value after every commit, of whichever process: who compares it knows whether what
        was read before still stands. A few microseconds on SQLite; on PostgreSQL a question to the server,
        which counts the commits of all its databases together."""
        with translated(self.engine):
            if self.is_sqlite:
                return self._data_version()
            with self.engine.connect() as connection:
                return str(connection.exec_driver_sql("SELECT pg_current_snapshot()::text").scalar())

    def _data_version(self) -> int:
        try:
            with self._watching:
                if self._watch is None:  # it counts what others commit, so it is nobody else's connection
                    self._watch = self.engine.raw_connection()
                    self._watch.detach()
                cursor = self._watch.cursor()
                return int(cursor.execute("PRAGMA data_version").fetchone()[0])
        except sqlite_driver().Error as error:  # as the driver says it: nothing stands between
            code, advice = _known_fault(str(error)) or ("disk_io", "Does its disk still answer?")
            raise CatalogError(code, f"The catalog cannot be watched: {error}. {advice}") from error

    def close(self) -> None:
        """Give all connections back."""
        with self._watching:
            if self._watch is not None:
                self._watch.close()
                self._watch = None
        self.engine.dispose()


@contextmanager
def translated(engine: Engine) -> Iterator[None]:
    """Turn the driver's complaints about the world into ``CatalogError`` with a way out."""
    try:
        yield
    except DBAPIError as error:
        known = _known_fault(str(error.orig))
        if known is None:
            raise
        code, advice = known
        where = engine.url.render_as_string(hide_password=True)
        raise CatalogError(code, f"The catalog {where} failed: {error.orig}. {advice}") from error


_FAULTS = (
    (
        "disk is full",
        "disk_full",
        "Free some space; nothing stored so far is lost, and the next run goes on.",
    ),
    (
        "No space left",
        "disk_full",
        "Free some space; nothing stored so far is lost, and the next run goes on.",
    ),
    (
        "disk I/O error",
        "disk_io",
        "The disk refused: is it full or unplugged? Nothing stored so far is lost.",
    ),
    ("readonly database", "home_unwritable", "Make the file writable, or name another home with --home."),
    ("read-only", "home_unwritable", "Make the file writable, or name another home with --home."),
    ("unable to open", "home_unwritable", "Make the folder writable, or name another home with --home."),
    ("malformed", "catalog_corrupt", "The file is damaged and was left as it is; restore a copy of it."),
    ("not a database", "catalog_corrupt", "Another file stands in its place; it was left as it is."),
    ("locked", "locked", "Another program holds it; try again when that has finished."),
    (
        "onnection refused",
        "no_server",
        "Does the PostgreSQL server run, and is PINAKES_DATABASE_URL right?",
    ),
    ("password authentication", "no_server", "PostgreSQL refused the password of PINAKES_DATABASE_URL."),
)


def _known_fault(message: str) -> tuple[str, str] | None:
    return next(((code, advice) for text, code, advice in _FAULTS if text in message), None)


def open_catalog(settings: Settings, *, upgrade: bool = True) -> Catalog:
    """Open the catalog, creating or upgrading its tables unless ``upgrade`` is off.

    Raises ``CatalogError`` when the home cannot be written, SQLite is too old, the server is away, or the
    tables were made by a newer Pinakes.
    """
    url = settings.catalog_url
    if make_url(url).get_backend_name() == "sqlite":
        check_sqlite(sqlite_driver().sqlite_version_info)
        settings.prepare_home()
    engine = make_engine(url)
    with translated(engine):
        if upgrade:
            upgrade_tables(engine)
    return Catalog(engine)


@contextmanager
def opened_catalog(settings: Settings) -> Iterator[Catalog]:
    """``open_catalog``, closed at the end. Raises as that does."""
    catalog = open_catalog(settings)
    try:
        yield catalog
    finally:
        catalog.close()


def make_engine(url: str) -> Engine:
    """An engine for the URL, with the pragmas that SQLite needs."""
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(make_url(url).set(drivername="postgresql+psycopg"), pool_pre_ping=True)
    engine = create_engine(url, module=sqlite_driver(), connect_args={"timeout": 30})
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    """Begin for real: left to itself the driver runs DDL outside transactions, and a migration that a full
    disk or a kill interrupts would leave half of its tables."""
    writing = connection.get_execution_options().get(WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _set_pragmas(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "foreign_keys=ON",
        # A killed process loses nothing in WAL mode; only a power cut may lose the last commits, whole.
        "synchronous=NORMAL",
        "trusted_schema=OFF",
        "temp_store=MEMORY",
        "journal_size_limit=67108864",
        "cache_size=-32768",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
