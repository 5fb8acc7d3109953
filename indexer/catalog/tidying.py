"""The database's own upkeep: what its planner knows of the tables, and the size of its log."""

from sqlalchemy import text

from indexer.catalog.database import Catalog, translated

__all__ = ["tidy_catalog"]


def tidy_catalog(catalog: Catalog) -> None:
    """Refresh the planner's statistics; on SQLite write the log back and cut it, where nobody reads it.

    https://www.sqlite.org/pragma.html#pragma_optimize, https://www.sqlite.org/wal.html#ckpt
    """
    with translated(catalog.engine), catalog.engine.connect() as connection:
        if catalog.is_sqlite:
            # Never inside a transaction: a log that is being written cannot be cut.
            driver = connection.connection.driver_connection
            assert driver is not None  # the connection is open
            cursor = driver.cursor()
            for statement in ("PRAGMA optimize=0x10002", "PRAGMA wal_checkpoint(TRUNCATE)"):
                cursor.execute(statement).fetchall()
            cursor.close()
        else:
            connection.execute(text("ANALYZE"))
            connection.commit()
