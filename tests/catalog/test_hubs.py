"""Storing what hubs publish: nothing twice, nothing lost, our files found by their hashes."""

from sqlalchemy import func, select

from indexer.catalog import entries, hubs
from indexer.catalog.database import Catalog
from indexer.catalog.linking import link_by_hash
from indexer.catalog.schema import (
    ClaimRow,
    File,
    HashRow,
    HubFileRow,
    Model,
    Preview,
    RefusedItem,
    Statistic,
    Version,
)
from indexer.catalog.upsert import upsert
from indexer.domain.hubs import HubModel, Refused, hash_values
from indexer.domain.records import Document
from indexer.domain.vocabulary import architecture_path
from tests.catalog.hub_records import offered, published, release
from tests.catalog.shelf import Shelf, found, judged
from tests.catalog.shelf import said as beside

TABLES = (Model, Version, ClaimRow, Statistic, HubFileRow, HashRow, Preview)


def store(catalog: Catalog, *models: HubModel) -> hubs.StoredHub:
    with catalog.write() as session:
        return hubs.store_hub_models(session, models)


def counts(catalog: Catalog) -> dict[str, int]:
    with catalog.read() as session:
        return {t.__tablename__: session.scalar(select(func.count()).select_from(t)) or 0 for t in TABLES}


def rich() -> HubModel:
    return published(
        release(7, 3, offered("1", sha256="aa", crc32="bb"), images=("https://h/1", "https://h/2"))
    )


def test_storing_a_page_twice_changes_nothing(catalog: Catalog) -> None:
    store(catalog, rich())
    before = counts(catalog)
    assert before == {
        "model": 1, "version": 1, "claim": 2, "statistic": 1, "hub_file": 1, "hash": 2, "preview": 2,
    }  # fmt: skip
    store(catalog, rich())
    assert counts(catalog) == before


def test_a_change_is_added_and_only_the_last_word_is_current(catalog: Catalog) -> None:
    store(catalog, published(downloads=10))
    store(catalog, published(downloads=25, claims={"name": "New name"}))
    with catalog.read() as session:
        rows = session.scalars(select(ClaimRow).where(ClaimRow.model_id.is_not(None))).all()
        assert {(row.claims["name"], row.current) for row in rows} == {("Model 3", False), ("New name", True)}
        assert session.scalars(select(Statistic.downloads).order_by(Statistic.id)).all() == [10, 25]


def test_numbers_that_went_back_are_a_change_too(catalog: Catalog) -> None:
    for downloads in (10, 25, 10, 10):
        store(catalog, published(downloads=downloads))
    with catalog.read() as session:
        assert session.scalars(select(Statistic.downloads).order_by(Statistic.id)).all() == [10, 25, 10]


def test_a_model_taken_down_keeps_all_that_was_known(catalog: Catalog) -> None:
    store(catalog, rich())
    before = counts(catalog)
    bare = HubModel("civitai:3", "civitai", published().claims, (release(),), gone="taken_down")
    store(catalog, bare)
    with catalog.read() as session:
        model = session.scalars(select(Model)).one()
        assert (model.gone, model.creator_id is not None) == ("taken_down", True)
        first = model.gone_at
        assert session.scalars(select(Version.gone)).one() == "taken_down"
        assert session.scalars(select(HubFileRow.gone_at)).one() is None
        assert session.scalars(select(Preview.status)).all() == ["new", "new"]
    after = counts(catalog)
    assert {name: after[name] for name in ("hub_file", "hash", "preview")} == {
        name: before[name] for name in ("hub_file", "hash", "preview")
    }
    store(catalog, bare)
    with catalog.read() as session:
        assert session.scalars(select(Model.gone_at)).one() == first


def test_a_model_that_comes_back_is_no_longer_gone(catalog: Catalog) -> None:
    store(catalog, published(gone="archived"))
    store(catalog, rich())
    with catalog.read() as session:
        model = session.scalars(select(Model)).one()
        assert (model.gone, model.gone_at) == (None, None)


def test_deleted_models_are_marked(catalog: Catalog) -> None:
    store(catalog, rich(), published(number=4))
    with catalog.write() as session:
        assert len(hubs.mark_gone(session, ["civitai:3", "civitai:99"], "deleted")) == 1
    with catalog.read() as session:
        assert dict(session.execute(select(Model.key, Model.gone)).all()) == {
            "civitai:3": "deleted",
            "civitai:4": None,
        }


def test_files_and_pictures_withdrawn_from_a_version_are_marked(catalog: Catalog) -> None:
    store(
        catalog, published(release(7, 3, offered("1"), offered("2"), images=("https://h/1", "https://h/2")))
    )
    store(catalog, published(release(7, 3, offered("2"), images=("https://h/2",))))
    with catalog.read() as session:
        assert dict(session.execute(select(HubFileRow.key, HubFileRow.gone_at.is_not(None))).all()) == {
            "1": True,
            "2": False,
        }
        assert dict(session.execute(select(Preview.location, Preview.status)).all()) == {
            b"https://h/1": "missing",
            b"https://h/2": "new",
        }
    store(catalog, published(release(7, 3, offered("2"), images=("https://h/1", "https://h/2"))))
    with catalog.read() as session:
        assert session.scalars(select(Preview.status)).all() == ["new", "new"]


def hashed(catalog: Catalog, shelf: Shelf, **hashes: str) -> int:
    """A file of ours with measured hashes."""
    shelf.store(judged(found(), "c1"))
    with catalog.write() as session:
        file_id = session.scalars(select(File.id)).one()
        rows = [{"file_id": file_id, "kind": kind, "value": value} for kind, value in hashes.items()]
        upsert(session, HashRow, rows, ["file_id", "kind"])
    return file_id


def version_key(catalog: Catalog) -> str:
    with catalog.read() as session:
        return session.scalars(select(Version.key).join(File, File.version_id == Version.id)).one()


def test_a_page_finds_our_file_by_its_hash(catalog: Catalog) -> None:
    hashed(catalog, Shelf(catalog), sha256="aa", autov2="a")
    stored = store(catalog, rich())
    assert (stored.linked, version_key(catalog)) == (1, "civitai:3@7")
    assert len(stored.versions) == 2  # the one it left, too


def test_a_measured_hash_finds_the_hubs_version(catalog: Catalog) -> None:
    store(catalog, rich())
    file_id = hashed(catalog, Shelf(catalog), sha256="aa")
    with catalog.write() as session:
        assert link_by_hash(session, files=[file_id]).files == 1
    assert version_key(catalog) == "civitai:3@7"


def test_short_hashes_link_nothing(catalog: Catalog) -> None:
    hashed(catalog, Shelf(catalog), crc32="bb")
    assert store(catalog, rich()).linked == 0


def test_a_linked_file_stays_when_it_is_judged_again(catalog: Catalog) -> None:
    shelf = Shelf(catalog)
    hashed(catalog, shelf, sha256="aa")
    store(catalog, rich())
    shelf.store(judged(found(mtime_ns=5), "c1", beside(civitai_model_id=9, civitai_version_id=9)))
    assert version_key(catalog) == "civitai:3@7"


def test_a_version_named_by_a_sidecar_without_its_model_is_adopted(catalog: Catalog) -> None:
    Shelf(catalog).store(judged(found(), "c1", beside(civitai_version_id=7)))
    assert version_key(catalog) == "civitai:?@7"
    store(catalog, rich())
    assert version_key(catalog) == "civitai:3@7"


def test_refused_items_are_kept_once(catalog: Catalog) -> None:
    for detail in ("first", "second"):
        with catalog.write() as session:
            hubs.store_refused(session, [Refused("civitai", "5", "item", detail, {"id": 5})])
    with catalog.read() as session:
        assert session.scalars(select(RefusedItem.detail)).all() == ["second"]


def test_typed_hashes_are_understood() -> None:
    assert hash_values("85114A0D") == ("85114a0d", "0d4a1185")
    assert hash_values(" 0xB94D27B993 ") == ("b94d27b993",)
    assert hash_values("not a hash") == ("not a hash",)


def entry(catalog: Catalog, stored: hubs.StoredHub) -> Document:
    with catalog.write() as session:
        entries.refresh_entries(session, stored.versions, architecture_path)
    with catalog.read() as session:
        (document,) = entries.documents(session, stored.versions).values()
    return document


def test_a_model_that_is_only_at_the_hub_is_searchable(catalog: Catalog) -> None:
    document = entry(catalog, store(catalog, rich()))
    assert (document.name, document.version, document.kind) == ("Model 3", "v7", "lora")
    assert (document.architecture, document.base_label, document.confidence) == ("sdxl", "SDXL 1.0", 0.5)
    assert (document.size, document.hashes, document.files) == (1000, ("aa", "bb"), ())
    assert "remote" in document.flags
    assert "unidentified" not in document.flags


def test_a_linked_file_tells_what_it_is_and_the_hub_what_it_is_called(catalog: Catalog) -> None:
    hashed(catalog, Shelf(catalog), sha256="aa")
    document = entry(catalog, store(catalog, rich()))
    assert (document.name, document.confidence, "local" in document.flags) == ("Model 3", 0.9, True)


def test_the_last_words_of_a_vanished_model_fill_what_its_last_page_lacks(catalog: Catalog) -> None:
    store(catalog, published(claims={"description": "Washes of ink"}))
    document = entry(catalog, store(catalog, published(claims={"name": "Removed"}, gone="taken_down")))
    assert (document.name, document.description) == ("Removed", "Washes of ink")
    assert "gone" in document.flags
