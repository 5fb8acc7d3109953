"""The user's own marks stay with the thing they were made on, whatever becomes of its rows."""

from datetime import UTC, datetime

import pytest

from indexer.catalog import entries, hubs, personal, personal_keys
from indexer.catalog.database import Catalog
from indexer.catalog.hashes import record_hashes, unhashed_places
from indexer.domain.hubs import HubModel
from indexer.domain.marks import Change, Marks, Opinion
from indexer.domain.records import Document
from tests.catalog.hub_records import offered, published, release
from tests.catalog.shelf import Shelf, found, judged, said, tree

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
RICH = Change(favourite=True, seen=True, rating=4.5, note="soft light", purpose="portrait", tag=("Comic",))
SHA = "ab" * 32


@pytest.fixture
def shelf(catalog: Catalog) -> Shelf:
    return Shelf(catalog)


def mark(shelf: Shelf, change: Change, *ids: int) -> set[int]:
    with shelf.catalog.write() as session:
        changed = personal.change_marks(session, ids, change, NOON)
        entries.refresh_entries(session, changed, tree)
        return changed


def crawl(shelf: Shelf, *models: HubModel) -> None:
    with shelf.catalog.write() as session:
        entries.refresh_entries(session, hubs.store_hub_models(session, models).versions, tree)


def measure(shelf: Shelf, *digests: str) -> None:
    """Hash every place, in order."""
    with shelf.catalog.write() as session:
        places = unhashed_places(session, everything=True)
        pairs = [(place, {"sha256": digest}) for place, digest in zip(places, digests, strict=True)]
        entries.refresh_entries(session, record_hashes(session, pairs), tree)


def is_marked(document: Document) -> bool:
    told = (document.my_rating, document.my_tags, document.notes)
    flags = {"favourite", "seen", "rated"} <= set(document.flags) and "unseen" not in document.flags
    return flags and told == (4.5, ("Comic",), ("soft light",))


def test_marks_stand_in_the_document(shelf: Shelf) -> None:
    shelf.store(judged())
    assert "unseen" in shelf.only().flags
    assert mark(shelf, RICH, shelf.only().id) == {shelf.only().id}
    assert is_marked(shelf.only())
    assert mark(shelf, RICH, shelf.only().id) == set()


def test_a_persons_word_wins_over_another_tools(shelf: Shelf) -> None:
    shelf.store(judged(found(), "c1", said("sidecar:metadata", favourite=True, notes="theirs")))
    assert "favourite" in shelf.only().flags
    mark(shelf, Change(favourite=False, note="mine"), shelf.only().id)
    assert "favourite" not in shelf.only().flags
    assert shelf.only().notes == ("mine", "theirs")


def test_marks_survive_a_new_look_and_a_new_crawl(shelf: Shelf) -> None:
    model = published(release(7, 3, offered(sha256=SHA)))
    crawl(shelf, model)
    mark(shelf, RICH, shelf.only().id)
    crawl(shelf, model, published(number=4))
    crawl(shelf, HubModel("civitai:3", "civitai", model.claims, (), gone="deleted"))
    assert [is_marked(document) for document in shelf.documents()] == [True, False]


def test_marks_go_with_a_file_to_the_hubs_version(shelf: Shelf) -> None:
    shelf.store(judged())
    mark(shelf, RICH, shelf.only().id)
    measure(shelf, SHA)
    crawl(shelf, published(release(7, 3, offered(sha256=SHA))))
    assert is_marked(shelf.only())
    assert shelf.only().name == "Model 3"
    with shelf.catalog.read() as session:
        assert personal.marked_versions(session) == [shelf.only().id]


def test_marks_of_both_are_merged_when_two_prove_to_be_one(shelf: Shelf) -> None:
    crawl(shelf, published(release(7, 3, offered(sha256=SHA))))
    mark(shelf, Change(rating=2.0, note="from afar", tag=("later",)), shelf.only().id)
    shelf.store(judged())
    local = next(document for document in shelf.documents() if document.files)
    mark(shelf, RICH, local.id)
    with shelf.catalog.write() as session:
        places = unhashed_places(session, everything=True)
        entries.refresh_entries(session, record_hashes(session, [(places[0], {"sha256": SHA})]), tree)
    document = shelf.only()
    assert set(document.my_tags) == {"Comic", "later"}
    assert set(document.notes) == {"from afar", "soft light"}
    assert "favourite" in document.flags


def test_marks_go_along_when_a_sidecar_names_the_version(shelf: Shelf) -> None:
    shelf.store(judged())
    mark(shelf, RICH, shelf.only().id)
    shelf.store(judged(found(), "c1", said(civitai_model_id=3, civitai_version_id=7, name="Ink")))
    assert shelf.only().name == "Ink"
    assert is_marked(shelf.only())
    shelf.store(judged())  # the sidecar is gone again
    assert is_marked(shelf.only())


def test_marks_stay_when_a_nameless_version_is_adopted(shelf: Shelf) -> None:
    shelf.store(judged(found(), "c1", said(civitai_version_id=7, name="Ink")))
    mark(shelf, RICH, shelf.only().id)
    crawl(shelf, published(release(7, 3)))
    assert is_marked(shelf.only())


def test_copies_that_turn_out_to_differ_are_both_marked(shelf: Shelf) -> None:
    shelf.store(judged(found("a.safetensors"), "c1"), judged(found("b.safetensors"), "c1"))
    mark(shelf, RICH, shelf.only().id)
    measure(shelf, "aa" * 32, "bb" * 32)
    assert [is_marked(document) for document in shelf.documents()] == [True, True]


def test_many_are_marked_at_once(shelf: Shelf) -> None:
    shelf.store(*(judged(found(f"{n}.safetensors"), f"c{n}") for n in range(3)))
    ids = [document.id for document in shelf.documents()]
    assert mark(shelf, Change(seen=True), *ids) == set(ids)
    assert all("seen" in document.flags for document in shelf.documents())


def test_marks_wait_for_their_model(shelf: Shelf) -> None:
    marks = Marks(favourite=True, opinions={"": Opinion(5.0)}, at=NOON)
    with shelf.catalog.write() as session:
        assert personal_keys.keep_pending(session, [(["civitai:7", "sha256:" + SHA], marks)]) == 1
        assert personal_keys.keep_pending(session, [(["civitai:7", "sha256:" + SHA], marks)]) == 0
        assert personal_keys.count_pending(session) == 1
    crawl(shelf, published(release(8, 9), number=9))
    with shelf.catalog.read() as session:
        assert personal_keys.count_pending(session) == 1
    crawl(shelf, published(release(7, 3)))
    document = next(d for d in shelf.documents() if d.name == "Model 3")
    assert (document.my_rating, "favourite" in document.flags) == (5.0, True)
    with shelf.catalog.read() as session:
        assert personal_keys.count_pending(session) == 0


def test_keys_mean_the_same_in_another_catalog(shelf: Shelf) -> None:
    shelf.store(judged(found(), "c1"))
    crawl(shelf, published(release(7, 3, offered(sha256=SHA))))
    ids = [document.id for document in shelf.documents()]
    with shelf.catalog.read() as session:
        keys = personal_keys.stable_keys(session, ids)
        flat = [key for names in keys.values() for key in names]
        assert set(flat) == {"content:c1", "version:civitai:3@7", "civitai:7", "sha256:" + SHA}
        meant = personal_keys.versions_of_keys(session, [*flat, "civitai:99", "nonsense", "sha256:"])
    known = {key: id_ for id_, names in keys.items() for key in names}
    # The bare number is known once names are learned; the whole key says the same.
    assert meant == {key: id_ for key, id_ in known.items() if key != "civitai:7"}
