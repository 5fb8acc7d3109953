"""A SQLite file that follows the catalog: it knows the last change that is in it. Disposable.

Its table ``state`` has one row, which begins with what the file was made by, the generation that the catalog
knows it by, and the number of that change.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from indexer.errors import CatalogError

__all__ = ["FollowingFile", "connected"]

_WAIT = 5.0
"""Seconds to wait for another who reads or writes."""


@contextmanager
def connected(path: Path, *, writing: bool = False) -> Iterator[sqlite3.Connection]:
    """A connection for one look. Raises ``sqlite3.Error``."""
    mode = "rwc" if writing else "ro"
    place = f"{path.absolute().as_uri()}?mode={mode}"
    with closing(sqlite3.connect(place, uri=True, timeout=_WAIT)) as connection:
        yield connection


class FollowingFile:
    """The file at ``path`` as its only writer sees it. ``made_by`` is what a file is of no use without;
    ``tables`` make it, ``first`` is how its state ends; a fault is a ``CatalogError`` of ``code`` about
    ``what`` cannot be written."""

    def __init__(
        self,
        path: Path,
        made_by: str | int,
        tables: Sequence[str],
        *,
        code: str,
        what: str,
        first: Sequence[str] = (),
    ) -> None:
        self.path = path
        self._made_by, self._tables, self._first = made_by, tables, first
        self._code, self._what = code, what

    def state(self) -> tuple[str, int]:
        """Generation and number of the last change that is in; ("", 0) where there is nothing to go on
        from."""
        if not self.path.is_file():
            return "", 0
        try:
            with connected(self.path) as connection:
                row = connection.execute("SELECT * FROM state").fetchone()
        except sqlite3.Error:
            return "", 0  # damaged: started anew
        return (str(row[1]), int(row[2])) if row and row[0] == self._made_by else ("", 0)

    def start(self, generation: str) -> None:
        """Begin anew, empty. Raises ``CatalogError``."""
        with self._told():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            for name in (self.path.name, f"{self.path.name}-journal"):
                self.path.with_name(name).unlink(missing_ok=True)
        row = (self._made_by, generation, 0, *self._first)
        with self.written() as connection:
            for table in self._tables:
                connection.execute(table)
            connection.execute(f"INSERT INTO state VALUES ({','.join('?' * len(row))})", row)

    @contextmanager
    def written(self) -> Iterator[sqlite3.Connection]:
        """A connection whose changes are stored all or not at all. Raises ``CatalogError``."""
        with self._told(), connected(self.path, writing=True) as connection, connection:
            yield connection

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise CatalogError(
                self._code,
                f"{self._what} cannot be written to {self.path} ({error}). "
                "Free some space, or give back the right to write.",
            ) from error
