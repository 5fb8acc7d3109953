"""What prompts are compared with, on disk."""

from pathlib import Path

import pytest

from indexer.domain.prompt_cut import cut
from indexer.domain.records import Document
from indexer.errors import CatalogError
from indexer.indexes import prompt_cuts
from indexer.indexes.prompt_cuts import CutWriter, read_cuts

BOAT = Document(1, 1, "boat", creator="Mira", prompts=("a boat",))
SEA = Document(2, 2, "sea")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "new" / "prompts.sqlite3"
    CutWriter(path).start("one")
    return path


def test_what_was_put_is_read_and_the_last_counts(path: Path) -> None:
    CutWriter(path).put([(1, SEA), (2, SEA), (1, BOAT)], 3)
    assert read_cuts(path, [1, 2, 9]) == {1: ("mira", cut(BOAT)), 2: ("", cut(SEA))}
    CutWriter(path).put([(2, None)], 4)
    assert set(read_cuts(path, [1, 2])) == {1}
    assert CutWriter(path).state() == ("one", 4)


def test_more_than_are_asked_for_at_once(path: Path) -> None:
    CutWriter(path).put([(id_, SEA) for id_ in range(1_200)], 1_200)
    assert len(read_cuts(path, range(1_200))) == 1_200


def test_without_a_file_there_is_nothing(tmp_path: Path) -> None:
    assert read_cuts(tmp_path / "none", [1]) == {}
    assert CutWriter(tmp_path / "none").state() == ("", 0)


def test_a_damaged_file_is_nothing_and_is_started_anew(path: Path) -> None:
    path.write_bytes(b"no database" * 1_000)
    assert read_cuts(path, [1]) == {}
    assert CutWriter(path).state() == ("", 0)
    CutWriter(path).start("two")
    CutWriter(path).put([(1, BOAT)], 1)
    assert set(read_cuts(path, [1])) == {1}


def test_what_was_cut_by_other_rules_is_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    CutWriter(path).put([(1, BOAT)], 1)
    monkeypatch.setattr(prompt_cuts, "_FORMAT", 0)
    assert read_cuts(path, [1]) == {}
    assert CutWriter(path).state() == ("", 0)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CatalogError, match="prompts.sqlite3"):
        CutWriter(tmp_path / "file" / "prompts.sqlite3").start("one")
