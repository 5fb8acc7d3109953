"""Norms of popularity, made from a sample of the entries and kept until the catalog changes."""

from datetime import date, timedelta

from indexer.catalog import entries, hubs
from indexer.catalog.database import Catalog
from indexer.catalog.norms import norms_number, read_norms, refresh_norms
from indexer.domain.cards import code
from indexer.domain.hubs import HubModel
from indexer.domain.norms import NO_NORMS, Norms
from indexer.domain.popularity import attention
from indexer.domain.records import Document
from tests.catalog.hub_records import published, release
from tests.catalog.shelf import tree

TODAY = date(2026, 1, 1)


def models(first: int, count: int, downloads: int | None = 100) -> list[HubModel]:
    said = {"published_at": "2025-12-20", "downloads": downloads}
    numbers = range(first, first + count)
    return [published(release(n, n, claims=said), number=n) for n in numbers]


def store(catalog: Catalog, found: list[HubModel]) -> None:
    with catalog.write() as session:
        entries.refresh_entries(session, hubs.store_hub_models(session, found).versions, tree)


def refresh(catalog: Catalog, today: date = TODAY) -> tuple[bool, Norms]:
    with catalog.write() as session:
        made = refresh_norms(session, today)
    with catalog.read() as session:
        return made, read_norms(session)


def test_norms_are_those_of_the_documents(catalog: Catalog) -> None:
    store(catalog, models(1, 80))
    made, norms = refresh(catalog)
    assert made
    cell = norms.cell(code("sdxl"), 12)
    assert cell == (code("sdxl"), 0)
    usual = attention(Document(1, 1, "x", downloads=100))
    assert norms.place(usual - 0.1, cell) == 0.0
    assert norms.place(usual + 0.1, cell) == 1.0


def test_norms_are_kept_until_enough_has_changed(catalog: Catalog) -> None:
    assert refresh(catalog) == (False, NO_NORMS)
    store(catalog, models(1, 80))
    first = refresh(catalog)
    with catalog.read() as session:
        number = norms_number(session)
    store(catalog, models(81, 2))
    assert refresh(catalog) == (False, first[1])
    store(catalog, models(83, 10))
    assert refresh(catalog)[0]
    with catalog.read() as session:
        assert norms_number(session) > number > 0


def test_norms_grow_old(catalog: Catalog) -> None:
    store(catalog, models(1, 60))
    assert refresh(catalog)[0]
    assert not refresh(catalog, TODAY + timedelta(days=29))[0]
    made, norms = refresh(catalog, TODAY + timedelta(days=60))
    assert made
    assert norms.cell(code("sdxl"), 12) == (code("sdxl"), -1)


def test_what_nobody_counts_makes_no_norm(catalog: Catalog) -> None:
    store(catalog, models(1, 60, downloads=None))
    assert refresh(catalog) == (True, NO_NORMS)
