"""Asking again: local files by hash, known models by id, and what is gone."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from indexer.catalog.database import open_catalog
from indexer.catalog.entries import refresh_entries, versions_of_files
from indexer.catalog.schema import File, Version
from indexer.crawl import fetch_models, identify_library, refresh_hub
from indexer.domain.vocabulary import architecture_path
from indexer.hub_run import HubRun
from indexer.progress import Silent
from indexer.settings import Settings
from tests.catalog.shelf import Shelf, found, judged
from tests.hub_server import json_reply
from tests.hubs.crawling import QUICK, contents, crawl, documents, looking, quick
from tests.hubs.fake_civitai import FakeCivitai, generated, hash_of, model, release

BATCH = "/api/v1/model-versions/by-hash"


@pytest.fixture
def hub() -> Iterator[FakeCivitai]:
    with FakeCivitai(generated(30)) as fake:
        yield fake


def own(settings: Settings, *hashes: str) -> None:
    """Put files with these SHA-256 into a folder that was indexed."""
    catalog = open_catalog(settings)
    shelf = Shelf(catalog)
    for place, value in enumerate(hashes):
        shelf.store(judged(found(f"{place}.safetensors"), f"content {value}"))
        with catalog.write() as session:
            file = session.scalars(select(File).where(File.fingerprint == f"content {value}")).one()
            file.sha256 = value
            session.flush()
            refresh_entries(session, versions_of_files(session, [file.id]), architecture_path)
    catalog.close()


def asking(work: str, hub: FakeCivitai, settings: Settings, *numbers: int, **how: bool) -> HubRun:
    known = {"identify": identify_library, "refresh": refresh_hub}
    if work == "take":
        return fetch_models(numbers, quick(settings), Silent(), base_url=hub.url, limits=QUICK)
    return known[work](quick(settings), Silent(), base_url=hub.url, limits=QUICK, **how)


def test_files_of_ours_are_found_by_hash(hub: FakeCivitai, both: Settings) -> None:
    hub.items[5] = model(5, release(50), release(51))
    own(both, hash_of(50), hash_of(51), hash_of(70), "ab" * 32)
    run = asking("identify", hub, both)
    assert (run.asked, run.crawl.taken.models, run.crawl.taken.linked) == (4, 2, 3)
    assert [len(hub.asked(path)) for path in (f"{BATCH}/ids", BATCH, "/api/v1/models")] == [1, 1, 1]
    local = {d.name: d.version for d in documents(both) if "local" in d.flags}
    assert local["Model 5"] in ("v50", "v51") and local["Model 7"] == "v70" and len(local) == 3
    again = asking("identify", hub, both)
    assert (again.asked, again.crawl.taken.models) == (1, 0)


def test_a_version_without_hashes_is_linked_on_the_hubs_word(hub: FakeCivitai, settings: Settings) -> None:
    bare = release(80)
    bare["files"][0]["hashes"] = {}
    hub.items[8] = model(8, bare | {"secretHashes": [hash_of(80)]})
    own(settings, hash_of(80))
    assert asking("identify", hub, settings).crawl.taken.linked == 1


def test_a_hub_without_batches_and_a_model_that_is_not_shown(hub: FakeCivitai, settings: Settings) -> None:
    hub.broken = {BATCH, f"{BATCH}/ids", r"/api/v1/models/(\d+)"}
    hub.server.route("/api/v1/models", json_reply({"items": [], "metadata": {}}))
    own(settings, hash_of(30), "cd" * 32)
    run = asking("identify", hub, settings)
    assert (run.crawl.state, run.crawl.taken.linked) == ("done", 1)
    (mine,) = [d for d in documents(settings) if d.name == "Model 3"]
    assert mine.version == "v30" and "local" in mine.flags


def test_a_refresh_hears_of_new_numbers_and_versions(hub: FakeCivitai, both: Settings) -> None:
    crawl(hub, both)
    before = contents(both)["counts"]
    assert asking("refresh", hub, both).crawl.taken.models == 30
    assert contents(both)["counts"] == before
    same = asking("refresh", hub, both)
    assert (same.crawl.unchanged, same.crawl.taken.models) == (30, 0)
    hub.items[4] = model(4, release(41), release(40))
    hub.items[6]["stats"]["downloadCount"] += 1
    changed = asking("refresh", hub, both)
    assert (changed.crawl.unchanged, changed.crawl.taken.models, changed.crawl.gone) == (0, 30, 0)
    assert contents(both)["counts"]["version"] == before["version"] + 1
    hub.items[4] = model(4, release(41))
    asking("refresh", hub, both)
    with looking(both) as session:
        gone = session.scalars(select(Version.key).where(Version.gone_at.is_not(None))).all()
    assert gone == ["civitai:4@40"]


def test_what_the_hub_deleted_is_marked_and_kept(hub: FakeCivitai, both: Settings) -> None:
    crawl(hub, both)
    before = contents(both)
    taken = {number: hub.items.pop(number) for number in range(1, 9)}
    run = asking("refresh", hub, both)
    after = contents(both)
    assert (run.crawl.state, run.crawl.gone, len(after["gone"])) == ("done", 8, 8)
    assert after["counts"] == before["counts"] and after["documents"] == before["documents"]
    assert len([d for d in documents(both) if "gone" in d.flags]) == 8
    hub.items |= taken
    asking("refresh", hub, both)
    assert contents(both)["gone"] == []


def test_deleted_ones_are_asked_for_once(hub: FakeCivitai, settings: Settings) -> None:
    crawl(hub, settings)
    del hub.items[1]
    asking("refresh", hub, settings)
    before = len(hub.server.requests)
    asking("refresh", hub, settings, afresh=True)
    assert len(hub.server.requests) == before + 1


@pytest.mark.parametrize("status", [404, 410, 503, 429])
def test_an_outage_marks_nothing(hub: FakeCivitai, settings: Settings, status: int) -> None:
    crawl(hub, settings)
    hub.outage = status
    run = asking("refresh", hub, settings)
    assert run.crawl.state in ("waiting", "failed") and run.crawl.detail
    assert contents(settings)["gone"] == []
    hub.outage = None
    assert asking("refresh", hub, settings).crawl.state == "done"


def test_a_hub_that_lost_its_models_marks_nothing(hub: FakeCivitai, settings: Settings) -> None:
    crawl(hub, settings)
    hub.items.clear()
    run = asking("refresh", hub, settings)
    assert (run.crawl.state, run.crawl.code, contents(settings)["gone"]) == ("waiting", "nothing", [])


def test_models_by_their_ids(hub: FakeCivitai, settings: Settings) -> None:
    run = asking("take", hub, settings, 3, 9, 3, 777)
    assert (run.crawl.taken.models, run.crawl.absent, run.crawl.gone) == (2, ["civitai:777"], 0)
    assert contents(settings)["models"] == ["civitai:3", "civitai:9"]
    del hub.items[9]
    assert asking("take", hub, settings, 9).crawl.gone == 1


def test_taken_down_and_archived_ones_keep_what_was_known(hub: FakeCivitai, settings: Settings) -> None:
    crawl(hub, settings)
    before = contents(settings)["counts"]
    bare = [
        {k: v for k, v in release(number * 10).items() if k not in ("files", "images")} for number in (1, 2)
    ]
    hub.items[1] |= {"mode": "Archived", "modelVersions": bare[:1]}
    hub.items[2] |= {"mode": "TakenDown", "modelVersions": bare[1:]}
    asking("refresh", hub, settings)
    after = contents(settings)
    assert after["gone"] == ["civitai:1", "civitai:2"]
    assert {k: after["counts"][k] for k in ("hub_file", "hash", "preview")} == {
        k: before[k] for k in ("hub_file", "hash", "preview")
    }
