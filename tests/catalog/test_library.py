"""Storing findings: natural keys, append-only claims, nothing doubled; on both databases."""

import pytest
from sqlalchemy import func, select

from indexer.catalog.database import Catalog
from indexer.catalog.details import quarantined, version_details
from indexer.catalog.roots import known_places, mark_missing, unseen_places
from indexer.catalog.schema import ClaimRow, File, Location, Model, Override, Preview, Statistic, VersionTag
from indexer.domain.found import Problem
from tests.catalog.shelf import Shelf, found, judged, picture, said


@pytest.fixture
def shelf(catalog: Catalog) -> Shelf:
    return Shelf(catalog)


def count(shelf: Shelf, table: type) -> int:
    with shelf.catalog.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_file_becomes_an_entry(shelf: Shelf) -> None:
    shelf.store(
        judged(found(), "c1", said(name="Ink Wash", tags=["Ink", "ink", "Style"], trigger_words=["inkw"]))
    )
    document = shelf.only()
    assert (document.name, document.kind, document.architecture_path) == ("Ink Wash", "lora", ("sdxl",))
    assert document.files[0].path == "/models/loras/a.safetensors"
    assert {"trigger", "sidecar"} <= set(document.has)
    assert count(shelf, VersionTag) == 2


def test_storing_the_same_again_changes_nothing(shelf: Shelf) -> None:
    item = judged(found(previews=(picture("/p.png"),)), "c1", said(name="A", downloads=5))
    shelf.store(item)
    before = shelf.last_change()
    shelf.store(item)
    assert shelf.last_change() == before
    for table in (File, Location, ClaimRow, Statistic, Preview, Model):
        assert count(shelf, table) == 1, table


def test_a_later_word_replaces_but_the_earlier_stays(shelf: Shelf) -> None:
    for name in ("First", "Second"):
        shelf.store(judged(found(), "c1", said(name=name)))
    assert shelf.only().name == "Second"
    assert count(shelf, ClaimRow) == 2
    shelf.store(judged(found(), "c1", said(name="First")))
    assert shelf.only().name == "First"
    assert count(shelf, ClaimRow) == 2


def test_statistics_are_kept_over_time(shelf: Shelf) -> None:
    for downloads in (5, 5, 9):
        shelf.store(judged(found(), "c1", said(downloads=downloads)))
    assert count(shelf, Statistic) == 2
    assert shelf.only().downloads == 9


def test_two_files_of_one_hub_version_are_one_entry(shelf: Shelf) -> None:
    ids = said(civitai_model_id=7, civitai_version_id=70, name="Pair")
    shelf.store(judged(found("a.safetensors"), "c1", ids), judged(found("b.safetensors"), "c2", ids))
    assert len(shelf.only().files) == 2
    assert shelf.only().sources[1].id == "70"


def test_a_sidecar_that_comes_later_moves_the_file_to_its_version(shelf: Shelf) -> None:
    shelf.store(judged(found(), "c1"))
    first = shelf.only().id
    shelf.store(judged(found(), "c1", said(civitai_model_id=7, civitai_version_id=70, name="Known")))
    assert shelf.only().name == "Known"
    assert shelf.only().id != first


def test_the_same_bytes_in_two_places_are_one_file(shelf: Shelf) -> None:
    shelf.store(judged(found("a.safetensors"), "c1", said(name="A")))
    shelf.store(judged(found("b.safetensors", "other"), "c1"))
    document = shelf.only()
    assert [f.path for f in document.files] == ["/models/loras/a.safetensors", "/models/other/b.safetensors"]
    assert "duplicate" in document.flags
    assert document.name == "A", "a word heard at one place stays when the other is read"


def test_a_file_that_breaks_is_quarantined_and_mended_again(shelf: Shelf) -> None:
    shelf.store(judged(found(), "c1"))
    shelf.store(Problem(found(), "data_truncated", "It is cut off.", retry=False))
    assert "missing" in shelf.only().flags
    with shelf.catalog.read() as session:
        (row,) = quarantined(session)
    assert (row["code"], row["path"]) == ("data_truncated", "/models/loras/a.safetensors")
    shelf.store(judged(found(), "c1"))
    with shelf.catalog.read() as session:
        assert quarantined(session) == []
    assert "missing" not in shelf.only().flags


def test_known_places_and_what_was_not_seen(shelf: Shelf) -> None:
    shelf.store(judged(found("a.safetensors"), "c1"), judged(found("b.safetensors", "locked/sub"), "c2"))
    with shelf.catalog.read() as session:
        known = known_places(session, shelf.root, b"loras")
        assert list(known) == [b"a.safetensors"]
        seen = {known[b"a.safetensors"].id}
        assert len(unseen_places(session, shelf.root, seen, [])) == 1
        assert unseen_places(session, shelf.root, seen, [b"locked"]) == []
        assert len(unseen_places(session, shelf.root, seen, [b"lock"])) == 1


def test_missing_is_marked_never_deleted(shelf: Shelf) -> None:
    shelf.store(judged(found(), "c1"))
    with shelf.catalog.write() as session:
        (place,) = known_places(session, shelf.root, b"loras").values()
        files = mark_missing(session, [place.id])
    assert len(files) == 1
    assert count(shelf, File) == count(shelf, Location) == 1


def test_previews_follow_the_folder(shelf: Shelf) -> None:
    shelf.store(judged(found(previews=(picture("/1.png"), picture("/2.png"))), "c1"))
    shelf.store(judged(found(previews=(picture("/2.png"), picture("/3.png"))), "c1"))
    with shelf.catalog.read() as session:
        rows = {r.location: (r.position, r.status) for r in session.scalars(select(Preview))}
    assert rows == {b"/1.png": (0, "missing"), b"/2.png": (0, "new"), b"/3.png": (1, "new")}


def test_text_that_databases_refuse_is_stored_replaced(shelf: Shelf) -> None:
    shelf.store(
        judged(found(), "c1", said(name="nul\x00 and \ud800 half", tags=["\x00"], rating=float("nan")))
    )
    assert shelf.only().name == "nul\ufffd and \ufffd half"


def test_an_override_wins(shelf: Shelf) -> None:
    shelf.store(judged(found(), "c1"))
    with shelf.catalog.write() as session:
        session.add(
            Override(file_id=session.scalars(select(File.id)).one(), name="architecture", value="flux1")
        )
    shelf.store(judged(found(), "c1"))
    assert shelf.only().architecture == "flux1"
    assert shelf.only().confidence == 1.0
    assert "overridden" in shelf.only().flags


def test_details_tell_everything(shelf: Shelf) -> None:
    shelf.store(judged(found(previews=(picture("/1.png"),)), "c1", said(name="A", downloads=3)))
    with shelf.catalog.read() as session:
        details = version_details(session, shelf.only().id)
        assert version_details(session, 999) is None
    assert details is not None
    told = details.to_json()
    assert told["files"][0]["verdict"]["architecture"] == "sdxl"
    assert told["claims"][0]["claims"] == {"name": "A", "downloads": 3}
    assert told["previews"][0]["status"] == "new"
    assert told["statistics"][0]["downloads"] == 3
    assert told["name"] == "A"
