"""Newer releases of what I have: same model, later, same base, still shown."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from indexer.catalog import entries, hubs
from indexer.catalog.database import Catalog
from indexer.catalog.hub_schema import HashRow
from indexer.catalog.linking import link_by_hash
from indexer.catalog.schema import File, Location, Version
from indexer.catalog.table_base import now
from indexer.catalog.updates import Update, find_updates
from indexer.domain.hubs import HubModel, HubVersion
from indexer.domain.vocabulary import architecture_path
from tests.catalog.hub_records import offered, published, release
from tests.catalog.shelf import Shelf, found, judged


def out(number: int, day: int | None, base: str = "SDXL 1.0", **more: Any) -> HubVersion:
    """A version of model 3, published on a day of March 2026; its file has the version's number as hash."""
    said = {"base_label": base} | ({"published_at": f"2026-03-{day:02}T10:00:00Z"} if day else {})
    claims = said | more.pop("claims", {})
    return release(number, 3, offered(str(number), sha256=str(number)), claims=claims, **more)


def stored(catalog: Catalog, *models: HubModel) -> None:
    with catalog.write() as session:
        touched = hubs.store_hub_models(session, models).versions
        entries.refresh_entries(session, touched, architecture_path)


def have(catalog: Catalog, *numbers: int) -> None:
    shelf = Shelf(catalog)
    for number in numbers:
        shelf.store(judged(found(f"{number}.safetensors"), f"c{number}"))
    with catalog.write() as session:
        for id_, content in session.execute(select(File.id, File.fingerprint)).all():
            session.add(HashRow(file_id=id_, kind="sha256", value=content.removeprefix("c")))
        session.flush()
        linked = link_by_hash(session, files=session.scalars(select(File.id)).all())
        entries.refresh_entries(session, linked.versions, architecture_path)


def updates(catalog: Catalog, **how: bool) -> list[Update]:
    with catalog.read() as session:
        return list(find_updates(session, **how))


def newer(catalog: Catalog, **how: bool) -> list[list[str]]:
    return [[version.key.rpartition("@")[2] for version in one.newer] for one in updates(catalog, **how)]


def test_later_ones_newest_first(catalog: Catalog) -> None:
    stored(catalog, published(out(1, 1), out(2, 2), out(3, 3), out(4, 4)))
    have(catalog, 2)
    (one,) = updates(catalog)
    assert [version.version for version in one.newer] == ["v4", "v3"]
    assert (one.model, one.name, one.version, one.path) == (
        "civitai:3",
        "Model 3",
        "v2",
        "/models/loras/2.safetensors",
    )
    assert one.newer[0].published_at == "2026-03-04T10:00:00Z" and not one.newer[0].early_access


def test_the_newest_of_mine_counts(catalog: Catalog) -> None:
    stored(catalog, published(out(1, 1), out(2, 2), out(3, 3)))
    have(catalog, 1, 3)
    assert newer(catalog) == []


@pytest.mark.parametrize(
    ("mine", "theirs", "told"),
    [(5, 6, ["9"]), (6, 5, []), (None, None, ["9"]), (None, 6, ["9"]), (6, None, ["9"])],
)
def test_days_decide_then_numbers(
    catalog: Catalog, mine: int | None, theirs: int | None, told: list[str]
) -> None:
    stored(catalog, published(out(7, mine), out(9, theirs)))
    have(catalog, 7)
    assert newer(catalog) == ([told] if told else [])


def test_only_the_same_base_unless_asked(catalog: Catalog) -> None:
    others = [out(2, 2, "Pony"), out(3, 3, "sdxl"), out(4, 4, "Flux.1 D"), out(5, 5, "Brand New")]
    stored(catalog, published(out(1, 1), *others))
    have(catalog, 1)
    assert newer(catalog) == [["3"]]
    assert newer(catalog, any_base=True) == [["5", "4", "3", "2"]]


def test_each_base_of_mine_has_its_own_news(catalog: Catalog) -> None:
    stored(
        catalog,
        published(
            out(1, 1),
            out(2, 2, "Pony"),
            out(3, 3),
            out(4, 4, "Pony"),
            out(5, 5, "Brand New"),
            out(6, 6, "brand  new"),
        ),
    )
    have(catalog, 1, 2, 5)
    assert sorted(newer(catalog)) == [["3"], ["4"], ["6"]]


def test_early_access_is_told_apart(catalog: Catalog) -> None:
    soon, past = (datetime.now(UTC) + timedelta(days=days) for days in (3, -3))
    stored(
        catalog,
        published(
            out(1, 1),
            out(2, 2, claims={"early_access_until": soon.isoformat()}),
            out(3, 3, claims={"early_access_until": past.isoformat()}),
        ),
    )
    have(catalog, 1)
    (one,) = updates(catalog)
    assert [(v.version, v.early_access, v.early_access_until) for v in one.newer] == [
        ("v3", False, None),
        ("v2", True, soon.isoformat()),
    ]


def test_gone_ones_are_not_offered(catalog: Catalog) -> None:
    stored(catalog, published(out(1, 1), out(2, 2), out(3, 3)))
    have(catalog, 1)
    with catalog.write() as session:
        session.execute(
            update(Version).where(Version.key == "civitai:3@3").values(gone="deleted", gone_at=now())
        )
    assert newer(catalog) == [["2"]]
    with catalog.write() as session:
        hubs.mark_gone(session, ["civitai:3"], "deleted")
    assert newer(catalog) == []


def test_what_is_not_here_has_no_news(catalog: Catalog) -> None:
    stored(catalog, published(out(1, 1), out(2, 2)))
    assert newer(catalog) == []
    have(catalog, 1)
    assert newer(catalog) == [["2"]]
    with catalog.write() as session:
        session.execute(update(Location).values(missing_since=now()))
    assert newer(catalog) == []
