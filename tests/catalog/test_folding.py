"""Near-duplicates stand under one model, whichever of them is known first."""

from dataclasses import replace

from indexer.catalog import entries, hubs, weights
from indexer.catalog.database import Catalog
from indexer.catalog.folding import folds
from indexer.catalog.schema import File, HashRow
from indexer.catalog.vectors import open_space
from indexer.domain.hubs import HubFile, HubModel
from indexer.domain.records import Document
from tests.catalog.hub_records import offered, published, release
from tests.catalog.shelf import Shelf, found, judged, tree


def store(catalog: Catalog, *models: HubModel) -> dict[int, Document]:
    """All entries after storing ``models``, by the hub's number of the model."""
    with catalog.write() as session:
        touched = hubs.store_hub_models(session, models).versions
        entries.refresh_entries(session, touched, tree)
    with catalog.read() as session:
        shown = [d for _, _, d in entries.changed_entries(session, 0) if d is not None]
    return {int(d.name.removeprefix("Model ")): d for d in shown}


def model(number: int, *files: HubFile) -> HubModel:
    return published(release(number * 10, number, *files), number=number)


def test_a_file_published_twice_stands_under_the_first_model(catalog: Catalog) -> None:
    store(catalog, model(1, offered("a", sha256="aa")), model(2, offered("b", sha256="bb")))
    shown = store(catalog, model(3, offered("c", sha256="aa")))
    assert shown[3].fold == shown[1].model_id
    assert (shown[1].fold, shown[2].fold) == (0, 0)


def test_an_entry_known_before_is_told_of_a_twin_with_an_older_model(catalog: Catalog) -> None:
    store(catalog, model(1, offered("a", sha256="aa")), model(2, offered("b", sha256="bb")))
    both = published(
        release(10, 1, offered("a", sha256="aa")), release(11, 1, offered("x", sha256="bb")), number=1
    )
    shown = store(catalog, both)
    assert shown[2].fold == shown[1].model_id


def test_a_file_that_many_come_with_makes_no_duplicates(catalog: Catalog) -> None:
    shown = store(
        catalog,
        model(1, offered("a", sha256="aa"), replace(offered("v", sha256="ee"), primary=False)),
        model(2, offered("b", sha256="bb"), replace(offered("v", sha256="ee"), primary=False)),
    )
    assert {d.fold for d in shown.values()} == {0}


def test_the_hash_of_nothing_makes_no_duplicates(catalog: Catalog) -> None:
    nothing = "e3b0c44298fc"
    shown = store(catalog, model(1, offered("a", autov3=nothing)), model(2, offered("b", autov3=nothing)))
    assert {d.fold for d in shown.values()} == {0}


def files(catalog: Catalog) -> list[int]:
    with catalog.read() as session:
        return [row.id for row in session.query(File).order_by(File.id)]


def test_twins_of_twins_stand_together(catalog: Catalog) -> None:
    shelf = Shelf(catalog)
    shelf.store(*(judged(found(f"{n}.safetensors"), n) for n in "abcd"))
    one, two, three, _ = files(catalog)
    with catalog.write() as session:
        weights.store_twins(session, [(one, two, 0.999, 1.0), (three, two, 0.999, 1.0)])
        entries.refresh_entries(session, entries.versions_of_files(session, [three]), tree)
    first, *others = shelf.documents()
    assert [first.fold, *(d.fold for d in others)] == [0, first.model_id, first.model_id, 0]


def test_twins_that_are_measured_anew_are_apart_again(catalog: Catalog) -> None:
    shelf = Shelf(catalog)
    shelf.store(judged(found("a.safetensors"), "a"), judged(found("b.safetensors"), "b"))
    one, two = files(catalog)
    with catalog.write() as session:
        space = open_space(session, "key", "weights", 2, {})
        weights.store_twins(session, [(one, two, 0.999, 1.0)])
        entries.refresh_entries(session, entries.versions_of_files(session, [one, two]), tree)
    assert shelf.documents()[1].fold
    with catalog.write() as session:
        weights.record_weights(session, space, [weights.MeasuredFile(one, 1, 0, 1.0, 1.0, None, None)])
        entries.refresh_entries(session, entries.versions_of_files(session, [one, two]), tree)
    assert shelf.documents()[1].fold == 0


def test_files_with_the_same_tensors_stand_together(catalog: Catalog) -> None:
    shelf = Shelf(catalog)
    shelf.store(judged(found("a.safetensors"), "a"), judged(found("b.safetensors"), "b"))
    with catalog.write() as session:
        session.add_all(HashRow(file_id=id_, kind="autov3", value="0123456789ab") for id_ in files(catalog))
        session.flush()
        ids = entries.versions_of_files(session, files(catalog))
        least = min(d.model_id for d in shelf.documents())
        assert folds(session, ids) == dict.fromkeys(ids, least)
