"""Which creators write such words, counted and asked."""

from collections.abc import Iterable
from math import log1p
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.domain.prompt_cut import number, read_prompt
from indexer.domain.records import Document
from indexer.errors import CatalogError
from indexer.indexes import prompt_counting, prompt_makers
from indexer.indexes.prompt_counting import count_makers
from indexer.indexes.prompt_cuts import CutWriter
from indexer.indexes.prompt_makers import NOTHING_COUNTED, PRIOR, makers_state, read_makers

BOATS = Document(1, 1, "boat", creator="Mira", prompts=("a boat, harbour", "boat, rope"))
CASTLE = Document(2, 2, "castle", creator="Noor", prompts=("castle, a boat",))
NOBODY = Document(3, 3, "boat", prompts=("boat",))


def counted(folder: Path, documents: Iterable[Document]) -> Path:
    writer = CutWriter(folder / "cuts")
    writer.start("one")
    writer.put([(document.id, document) for document in documents], 7)
    assert count_makers(folder / "cuts", folder / "makers") == len(list(documents))
    return folder / "makers"


def asked(path: Path, text: str, most: int = 9, entries: int = 99) -> list[str]:
    found = read_makers(path, np.array(sorted({number(w) for w in read_prompt(text).words})), most, entries)
    assert found is not None
    return found.likeliest


def test_who_writes_such_words_comes_first(tmp_path: Path) -> None:
    path = counted(tmp_path, [BOATS, CASTLE, NOBODY])
    assert asked(path, "boat, harbour") == ["mira", "noor"]
    assert asked(path, "castle") == ["noor"]
    assert asked(path, "zebra") == []
    assert asked(path, "boat", most=1) == ["mira"]
    assert makers_state(path) == ("one", 7, 3)


def test_of_others_it_is_told_what_they_write(tmp_path: Path) -> None:
    path = counted(tmp_path, [BOATS, CASTLE, NOBODY])
    words = np.array([number("boat"), number("rope"), number("zebra")])
    found = read_makers(path, words, 1, 9, {"noor", "ada"})
    assert found is not None
    assert found.likeliest == ["mira"]
    assert set(found.names) == {"mira", "noor"}
    rows = {word: place for place, word in enumerate(found.words.tolist())}
    assert set(rows) == {number("boat"), number("rope")}
    columns = [found.names["mira"], found.names["noor"]]
    assert found.table[rows[number("boat")], columns].tolist() == [2, 1]
    assert found.table[rows[number("rope")], columns].tolist() == [1, 0]
    assert found.lengths[columns].tolist() == [5, 3]
    assert found.entries.tolist() == [1, 1]
    assert found.counts.prompts == 4


def test_no_more_than_have_so_many_entries_but_always_one(tmp_path: Path) -> None:
    more = [Document(n, n, "x", creator="mira", prompts=("boat, harbour",)) for n in range(10, 15)]
    path = counted(tmp_path, [*more, CASTLE])
    assert asked(path, "boat, harbour", entries=6) == ["mira", "noor"]
    assert asked(path, "boat, harbour", entries=5) == asked(path, "boat, harbour", entries=1) == ["mira"]


def test_words_that_too_many_write_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = counted(tmp_path, [BOATS, CASTLE])
    monkeypatch.setattr(prompt_makers, "MOST_READ", 1)
    assert asked(path, "boat, castle") == ["noor"]
    monkeypatch.setattr(prompt_counting, "MOST_READ", 1)
    assert asked(counted(tmp_path, [BOATS, CASTLE]), "boat") == []


WORDS = st.lists(st.sampled_from(["sea", "boat", "rope", "mast", "sail"]), min_size=1, max_size=6)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from("abc"), WORDS), min_size=1, max_size=12), WORDS)
def test_it_is_the_likelihood_by_the_formula(
    tmp_path_factory: pytest.TempPathFactory, prompts: list[tuple[str, list[str]]], words: list[str]
) -> None:
    documents = [Document(n, n, "x", creator=m, prompts=(", ".join(p),)) for n, (m, p) in enumerate(prompts)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(prompt_counting, "_AT_ONCE", 2)
        path = counted(tmp_path_factory.mktemp("made"), documents)
    said = {maker: [word for m, p in prompts if m == maker for word in set(p)] for maker, _ in prompts}
    every = [word for told in said.values() for word in told]
    known = set(words) & set(every)

    def likelihood(maker: str) -> float:
        told = said[maker]
        shares = {word: (every.count(word) + 0.5) / (len(every) + 1) for word in known}
        met = sum(log1p(told.count(word) / (PRIOR * share)) for word, share in shares.items())
        return met - len(known) * log1p(len(told) / PRIOR)

    found = asked(path, ", ".join(words))
    assert set(found) == {maker for maker, told in said.items() if known & set(told)}
    worths = [likelihood(maker) for maker in found]
    assert worths == pytest.approx(sorted(worths, reverse=True))


def test_without_a_file_or_with_a_damaged_one_there_is_nothing(tmp_path: Path) -> None:
    path = counted(tmp_path, [BOATS])
    whole = path.read_bytes()
    for content in (b"no database" * 1_000, whole[:5_000]):
        path.write_bytes(content)
        assert read_makers(path, np.array([1]), 9, 9) is None
    path.unlink()
    assert read_makers(path, np.array([1]), 9, 9) is None
    assert makers_state(path) == NOTHING_COUNTED


def test_what_was_counted_by_other_rules_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = counted(tmp_path, [BOATS])
    monkeypatch.setattr(prompt_makers, "FORMAT", "another")
    assert read_makers(path, np.array([1]), 9, 9) is None
    assert makers_state(path) == NOTHING_COUNTED


def test_nothing_to_count_is_counted(tmp_path: Path) -> None:
    assert asked(counted(tmp_path, []), "boat") == []


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    counted(tmp_path, [BOATS])
    (tmp_path / "folder").mkdir()
    with pytest.raises(CatalogError, match="folder"):
        count_makers(tmp_path / "cuts", tmp_path / "folder")
