"""Homes damaged in every way are found out, and what can be mended is; model folders stay as they are."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from indexer.catalog.database import make_engine, open_catalog
from indexer.catalog.lock import writer_lock
from indexer.catalog.migrating import downgrade_tables
from indexer.doctor import mend
from indexer.errors import CatalogError
from indexer.indexes.vector_store import open_index, read_beside, save_index
from indexer.pipeline import index_folders
from indexer.progress import Silent
from indexer.settings import Settings
from tests.doctor.homes import (
    COUNT,
    Damage,
    alike,
    cut,
    flip,
    indexed,
    look,
    one,
    remove,
    repair,
    rows,
    searched,
    sql,
    states,
    wipe_index_page,
    wipe_table_page,
)

Library = tuple[Path, Settings]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Library:
    place = tmp_path_factory.mktemp("kept")
    return place / "models", indexed(place / "models", Settings(home=place / "home", decode_workers=1))


@pytest.fixture
def home(kept: Library, tmp_path: Path) -> Settings:
    """A copy of it, to be damaged."""
    shutil.copytree(kept[1].home, tmp_path / "home")
    return Settings(home=tmp_path / "home", decode_workers=1)


@pytest.fixture(autouse=True, scope="module")
def _model_folders_stay_as_they_are(kept: Library) -> Iterator[None]:
    def seen() -> dict[str, tuple[int, str]]:
        return {
            str(path): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()[:4_096]).hexdigest())
            for path in sorted(kept[0].rglob("*"))
            if path.is_file()
        }

    before = seen()
    yield
    assert seen() == before


def downgrade(settings: Settings) -> None:
    engine = make_engine(settings.catalog_url)
    downgrade_tables(engine, "0007")
    engine.dispose()


def clear_thumbnails(settings: Settings) -> None:
    shutil.rmtree(settings.thumbnail_folder)


def lose_a_vector(settings: Settings) -> None:
    """An index that is whole, and of another day."""
    folder = settings.vector_folder / "content"
    index, (manifest, pairs) = open_index(folder), read_beside(folder)
    assert pairs is not None
    index.remove(index.ids()[:1])
    save_index(index, folder, manifest.note, pairs)


def give_owners_away(settings: Settings) -> None:
    folder = settings.vector_folder / "content"
    index, (manifest, pairs) = open_index(folder), read_beside(folder)
    assert pairs is not None
    swapped = np.stack([pairs[:, 0], np.roll(pairs[:, 1], 1)], 1)
    save_index(index, folder, manifest.note, swapped)


def remove_text(settings: Settings) -> None:
    shutil.rmtree(settings.text_folder)


def empty_text(settings: Settings) -> None:
    """What a home copied without its indexes gets when it is first searched."""
    remove_text(settings)
    assert searched(settings) == 0


DAMAGES: dict[str, tuple[Damage, set[str]]] = {
    "a file of the text index is cut off": (cut("text/*.term"), {"text index"}),
    "a byte of the text index": (flip("text/*.idx", 0.3), {"text index"}),
    "the end of a file of the text index": (flip("text/*.store", 1.0), {"text index"}),
    "a file of the text index is gone": (remove("text/*.fast"), {"text index"}),
    "the list of the text index": (cut("text/meta.json"), {"text index"}),
    "the format of the text index": (remove("text/format.json"), {"text index"}),
    "no text index": (remove_text, {"text index"}),
    "an empty text index": (empty_text, {"text index"}),
    "a byte of the content index": (flip("vectors/content/*-vectors.faiss"), {"content index"}),
    "the content index is cut off": (cut("vectors/content/*-vectors.faiss"), {"content index"}),
    "the owners beside it": (flip("vectors/content/*-beside.npy", 0.9), {"content index"}),
    "the manifest": (cut("vectors/content/manifest.json"), {"content index"}),
    "no content index": (remove("vectors/content/manifest.json"), {"content index"}),
    "a vector is lost": (lose_a_vector, {"content index"}),
    "vectors of other entries": (give_owners_away, {"content index"}),
    "ids of the style index": (flip("vectors/style/*-ids.npy", 0.9), {"style index"}),
    "the style space": (cut("vectors/space-*.npz"), {"style index"}),
    "no style space": (remove("vectors/space-*.npz"), {"style index"}),
    "a thumbnail is gone": (remove("thumbnails/*/*.webp"), {"thumbnails"}),
    "a byte of a thumbnail": (flip("thumbnails/*/*.webp"), {"thumbnails"}),
    "a thumbnail is cut off": (cut("thumbnails/*/*.webp"), {"thumbnails"}),
    "no thumbnails": (clear_thumbnails, {"thumbnails"}),
    "an entry is gone": (sql("DELETE FROM entry WHERE version_id = 2"), {"entries"}),
    "a version is gone": (sql("DELETE FROM version WHERE id = 2"), {"references"}),
    "a preview is gone": (sql("DELETE FROM preview WHERE id = 2"), {"references", "style index"}),
    "a counter is gone": (sql("DELETE FROM counter WHERE name = 'change'"), {"counters"}),
    "counters fell back": (sql("UPDATE counter SET value = 1"), {"counters"}),
    "a vector is cut off": (
        sql("UPDATE vector SET data = substr(data, 1, 9) WHERE preview_id = 3"),
        {"vectors"},
    ),
    "changes were not published": (
        sql("UPDATE watermark SET seq = seq - 1 WHERE name = 'text'"),
        {"text index"},
    ),
    "older tables": (downgrade, {"tables"}),
    "an index of the database": (wipe_index_page, {"integrity"}),
}
SPENT = {"a version is gone": 1, "a preview is gone": 0}
"""Models that are lost with the row: what it said of a file cannot be made again but by reading that."""


def test_a_sound_home_is_well(home: Settings) -> None:
    report = repair(home)
    assert (report.state, report.mended, report.repairs) == ("ok", (), frozenset())


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_found_and_mended(home: Settings, name: str) -> None:
    damage, checks = DAMAGES[name]
    damage(home)
    found = look(home)
    assert found.state == "fault"
    assert checks <= set(states(found)), states(found)
    report = mend(home, Silent(), found)
    assert report.state == "ok", states(report)
    assert checks <= set(report.mended)
    left = COUNT - SPENT.get(name, 0)
    assert searched(home) == left
    assert alike(home) == 2 * (COUNT - ("gone" in name and "preview" in name) - (left < COUNT) - 1)


def test_what_lost_its_row_is_read_again_by_the_next_run(home: Settings) -> None:
    sql("DELETE FROM file WHERE id = 2")(home)
    assert states(look(home)) == {"references": "fault"}
    assert "references" in repair(home).mended
    index_folders([], home, Silent())
    assert look(home).state == "ok"
    assert searched(home) == COUNT


def test_what_belongs_to_nobody_is_told_and_removed(home: Settings) -> None:
    kept = set(home.thumbnail_folder.rglob("*.webp"))
    for name in ("ab/" + "ab" * 32 + ".webp", "ab/half.part", "ab/note.txt"):
        path = home.thumbnail_folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    assert states(look(home)) == {"spare": "note"}
    assert repair(home).state == "ok"
    assert {path for path in home.thumbnail_folder.rglob("*") if path.is_file()} == kept


def test_a_dead_runners_lease_is_freed(home: Settings) -> None:
    sql(
        "INSERT INTO schedule (name, job, arguments, trigger, enabled, lease, lease_until, added_at) VALUES "
        "('nightly', 'index', '{}', '0 3 * * *', true, 'host:1:x', '2020-01-01 00:00:00', '2020-01-01 00:00:00')"
    )(home)
    assert states(look(home)) == {"leases": "note"}
    assert repair(home).mended == ("leases",)
    assert rows(home, "SELECT count(*) FROM schedule WHERE lease IS NOT NULL") == 0


def test_a_damaged_database_is_told_and_left_alone(home: Settings) -> None:
    wipe_table_page(home)
    found = look(home)
    assert states(found) == {"integrity": "fault"} or states(found) == {"catalog": "fault"}
    text_index = one(home, "text/*.idx").read_bytes()
    left = repair(home)
    assert left.state == "fault" and left.mended == ()
    assert one(home, "text/*.idx").read_bytes() == text_index, "nothing is built on it"


def test_another_file_in_the_catalogs_place_is_left_there(home: Settings) -> None:
    content = b"not a database, but long enough to be looked at" * 40
    for path in home.home.glob("catalog.sqlite3*"):
        path.unlink()
    (home.home / "catalog.sqlite3").write_bytes(content)
    assert states(repair(home)) == {"catalog": "fault"}
    assert (home.home / "catalog.sqlite3").read_bytes() == content


def test_a_home_without_a_catalog_is_no_fault_and_nothing_is_made(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "nowhere")
    assert states(look(settings)) == {"catalog": "note"}
    assert repair(settings).state == "note"
    assert not settings.home.exists()


def test_tables_of_a_newer_release_are_left_alone(home: Settings) -> None:
    sql("UPDATE alembic_version SET version_num = '9999'")(home)
    found = look(home)
    assert states(found) == {"tables": "fault"} and not found.repairs


def test_while_another_writes_nothing_is_called_behind_and_no_repair_begins(home: Settings) -> None:
    sql("UPDATE watermark SET seq = seq - 1 WHERE name = 'text'")(home)
    with closing(open_catalog(home)) as catalog, writer_lock(catalog, home):
        found = look(home)
        assert states(found) == {"writer": "note", "text index": "note"}
        remove_text(home)
        with pytest.raises(CatalogError, match="being written"):
            repair(home)
    assert repair(home).state == "ok"


def test_looking_leaves_the_home_as_it_is(home: Settings) -> None:
    def seen() -> dict[str, bytes]:
        return {
            str(path): path.read_bytes()
            for path in home.home.rglob("*")
            if path.is_file() and not path.name.startswith("catalog.sqlite3-")
        }

    flip("vectors/content/*-vectors.faiss")(home)
    cut("text/*.term")(home)
    before = seen()
    look(home)
    assert seen() == before


class Stopped(BaseException):
    """Ctrl-C."""


class Impatient(Silent):
    """Stops the work after so many steps."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.left = steps

    @contextmanager
    def stage(self, title: str, unit: str, total: int | None) -> Iterator["Impatient"]:
        yield self

    def advance(self, count: int = 1) -> None:
        self.left -= 1
        if self.left < 0:
            raise Stopped


def test_a_repair_may_be_stopped_at_any_step(home: Settings) -> None:
    clear_thumbnails(home)
    remove_text(home)
    sql("DELETE FROM entry WHERE version_id = 2", "UPDATE counter SET value = 1")(home)
    flip("vectors/content/*-vectors.faiss")(home)
    found = look(home)
    for steps in range(60):
        try:
            report = mend(home, Impatient(steps), found)
        except Stopped:
            found = look(home)
        else:
            break
    assert steps > 3
    assert report.state == "ok", states(report)
    assert searched(home) == COUNT


@pytest.mark.parametrize(
    ("change", "check", "state"),
    [
        ({"clip_pretrained": "/nowhere/weights.safetensors"}, "settings", "fault"),
        ({"host": "0.0.0.0"}, "settings", "note"),
        ({"host": "127.0.0.1"}, "settings", None),
    ],
)
def test_settings_that_contradict(
    home: Settings, change: dict[str, str], check: str, state: str | None
) -> None:
    told = states(look(home.model_copy(update=change)))
    assert told.get(check) == state


def test_weights_that_are_away_spoil_no_index(home: Settings) -> None:
    """Without the weights other vectors would be made: what is there stays."""
    lost = home.model_copy(update={"clip_pretrained": "no-such-tag"})
    before = one(home, "vectors/content/*-vectors.faiss").read_bytes()
    remove_text(lost)
    report = repair(lost)
    assert states(report) == {"weights": "fault"}
    assert "text index" in report.mended
    assert one(home, "vectors/content/*-vectors.faiss").read_bytes() == before


def test_a_server_that_is_away_is_told_and_hinders_nothing_else(home: Settings) -> None:
    away = home.model_copy(update={"meilisearch_url": "http://127.0.0.1:9"})
    clear_thumbnails(away)
    report = repair(away)
    assert states(report) == {"text index": "fault"}
    assert "thumbnails" in report.mended


def test_folders_that_are_away_are_told(home: Settings) -> None:
    sql("UPDATE root SET path = '/mnt/gone/models'")(home)
    assert states(look(home)) == {"folders": "note"}


def test_a_home_inside_a_model_folder_is_told(home: Settings) -> None:
    sql(f"UPDATE root SET path = '{home.home.parent}'")(home)
    assert states(look(home)) == {"folders": "fault"}
