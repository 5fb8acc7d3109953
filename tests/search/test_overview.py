"""Creators and trends as the service answers them."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.catalog.database import Catalog, Session
from indexer.catalog.overview import CreatorCount, Overview
from indexer.catalog.updates import Update, find_updates
from indexer.errors import UsageError
from indexer.settings import Settings
from search import overview
from search.overview import Overviews
from search.service import Pinakes
from tests.catalog.hub_records import published
from tests.catalog.test_updates import have, out, stored


class Fixed(Overviews):
    """Answers from a given overview."""

    def __init__(self, made: Overview) -> None:
        self._made = made

    def _overview(self) -> Overview:
        return self._made


CREATORS = (
    CreatorCount("ann", 3, 4, 900, 10, 45.0),
    CreatorCount("Ben", 1, 1, 50, 100, 480.0),
    CreatorCount("cleo", 2, 2, 40),
)


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("downloads", ["ann", "Ben", "cleo"]),
        ("models", ["ann", "cleo", "Ben"]),
        ("rating", ["Ben", "ann", "cleo"]),
        ("name", ["ann", "Ben", "cleo"]),
    ],
)
def test_creators_are_sorted_and_paged(sort: str, names: list[str]) -> None:
    kept = Fixed(Overview(CREATORS))
    page = kept.creators(sort=sort, limit=2, offset=1)
    assert [one.name for one in page.creators] == names[1:]
    assert (page.total, page.half_models, page.half_downloads) == (3, 1, 1)


def test_an_unknown_order_is_named() -> None:
    with pytest.raises(UsageError, match="sorted by 'fame'"):
        Fixed(Overview()).creators(sort="fame")


@given(st.lists(st.integers(0, 1000), max_size=20))
def test_half_is_made_by_the_fewest(counts: list[int]) -> None:
    few = overview._half(counts)
    ordered = sorted(counts, reverse=True)
    if sum(counts) == 0:
        assert few == 0
    else:
        assert sum(ordered[:few]) * 2 >= sum(counts) > sum(ordered[: few - 1]) * 2


def test_months_have_no_gaps_and_an_end() -> None:
    found = overview._without_gaps({"2019-01": {"sd1": 1}, "2025-11": {"sdxl": 2}, "2026-02": {"flux1": 3}})
    assert list(found)[-4:] == ["2025-11", "2025-12", "2026-01", "2026-02"]
    assert len(found) == overview.MONTHS and "2019-01" not in found
    assert found["2025-12"] == {}


def test_a_library_as_a_whole(demo_home: Settings) -> None:
    with Pinakes(demo_home) as demo:
        check_whole(demo)


def test_newer_versions_are_looked_for_when_the_library_changed(
    catalog: Catalog, both: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(catalog, published(out(1, 1), out(2, 2)))
    have(catalog, 1)
    asked: list[Session] = []

    def look(session: Session) -> Iterator[Update]:
        asked.append(session)
        return find_updates(session)

    monkeypatch.setattr(overview, "_PATIENCE", 0)
    monkeypatch.setattr(overview, "find_updates", look)
    kept = Overviews(catalog, both)
    assert [one.version for one in kept.updates()] == [one.version for one in kept.updates(5)] == ["v1"]
    assert len(asked) == 1
    stored(catalog, published(out(1, 1), out(2, 2), out(3, 3)))
    (one,) = kept.updates()
    assert [newer.version for newer in one.newer] == ["v3", "v2"] and len(asked) == 2


def check_whole(demo: Pinakes) -> None:
    creators = demo.overviews.creators(limit=5)
    assert creators.total >= len(creators.creators)
    trends = demo.overviews.trends(days=30).to_json()
    assert trends["days"] == 30
    assert all(month <= f"{datetime.now(UTC):%Y-%m}" for month in trends["months"])
    assert demo.overviews.creators(limit=5) == creators, "an unchanged library tells the same"
    with pytest.raises(UsageError, match="0 days"):
        demo.overviews.trends(days=0)
