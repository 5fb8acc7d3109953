"""Opening the catalog, and what goes wrong with the world under it."""

import os
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from indexer.catalog.database import MINIMUM_SQLITE, check_sqlite, open_catalog, sqlite_driver
from indexer.catalog.lock import writer_lock
from indexer.catalog.schema import Model
from indexer.errors import CatalogError
from indexer.settings import Settings
from tests.clocks import patiently


def test_the_sqlite_in_use_is_new_enough() -> None:
    check_sqlite(sqlite_driver().sqlite_version_info)


def test_an_old_sqlite_is_refused_with_a_way_out() -> None:
    with pytest.raises(CatalogError, match=r"SQLite is 3\.40\.1; before 3\.51\.3 .* pysqlite3") as caught:
        check_sqlite((3, 40, 1))
    assert caught.value.code == "sqlite_too_old"
    check_sqlite(MINIMUM_SQLITE)


def test_sqlite_runs_with_wal_and_foreign_keys(homeless: Settings) -> None:
    catalog = open_catalog(homeless)
    with catalog.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    catalog.close()
    assert homeless.home.stat().st_mode & 0o077 == 0


def test_a_second_writer_waits_even_after_reading(both: Settings) -> None:
    catalog = open_catalog(both)
    started, ended = threading.Event(), []

    def second() -> None:
        started.set()
        with catalog.write() as session:
            ended.append(len(session.scalars(select(Model)).all()))
            session.add(Model(key="b"))

    thread = threading.Thread(target=second)
    with catalog.write() as session:
        thread.start()
        started.wait()
        time.sleep(0.1)
        session.scalars(select(Model)).all()
        session.add(Model(key="a"))
    thread.join()
    with catalog.read() as session:
        assert sorted(session.scalars(select(Model.key))) == ["a", "b"]
    assert ended
    catalog.close()


def test_an_unwritable_home_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CatalogError, match=r"cannot be written .* --home") as caught:
        open_catalog(Settings(home=tmp_path / "file" / "home"))
    assert caught.value.code == "home_unwritable"


def test_a_file_that_is_no_database_is_left_alone(homeless: Settings) -> None:
    homeless.home.mkdir()
    path = homeless.home / "catalog.sqlite3"
    path.write_bytes(b"this is no database, honestly" * 99)
    before = path.read_bytes()
    with pytest.raises(CatalogError) as caught:
        open_catalog(homeless)
    assert caught.value.code == "catalog_corrupt"
    assert path.read_bytes() == before


def test_a_catalog_of_a_newer_release_is_refused(homeless: Settings) -> None:
    open_catalog(homeless).close()
    with sqlite3.connect(homeless.home / "catalog.sqlite3") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(CatalogError, match="newer Pinakes") as caught:
        open_catalog(homeless)
    assert caught.value.code == "newer_catalog"


def test_a_server_that_is_away_is_a_clear_error_without_the_password(tmp_path: Path) -> None:
    url = "postgresql://someone:hunter2@127.0.0.1:1/nowhere"
    with pytest.raises(CatalogError) as caught:
        open_catalog(Settings(home=tmp_path, database_url=url))
    assert caught.value.code == "no_server"
    assert "hunter2" not in str(caught.value)


def test_a_failed_write_leaves_nothing(settings: Settings) -> None:
    catalog = open_catalog(settings)
    with pytest.raises(ValueError, match="stop"), catalog.write() as session:
        session.add(Model(key="half"))
        session.flush()
        raise ValueError("stop")
    with catalog.read() as session:
        assert session.query(Model).count() == 0
    catalog.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_is_a_clear_error_and_loses_nothing(tmp_path: Path) -> None:
    home = tmp_path / "small"
    home.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", home], capture_output=True)
    if mount.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        catalog = open_catalog(Settings(home=home))
        with pytest.raises(CatalogError) as caught:
            for place in range(10_000):
                with catalog.write() as session:
                    session.add_all(Model(key=f"{place}-{i}" + "x" * 500) for i in range(50))
        assert caught.value.code in ("disk_full", "disk_io")
        with catalog.read() as session:
            assert session.query(Model).count() % 50 == 0
        catalog.close()
    finally:
        subprocess.run(["umount", home], check=True)


HOLD = """
import sys, time
from indexer.catalog.database import open_catalog
from indexer.catalog.lock import writer_lock
from indexer.settings import Settings
settings = Settings(home=sys.argv[1], database_url=sys.argv[2] or None)
with writer_lock(open_catalog(settings), settings):
    print("held", flush=True)
    time.sleep(60)
"""


def test_one_writer_at_a_time_and_a_killed_one_frees_the_lock(both: Settings) -> None:
    url = both.database_url.get_secret_value() if both.database_url else ""
    catalog = open_catalog(both)
    holder = subprocess.Popen([sys.executable, "-c", HOLD, both.home, url], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(CatalogError, match="being written by") as caught, writer_lock(catalog, both):
        pass
    assert caught.value.code == "locked"
    holder.kill()
    holder.wait()
    holder.stdout.close()

    def is_free() -> bool:
        try:
            with writer_lock(catalog, both):
                return True
        except CatalogError:
            return False

    patiently(is_free)  # PostgreSQL notices the dead client a moment later
    catalog.close()
