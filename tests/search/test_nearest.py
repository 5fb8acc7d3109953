"""Searching within a filter: whichever way is chosen, the answer is that of looking at every vector."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer.domain.cards import card_of
from indexer.domain.fields import FIELDS
from indexer.domain.filters import AnyOf, Filter
from indexer.domain.records import Document
from indexer.indexes.text import TextIndex
from indexer.indexes.vector_owners import Owners
from indexer.indexes.vectors import FaissIndex
from search import nearest as nearest_module
from search.narrowing import Fixed, Passing
from search.nearest import nearest
from tests.strategies import filters

DIMENSION, COUNT = 8, 300
Ids = NDArray[np.int64]
Vectors = NDArray[np.float32]


@dataclass
class Kept:
    """Entries that pass, and what was asked for."""

    entries: frozenset[int]
    told_share: float
    asked: list[str] = field(default_factory=list)

    def ids(self) -> Ids:
        self.asked.append("all")
        return np.array(sorted(self.entries), np.int64)

    def among(self, ids: Iterable[int]) -> Ids:
        self.asked.append("some")
        return np.array(sorted(self.entries & set(ids)), np.int64)

    def extent(self) -> tuple[int, int]:
        return int(1_000 * self.told_share), 1_000


def library(seed: int) -> tuple[FaissIndex, Vectors, Owners, dict[int, int]]:
    """Unit vectors under ids from 1,000 on, up to three of one entry."""
    chance = np.random.default_rng(seed)
    rows = chance.normal(size=(COUNT, DIMENSION)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    ids = np.arange(COUNT, dtype=np.int64) + 1_000
    whose = chance.integers(0, COUNT // 2, COUNT)
    index = FaissIndex("x", DIMENSION)
    index.put(ids, rows)
    return (
        index,
        rows,
        Owners(np.stack([ids, whose], 1)),
        dict(zip(ids.tolist(), whose.tolist(), strict=True)),
    )


def twin(rows: Vectors, whose: dict[int, int], query: Vectors, k: int, entries: frozenset[int]) -> list[int]:
    """Every vector, one by one."""
    scores = rows @ query
    order = sorted(range(COUNT), key=lambda place: (-round(float(scores[place]) / 1e-6), place))
    return [place + 1_000 for place in order if whose[place + 1_000] in entries][:k]


@hypothesis_settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 5),
    k=st.integers(1, 20),
    part=st.floats(0.0, 1.0),
    told=st.floats(0.001, 1.0),
    dearer=st.sampled_from([0.0, 1e9]),
)
def test_every_way_gives_the_answer_of_the_twin(
    seed: int, k: int, part: float, told: float, dearer: float
) -> None:
    """The share is told wrongly on purpose: it may cost time, never hits."""
    index, rows, owners, whose = library(seed)
    chance = np.random.default_rng(seed + 100)
    entries = frozenset(np.flatnonzero(chance.random(COUNT // 2) < part).tolist())
    queries = chance.normal(size=(2, DIMENSION)).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearest_module, "DEARER", dearer)
        found = nearest(index, queries, k, Kept(entries, told), owners)
    for query, (ids, scores) in zip(queries, found, strict=True):
        assert ids.tolist() == twin(rows, whose, query, k, entries)
        assert np.allclose(scores, rows[ids - 1_000] @ query, atol=1e-5)


def test_a_wide_filter_is_not_asked_for_all_it_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    index, rows, owners, _ = library(1)
    wide = Kept(frozenset(range(COUNT)), 1.0)
    nearest(index, rows[:1], 5, wide, owners)
    assert wide.asked == ["some"]
    narrow = Kept(frozenset({1, 2}), 0.1)
    nearest(index, rows[:1], 5, narrow, owners)
    assert narrow.asked == ["all"]


def test_entries_may_be_the_ids_of_the_index_themselves() -> None:
    index, rows, _, _ = library(2)
    ((ids, _),) = nearest(index, rows[:1], 3, Fixed([1_000, 1_007]), None)
    assert ids.tolist()[0] == 1_000 and set(ids.tolist()) == {1_000, 1_007}
    assert len(nearest(index, rows[:1], 3, Fixed([]), None)[0][0]) == 0
    assert len(nearest(index, rows[:1], 3, None, None)[0][0]) == 3


@hypothesis_settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(wanted=st.lists(filters(), min_size=3, max_size=6), some=st.lists(st.integers(-1, 9), max_size=6))
def test_some_of_those_that_pass(filled: TextIndex, wanted: list[Filter], some: list[int]) -> None:
    """Both engines, against the filter's own answer."""
    for where in wanted:
        passing, expected = Passing(filled, where), {d.id for d in LIBRARY if where.match(d)}
        assert passing.ids().tolist() == sorted(expected)
        assert passing.among(some).tolist() == sorted(expected & set(some))
        assert passing.extent() == (len(expected), len(LIBRARY))


LIBRARY = [
    Document(number, 1, f"ink {number}", kind=("lora", "vae")[number % 2], rank=8 * number, tags=("ink",))
    for number in range(1, 8)
]


@pytest.fixture
def filled(text_engine: TextIndex) -> TextIndex:
    with text_engine.writing() as writer:
        writer.put(LIBRARY)
    text_engine.complete()
    return text_engine


def test_cards_of_some_entries(filled: TextIndex) -> None:
    found = sorted(filled.cards([3, 1, 99, -1]))
    assert found == [card_of(LIBRARY[0]), card_of(LIBRARY[2])]
    assert filled.cards([]) == []


def test_many_are_asked_for_at_once(filled: TextIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    from search import narrowing

    where: Any = AnyOf(FIELDS["type"], ("lora",))
    before = Passing(filled, where).among(range(9)).tolist()
    monkeypatch.setattr(narrowing, "_MANY", 2)
    assert Passing(filled, where).among(range(9)).tolist() == before == [2, 4, 6]
