"""Parents and children by hash, by a hub's name, by a file's name; on both databases."""

import pytest

from indexer.catalog import lineage, resources
from indexer.catalog.database import Catalog
from indexer.catalog.entries import shown_entries
from tests.catalog.shelf import Shelf, found, judged, said


@pytest.fixture
def shelf(catalog: Catalog) -> Shelf:
    return Shelf(catalog)


def learn(shelf: Shelf) -> dict[str, int]:
    """Names of entries -> ids, once their names are learned as an index run does."""
    documents = shelf.documents()
    with shelf.catalog.write() as session:
        resources.learn_names(session, {document.id: document.kind for document in documents})
    return {document.file_names[0].removesuffix(".safetensors"): document.id for document in documents}


def store(shelf: Shelf, name: str, kind: str = "lora", **claims: object) -> None:
    sets = [said("header:kohya", **claims)] if claims else []
    shelf.store(judged(found(f"{name}.safetensors"), f"content-{name}", *sets, kind=kind))


def test_a_base_and_what_was_trained_on_it(shelf: Shelf) -> None:
    store(shelf, "base", "checkpoint")
    store(shelf, "base two", "checkpoint")
    store(shelf, "style", trained_on="D:\\models\\Base Two.safetensors")
    store(shelf, "other", trained_on="elsewhere.safetensors", trained_on_hash="0123456789")
    ids = learn(shelf)
    with shelf.catalog.read() as session:
        (up,) = lineage.parents(session, [ids["style"]])
        (unknown,) = lineage.parents(session, [ids["other"]])
        (down,) = lineage.children(session, [ids["base two"]])
        assert lineage.children(session, [ids["base"], ids["style"]]) == []
    assert (up.parent_id, up.sure, up.parent.source) == (ids["base two"], False, "header:kohya")
    assert (unknown.parent_id, unknown.parent.name, unknown.parent.hash) == (
        None,
        "elsewhere.safetensors",
        "0123456789",
    )
    assert down == up


def test_a_merge_has_several_parents(shelf: Shelf) -> None:
    for name in ("one", "two", "six"):
        store(shelf, name, "checkpoint")
    store(shelf, "merge", "checkpoint", merged_from=["one [0123456789]", "two", "three"])
    ids = learn(shelf)
    with shelf.catalog.read() as session:
        up = lineage.parents(session, [ids["merge"]])
        down = lineage.children(session, [ids["one"], ids["two"], ids["six"]])
    assert [one.parent_id for one in up] == [ids["one"], ids["two"], None]
    assert {(one.parent_id, one.child_id) for one in down} == {
        (ids["one"], ids["merge"]),
        (ids["two"], ids["merge"]),
    }


def test_what_is_said_anew_replaces_what_was_said(shelf: Shelf) -> None:
    store(shelf, "base", "checkpoint")
    for base in ("base", "base", "else"):
        store(shelf, "style", trained_on=base)
    ids = learn(shelf)
    with shelf.catalog.read() as session:
        assert [one.parent.name for one in lineage.parents(session, ids.values())] == ["else"]


def test_versions_of_one_model_are_sisters(shelf: Shelf) -> None:
    for version in (70, 71, 72):
        claims = said(civitai_model_id=7, civitai_version_id=version, name="Ink")
        shelf.store(judged(found(f"v{version}.safetensors"), f"c{version}", claims))
    ids = [document.id for document in shelf.documents()]
    with shelf.catalog.read() as session:
        assert lineage.sister_versions(session, ids[0]) == [ids[2], ids[1]]
        assert shown_entries(session, ids) == set(ids)
        assert lineage.near_duplicates(session, ids[0]) == {}
