"""A person's decisions: they win, survive whatever happens to the file, and can be taken back. On both databases."""

import pytest
from sqlalchemy import func, select

from indexer.catalog import entries, lookup, overrides
from indexer.catalog.database import Catalog
from indexer.catalog.details import version_details
from indexer.catalog.hashes import record_hashes, unhashed_places
from indexer.catalog.schema import File, Override
from tests.catalog.shelf import Shelf, found, judged, said, tree


@pytest.fixture
def shelf(catalog: Catalog) -> Shelf:
    return Shelf(catalog)


def only_file(shelf: Shelf) -> int:
    with shelf.catalog.read() as session:
        return session.scalars(select(File.id)).one()


def decide(shelf: Shelf, **values: str) -> int:
    files = [only_file(shelf)]
    with shelf.catalog.write() as session:
        changed = overrides.set_overrides(session, files, values)
        entries.refresh_entries(session, entries.versions_of_files(session, files), tree)
    return changed


def take_back(shelf: Shelf, *names: str) -> int:
    files = [only_file(shelf)]
    with shelf.catalog.write() as session:
        changed = overrides.withdraw_overrides(session, files, names or None)
        entries.refresh_entries(session, entries.versions_of_files(session, files), tree)
    return changed


def test_a_decision_wins_and_what_was_found_stays_beside_it(shelf: Shelf) -> None:
    shelf.store(judged(found(), "c1", said(name="Theirs")))
    assert decide(shelf, architecture="flux1", kind="vae", category="style", name="Mine") == 4
    document = shelf.only()
    assert (document.architecture, document.kind, document.category) == ("flux1", "vae", "style")
    assert (document.name, document.confidence) == ("Mine", 1.0)
    assert "overridden" in document.flags
    with shelf.catalog.read() as session:
        details = version_details(session, document.id)
    assert details is not None
    assert details.files[0]["verdict"]["architecture"] == "sdxl"
    assert {row["name"]: row["value"] for row in details.overrides}["architecture"] == "flux1"


def test_the_same_decision_again_changes_nothing(shelf: Shelf) -> None:
    shelf.store(judged())
    decide(shelf, kind="vae")
    before = shelf.last_change()
    assert decide(shelf, kind="vae") == 0
    assert shelf.last_change() == before


def test_history_is_kept(shelf: Shelf) -> None:
    shelf.store(judged())
    for kind in ("vae", "upscaler"):
        decide(shelf, kind=kind)
    assert take_back(shelf, "kind") == 1
    assert take_back(shelf) == 0
    assert (shelf.only().kind, shelf.only().confidence) == ("lora", 0.9)
    assert "overridden" not in shelf.only().flags
    with shelf.catalog.read() as session:
        (rows,) = overrides.override_history(session, [shelf.only().id]).values()
    assert [row["value"] for row in rows] == ["vae", "upscaler"]
    assert all(row["withdrawn_at"] for row in rows)


def test_one_name_is_taken_back_alone(shelf: Shelf) -> None:
    shelf.store(judged())
    decide(shelf, kind="vae", name="Mine")
    take_back(shelf, "kind")
    assert (shelf.only().kind, shelf.only().name) == ("lora", "Mine")


def test_it_survives_a_move_new_rules_and_another_version(shelf: Shelf) -> None:
    shelf.store(judged(found(), "c1"))
    decide(shelf, kind="vae")
    shelf.store(judged(found("moved.safetensors", "elsewhere"), "c1"))
    assert shelf.only().kind == "vae", "the same bytes at another place"
    shelf.store(judged(found(), "c1", kind="checkpoint"))
    assert shelf.only().kind == "vae", "judged anew by other rules"
    shelf.store(judged(found(), "c1", said(civitai_model_id=7, civitai_version_id=70)))
    assert shelf.only().kind == "vae", "a sidecar gave it to another version"


def test_bytes_that_only_looked_alike_both_keep_it(shelf: Shelf) -> None:
    shelf.store(judged(found("a.safetensors"), "c1"), judged(found("b.safetensors"), "c1"))
    decide(shelf, name="Mine")
    with shelf.catalog.write() as session:
        first, second = unhashed_places(session, everything=True)
        versions = record_hashes(session, [(first, {"sha256": "a" * 64}), (second, {"sha256": "b" * 64})])
        entries.refresh_entries(session, versions, tree)
    assert [document.name for document in shelf.documents()] == ["Mine", "Mine"]
    with shelf.catalog.read() as session:
        assert session.scalar(select(func.count()).select_from(Override)) == 2


def test_a_family_of_another_architecture_falls_with_it(shelf: Shelf) -> None:
    shelf.store(judged(family="pony", adapter="lora"))
    assert (shelf.only().family, shelf.only().adapter) == ("pony", "lora")
    decide(shelf, architecture="flux1-dev", kind="vae")
    assert (shelf.only().family, shelf.only().adapter) == (None, None)
    take_back(shelf)
    assert (shelf.only().family, shelf.only().adapter) == ("pony", "lora")


def test_what_is_decided_is_listed_in_pages(shelf: Shelf) -> None:
    shelf.store(*(judged(found(f"{n}.safetensors"), f"c{n}") for n in range(5)))
    with shelf.catalog.write() as session:
        files = list(session.scalars(select(File.id).order_by(File.id)))
        overrides.set_overrides(session, files[:3], {"name": "x", "kind": "vae"})
        overrides.withdraw_overrides(session, files[:1])
    with shelf.catalog.read() as session:
        first = overrides.overridden_entries(session, 0, 1)
        second = overrides.overridden_entries(session, first[-1], 5)
    assert len(first) == len(second) == 1
    assert first < second


def test_files_are_found_by_path_hash_and_entry(shelf: Shelf) -> None:
    shelf.store(
        judged(found("a.safetensors"), "0123456789abcdef"), judged(found("b.safetensors"), "01234567ff")
    )
    with shelf.catalog.read() as session:
        (a,) = lookup.files_at(session, "/models/loras/a.safetensors")
        assert lookup.files_at(session, "/models/loras/../loras/./a.safetensors") == [a]
        assert lookup.files_at(session, "/models/loras/zzz.safetensors") == []
        assert lookup.files_at(session, "odd\0name") == []
        assert lookup.files_by_hash(session, "0123456789AB") == [a]
        assert len(lookup.files_by_hash(session, "01234567")) == 2
        assert lookup.files_by_hash(session, "0123456") == [], "seven digits are too few"
        assert lookup.files_by_hash(session, "not a hash") == []
        (entry,) = lookup.entries_of_files(session, [a])
        assert lookup.files_of_entry(session, entry) == [a]
        assert lookup.files_of_entry(session, 10**9) == []
