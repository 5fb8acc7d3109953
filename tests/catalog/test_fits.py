"""Profiles for fitting: stored once for all files that share one, read back in batches; on both databases."""

import pytest
from sqlalchemy import event, func, select

from indexer.catalog.database import Catalog
from indexer.catalog.fits import fit_rows, iterate_fits
from indexer.catalog.roots import mark_missing
from indexer.catalog.schema import FileFit, FitProfileRow
from indexer.domain.fit import Change, FitProfile, pack, unpack
from tests.catalog.shelf import Shelf, found, judged


@pytest.fixture
def shelf(catalog: Catalog) -> Shelf:
    return Shelf(catalog)


def profile(rank: int = 4) -> FitProfile:
    return FitProfile("lora", (Change("denoiser", "x", 8, 8, ()),), facts={"rank": rank})


def store(shelf: Shelf, name: str, content: str, fit: bytes | None, **verdict: object) -> None:
    item = judged(found(name), content, **verdict)
    shelf.store(type(item)(item.found, content, item.container, item.verdict, item.claims, fit=fit))


def count(shelf: Shelf, table: type) -> int:
    with shelf.catalog.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_files_of_one_sort_share_a_profile(shelf: Shelf) -> None:
    for number in range(3):
        store(shelf, f"{number}.safetensors", f"c{number}", pack(profile()))
    store(shelf, "other.safetensors", "c9", pack(profile(8)))
    assert (count(shelf, FileFit), count(shelf, FitProfileRow)) == (4, 2)
    ids = [document.id for document in shelf.documents()]
    with shelf.catalog.read() as session:
        rows = fit_rows(session, ids)
    read = [unpack(rows[id_][0].data or b"").facts["rank"] for id_ in ids]
    assert sorted(read) == [4, 4, 4, 8]
    assert {rows[id_][0].verdict["architecture"] for id_ in ids} == {"sdxl"}


def test_the_latest_profile_of_a_file_counts(shelf: Shelf) -> None:
    for fit in (pack(profile()), pack(profile(8)), pack(profile(8))):
        store(shelf, "a.safetensors", "c1", fit)
    with shelf.catalog.read() as session:
        (row,) = fit_rows(session, [shelf.only().id])[shelf.only().id]
    assert unpack(row.data or b"").facts["rank"] == 8
    store(shelf, "a.safetensors", "c1", None)
    assert count(shelf, FileFit) == 0


def test_a_file_that_went_away_is_told_from_one_that_is_here(shelf: Shelf) -> None:
    store(shelf, "a.safetensors", "c1", pack(profile()))
    id_ = shelf.only().id
    with shelf.catalog.read() as session:
        assert fit_rows(session, [id_])[id_][0].path == b"/models/loras/a.safetensors"
    with shelf.catalog.write() as session:
        mark_missing(session, [1])
    with shelf.catalog.read() as session:
        assert fit_rows(session, [id_])[id_][0].path is None


def test_many_are_read_in_batches_by_kind(shelf: Shelf) -> None:
    for number in range(5):
        store(shelf, f"{number}.safetensors", f"c{number}", pack(profile()))
    store(shelf, "base.safetensors", "b", pack(profile()), kind="checkpoint")
    store(shelf, "old.safetensors", "o", None)
    with shelf.catalog.read() as session:
        batches = list(iterate_fits(session, {"lora"}, batch=2))
    assert [len(batch) for batch in batches] == [2, 2, 1]


def test_a_batch_takes_a_fixed_number_of_statements(shelf: Shelf) -> None:
    asked: list[str] = []
    event.listen(shelf.catalog.engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    counts = []
    for files in (1, 30):
        asked.clear()
        items = [judged(found(f"{files}-{n}.safetensors"), f"{files}-{n}") for n in range(files)]
        shelf.store(
            *(
                type(i)(i.found, i.fingerprint, i.container, i.verdict, i.claims, fit=pack(profile()))
                for i in items
            )
        )
        counts.append(sum("fit" in statement for statement in asked))
    assert counts[0] == counts[1] <= 4
