"""A small indexed home, and words for damaging it."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sqlalchemy import text

from indexer.catalog.database import make_engine, open_catalog, sqlite_driver
from indexer.doctor import Report, examine, mend
from indexer.pipeline import index_folders
from indexer.progress import Silent
from indexer.settings import Settings
from tests.models import write_library

COUNT = 6
Damage = Callable[[Settings], None]


def indexed(folder: Path, settings: Settings) -> Settings:
    """Index ``COUNT`` models with a picture each."""
    index_folders([write_library(folder, COUNT)], settings, Silent())
    return settings


def look(settings: Settings) -> Report:
    return examine(settings, Silent())


def repair(settings: Settings) -> Report:
    return mend(settings, Silent(), look(settings))


def states(report: Report) -> dict[str, str]:
    """Check to state, of what is not well."""
    return {f.check: f.state for f in report.findings if f.state != "ok"}


def statements(settings: Settings, *lines: str) -> None:
    """Run SQL without the database minding references."""
    engine = make_engine(settings.catalog_url)
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                driver = connection.connection.dbapi_connection
                assert driver is not None
                driver.execute("PRAGMA foreign_keys=OFF")
            else:
                connection.execute(text("SET session_replication_role = replica"))
            for line in lines:
                connection.execute(text(line))
            connection.commit()
    finally:
        engine.dispose()


def sql(*lines: str) -> Damage:
    return lambda settings: statements(settings, *lines)


def one(settings: Settings, pattern: str) -> Path:
    """The largest file below the home that is called so."""
    return max(settings.home.glob(pattern), key=lambda path: path.stat().st_size)


def flip(pattern: str, place: float = 0.5) -> Damage:
    """Change one byte of a file, at this share of its length."""

    def act(settings: Settings) -> None:
        path = one(settings, pattern)
        data = bytearray(path.read_bytes())
        data[int(place * (len(data) - 1))] ^= 0x41
        path.write_bytes(data)

    return act


def cut(pattern: str) -> Damage:
    """Cut a file off in the middle."""

    def act(settings: Settings) -> None:
        path = one(settings, pattern)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    return act


def remove(pattern: str) -> Damage:
    return lambda settings: one(settings, pattern).unlink()


def wipe_index_page(settings: Settings) -> None:
    """Overwrite the page at which an index of the database begins."""
    path = settings.home / "catalog.sqlite3"
    with closing(sqlite_driver().connect(str(path))) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'ix_entry_seq'"
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as stream:
        stream.seek((page - 1) * size)
        stream.write(b"\x0a" + bytes(size - 1))  # an index page without a single row


def wipe_table_page(settings: Settings) -> None:
    """The same of a table: its rows are lost, and nothing can make them again."""
    path = settings.home / "catalog.sqlite3"
    with closing(sqlite_driver().connect(str(path))) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'claim'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as stream:
        stream.seek((page - 1) * size)
        stream.write(b"\xff" * size)


def searched(settings: Settings) -> int:
    """How many entries a search finds."""
    from search.service import Pinakes

    with Pinakes(settings) as pinakes:
        return pinakes.search("", facets=False, versions=True).matches


def alike(settings: Settings) -> int:
    """How many entries look like the first that has a picture, in style and in content."""
    from search.service import Pinakes

    entry = rows(settings, "SELECT min(version_id) FROM preview WHERE status = 'ok'")
    with Pinakes(settings) as pinakes:
        return sum(
            pinakes.similar(entry, by=by, min_score=0.0, versions=True).total for by in ("style", "content")
        )


def rows(settings: Settings, query: str) -> int:
    catalog = open_catalog(settings, upgrade=False)
    with closing(catalog), catalog.read() as session:
        return int(session.execute(text(query)).scalar() or 0)
