"""Which places are hashed, and what becomes of copies that are none."""

import pytest
from sqlalchemy import select

from indexer.catalog.database import Catalog
from indexer.catalog.entries import refresh_entries
from indexer.catalog.hashes import record_hashes, unhashed_bytes, unhashed_places
from indexer.catalog.schema import File
from tests.catalog.shelf import Shelf, found, judged, tree


@pytest.fixture
def shelf(catalog: Catalog) -> Shelf:
    shelf = Shelf(catalog)
    shelf.store(judged(found("a.safetensors"), "same"), judged(found("c.safetensors"), "other"))
    shelf.store(judged(found("b.safetensors"), "same"))
    return shelf


def names(shelf: Shelf, *, everything: bool) -> list[bytes]:
    with shelf.catalog.read() as session:
        return [place.name for place in unhashed_places(session, everything=everything)]


def record(shelf: Shelf, digests: dict[bytes, str]) -> None:
    with shelf.catalog.write() as session:
        places = unhashed_places(session, everything=True)
        touched = record_hashes(
            session, [(p, {"sha256": digests[p.name]}) for p in places if p.name in digests]
        )
        refresh_entries(session, touched, tree)


def test_only_copies_need_a_hash_unless_all_are_wanted(shelf: Shelf) -> None:
    assert names(shelf, everything=False) == [b"a.safetensors", b"b.safetensors"]
    assert len(names(shelf, everything=True)) == 3


def test_true_copies_stay_one_file(shelf: Shelf) -> None:
    record(shelf, {b"a.safetensors": "11", b"b.safetensors": "11"})
    assert names(shelf, everything=False) == []
    with shelf.catalog.read() as session:
        assert sorted(session.scalars(select(File.sha256)), key=str) == ["11", None]
    assert sorted("duplicate" in d.flags for d in shelf.documents()) == [False, True]


def test_false_copies_become_two_files_with_the_same_verdict(shelf: Shelf) -> None:
    record(shelf, {b"a.safetensors": "11", b"b.safetensors": "22"})
    documents = shelf.documents()
    assert len(documents) == 3
    assert not any("duplicate" in document.flags for document in documents)
    assert {document.architecture for document in documents} == {"sdxl"}
    assert {f.sha256 for d in documents for f in d.files} == {"11", "22", None}


def test_measured_hashes_are_found_by_any_of_them(shelf: Shelf) -> None:
    with shelf.catalog.write() as session:
        (place, *_) = unhashed_places(session, everything=True)
        found = {"sha256": "aa" * 32, "crc32": "0d4a1185", "autov3": "cd" * 6}
        refresh_entries(session, record_hashes(session, [(place, found)]), tree)
    (document,) = [d for d in shelf.documents() if "0d4a1185" in d.hashes]
    assert {"aa" * 32, "cd" * 6} <= set(document.hashes)


def test_bytes_to_hash_are_counted(shelf: Shelf) -> None:
    with shelf.catalog.read() as session:
        assert unhashed_bytes(session, everything=True) == 30
        assert unhashed_bytes(session, everything=False) == 20
