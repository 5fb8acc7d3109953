"""Bringing the tables to another revision, with all that is in them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from indexer.errors import CatalogError

__all__ = ["WRITING", "alembic_config", "downgrade_tables", "revisions", "upgrade_tables"]

WRITING = "pinakes_writing"
"""Execution option of connections that take SQLite's right to write when their transaction begins."""

_MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration without an ini file; ``connection`` is the one to migrate."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def revisions(engine: Engine) -> tuple[str | None, str | None, bool]:
    """The revision of the tables, the newest one, and whether the first is one that we know."""
    scripts = ScriptDirectory.from_config(alembic_config())
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    return current, scripts.get_current_head(), current is None or current in known


def upgrade_tables(engine: Engine) -> None:
    """Bring the tables to the newest revision, in one transaction.

    Raises ``CatalogError`` (``newer_catalog``) when a newer Pinakes made them.
    """
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    with engine.connect() as connection:
        if MigrationContext.configure(connection).get_current_revision() == head:
            return
    try:
        with _migrating(engine) as connection:
            command.upgrade(alembic_config(connection), "head")
    except CommandError as error:
        raise CatalogError(
            "newer_catalog",
            f"This catalog was made by a newer Pinakes ({error}). Update Pinakes, or name another --home.",
        ) from error
    except OperationalError as error:
        # Two programs may upgrade at the same moment: the second finds the tables made.
        with engine.connect() as connection:
            if MigrationContext.configure(connection).get_current_revision() != head:
                raise error


def downgrade_tables(engine: Engine, revision: str) -> None:
    """Take the tables back to ``revision`` (``base``: no tables at all), in one transaction."""
    with _migrating(engine) as connection:
        command.downgrade(alembic_config(connection), revision)


@contextmanager
def _migrating(engine: Engine) -> Iterator[Connection]:
    """One transaction in which SQLite does not act on references.

    SQLite changes a table by copying it and dropping the old one; with foreign keys enforced, dropping
    would delete every row that refers to it. The switch does nothing inside a transaction, so it is thrown
    before (https://www.sqlite.org/foreignkeys.html, section 2; lang_altertable.html, section 7).
    """
    with engine.connect().execution_options(**{WRITING: True}) as connection:
        sqlite = connection.dialect.name == "sqlite"
        _enforce(connection, not sqlite)
        try:
            with connection.begin():
                yield connection
                if sqlite and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").first()):
                    raise CatalogError(
                        "migration",
                        f"Changing the tables would break a reference ({broken}). Please report it.",
                    )
        finally:
            _enforce(connection, True)


def _enforce(connection: Connection, on: bool) -> None:
    driver = connection.connection.dbapi_connection
    if connection.dialect.name == "sqlite" and driver is not None:
        driver.execute(f"PRAGMA foreign_keys={'ON' if on else 'OFF'}")
