"""One writer at a time. The operating system (or PostgreSQL) holds the lock, so ``kill -9`` frees it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from indexer.catalog.database import Catalog
from indexer.errors import CatalogError
from indexer.settings import Settings

__all__ = ["writer_at_work", "writer_lock"]

_ADVISORY_KEY = 0x50494E41  # "PINA"


@contextmanager
def writer_lock(catalog: Catalog, settings: Settings, *, note: bool = True) -> Iterator[None]:
    """Hold the right to write. Raises ``CatalogError`` (``locked``) at once when another program has it.

    ``note`` writes our process number into SQLite's lock file, for whoever comes meanwhile.
    """
    with _file_lock(settings, note) if catalog.is_sqlite else _advisory_lock(catalog):
        yield


def writer_at_work(catalog: Catalog, settings: Settings) -> str | None:
    """Who writes the catalog just now, None for nobody. A lock is never stale: it ends with its process."""
    if catalog.is_sqlite and not (settings.home / "writer.lock").exists():
        return None
    try:
        with writer_lock(catalog, settings, note=False):
            return None
    except CatalogError as error:
        if error.code != "locked":
            raise
        return error.detail


@contextmanager
def _file_lock(settings: Settings, note: bool) -> Iterator[None]:
    path = settings.home / "writer.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            raise _taken(f"process {holder}" if holder else "another process") from error
        if note:
            os.truncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _advisory_lock(catalog: Catalog) -> Iterator[None]:
    with catalog.engine.connect() as connection:
        held = connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _ADVISORY_KEY}).scalar()
        connection.commit()
        if not held:
            raise _taken("another Pinakes on this database")
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _ADVISORY_KEY})
            connection.commit()


def _taken(holder: str) -> CatalogError:
    return CatalogError(
        "locked",
        f"The catalog is being written by {holder}. Wait until it has finished, or stop it (Ctrl-C).",
    )
