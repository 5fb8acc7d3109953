"""The user's own layer through an open library: seen at once, by many threads, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from indexer.catalog.lock import writer_lock
from indexer.personal import wanted_change
from indexer.pipeline import index_folders
from indexer.progress import Silent
from indexer.settings import Settings
from search.marks import with_tags
from search.service import Pinakes
from tests.models import write_library


@pytest.fixture
def library(tmp_path: Path, both: Settings) -> Settings:
    index_folders([write_library(tmp_path / "models", 4, pictures=False)], both, Silent())
    return both


def found(pinakes: Pinakes, query: str) -> list[int]:
    return sorted(hit.document.id for hit in pinakes.search(query).hits)


def test_an_open_library_finds_what_it_notes(library: Settings) -> None:
    with Pinakes(library) as pinakes:
        first, second, *_ = found(pinakes, "")
        told = pinakes.marks.change(
            [first, second],
            wanted_change(favourite=True),
            wanted_change(rating=4.5, purpose="portrait", tag=["Comic"]),
        )
        assert (told.changed, told.published) == ((first, second), True)
        assert found(pinakes, "is:favourite mine:>4 mytag:comic") == [first, second]
        assert pinakes.marks.change([first], wanted_change(favourite=True)).changed == ()
        assert pinakes.marks.of(first)["opinions"] == [{"purpose": "portrait", "rating": 4.5, "note": ""}]
        pinakes.marks.see(first)
        assert found(pinakes, "is:seen") == [first]
        pinakes.marks.see(10**9)


def test_many_threads_note_at_once(library: Settings) -> None:
    with Pinakes(library) as pinakes, ThreadPoolExecutor(8) as pool:
        ids = found(pinakes, "")
        changes = [(id_, wanted_change(tag=[f"tag{n}"])) for n in range(6) for id_ in ids]
        told = list(pool.map(lambda one: pinakes.marks.change([one[0]], one[1]), changes))
        assert all(one.published and one.changed for one in told)
        for n in range(6):
            assert found(pinakes, f"mytag:tag{n}") == ids


def test_search_waits_for_a_program_that_writes(library: Settings) -> None:
    with Pinakes(library) as pinakes:
        first = found(pinakes, "")[0]
        with writer_lock(pinakes.catalog, library):
            told = pinakes.marks.change([first], wanted_change(favourite=True))
        assert (told.changed, told.published) == ((first,), False)
        assert pinakes.marks.of(first)["favourite"] is True
        pinakes.marks.change([first], wanted_change(seen=True))
        assert found(pinakes, "is:favourite") == [first]


def test_tags_are_replaced_as_a_whole() -> None:
    change = with_tags({"tags": ["Comic", "old"]}, ["comic", "new"])
    assert (change.tag, change.untag) == (("comic", "new"), ("old",))
