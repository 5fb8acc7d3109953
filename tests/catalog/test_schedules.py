"""Schedules: due once, run by one, freed when the runner dies."""

from datetime import timedelta

from indexer.catalog import schedules
from indexer.catalog.database import Catalog
from indexer.catalog.table_base import now

HOUR = timedelta(hours=1)


def due(catalog: Catalog) -> list[int]:
    with catalog.read() as session:
        return [row.id for row in schedules.due_schedules(session, now())]


def add(catalog: Catalog, name: str = "nightly", ago: timedelta = HOUR) -> None:
    with catalog.write() as session:
        schedules.add_schedule(session, name, "index", {"folders": []}, "every 6h", now() - ago)


def test_due_ones_are_run_by_one_owner(catalog: Catalog) -> None:
    add(catalog)
    add(catalog, "later", -HOUR)
    (id_,) = due(catalog)
    with catalog.write() as session:
        assert schedules.claim_schedule(session, id_, "a", HOUR)
        assert not schedules.claim_schedule(session, id_, "b", HOUR)
    assert due(catalog) == []


def test_what_another_ran_to_its_end_meanwhile_is_not_claimed_as_due(catalog: Catalog) -> None:
    add(catalog)
    (id_,) = due(catalog)
    with catalog.write() as session:
        assert schedules.claim_schedule(session, id_, "a", HOUR, due=True)
        schedules.end_schedule(session, id_, "a", "ok", "done", now() + HOUR)
        assert not schedules.claim_schedule(session, id_, "b", HOUR, due=True)
        assert schedules.claim_schedule(session, id_, "b", HOUR)


def test_a_dead_runners_lease_ends(catalog: Catalog) -> None:
    add(catalog)
    (id_,) = due(catalog)
    with catalog.write() as session:
        assert schedules.claim_schedule(session, id_, "a", -HOUR)
        assert schedules.claim_schedule(session, id_, "b", HOUR)
        assert not schedules.renew_lease(session, id_, "a", HOUR)
        assert schedules.renew_lease(session, id_, "b", HOUR)


def test_the_end_of_a_run_is_told(catalog: Catalog) -> None:
    add(catalog)
    (id_,) = due(catalog)
    with catalog.write() as session:
        schedules.claim_schedule(session, id_, "a", HOUR)
        schedules.end_schedule(session, id_, "stranger", "failed", "not mine", None)
        assert schedules.list_schedules(session)[0].running
        schedules.end_schedule(session, id_, "a", "ok", "3 files", now() + HOUR)
        (row,) = schedules.list_schedules(session)
    assert (row.running, row.result, row.detail, row.finished_at is not None) == (
        False,
        "ok",
        "3 files",
        True,
    )
    assert due(catalog) == []


def test_changing_a_schedule_keeps_what_its_last_run_said(catalog: Catalog) -> None:
    add(catalog)
    (id_,) = due(catalog)
    with catalog.write() as session:
        schedules.claim_schedule(session, id_, "a", HOUR)
        schedules.end_schedule(session, id_, "a", "ok", "3 files", None)
    add(catalog)
    with catalog.write() as session:
        (row,) = schedules.list_schedules(session)
        assert (row.result, row.detail) == ("ok", "3 files")
        assert schedules.remove_schedule(session, "nightly")
        assert not schedules.remove_schedule(session, "nightly")
