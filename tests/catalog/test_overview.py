"""Who made the library and when; what gained downloads."""

from datetime import timedelta
from typing import Any

from indexer.catalog import entries, hubs
from indexer.catalog.database import Catalog
from indexer.catalog.overview import overview, rising
from indexer.catalog.table_base import now
from indexer.domain.hubs import HubModel, Statistics
from tests.catalog.hub_records import published, release
from tests.catalog.shelf import tree


def store(catalog: Catalog, *models: HubModel) -> None:
    with catalog.write() as session:
        entries.refresh_entries(session, hubs.store_hub_models(session, models).versions, tree)


def made(number: int, creator: str | None, *versions: int, **claims: Any) -> HubModel:
    dated = {"published_at": "2026-03-05", "downloads": 100 * number} | claims
    releases = [release(version, number, claims=dated) for version in versions]
    return published(*releases, number=number, claims={"creator": creator} if creator else {})


def test_models_are_counted_once_and_versions_each(catalog: Catalog) -> None:
    store(catalog, made(1, "ann", 10, 11), made(2, "ann", 20), made(3, "ben", 30), made(4, None, 40))
    with catalog.read() as session:
        found = overview(session, frozenset())
    assert [(one.name, one.models, one.versions, one.downloads) for one in found.creators] == [
        ("ann", 2, 3, 400),
        ("ben", 1, 1, 300),
    ]
    assert (found.entries, found.nobody, found.hidden) == (5, 1, 0)
    assert found.months == {"2026-03": {"sdxl": 5}}


def test_hidden_entries_do_not_count(catalog: Catalog) -> None:
    store(catalog, made(1, "ann", 10), made(2, "ben", 20, real_person=True))
    with catalog.read() as session:
        found = overview(session, frozenset({"real_person"}))
    assert [one.name for one in found.creators] == ["ann"]
    assert (found.entries, found.hidden) == (1, 1)


def test_a_small_model_that_doubled_stands_before_a_large_one_that_gained_as_much(catalog: Catalog) -> None:
    for small, large in ((50, 100_000), (150, 100_100)):
        counts = {1: small, 2: large, 3: 70}
        store(
            catalog,
            *(
                published(release(10 * number, number, statistics=Statistics(downloads=count)), number=number)
                for number, count in counts.items()
            ),
        )
    with catalog.read() as session:
        rises = rising(session, now() - timedelta(days=1), 10)
        assert [(rise.before, rise.gained) for rise in rises] == [(50, 100), (100_000, 100)]
        assert rising(session, now() + timedelta(days=1), 10) == []
