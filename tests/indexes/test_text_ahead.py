"""When an index is looked through ahead."""

import threading
from dataclasses import dataclass

import pytest

from indexer.indexes.text_ahead import Ahead
from tests.clocks import PATIENCE


@dataclass
class Searcher:
    """As much of an index as is asked for."""

    num_docs: int


def test_it_is_begun_once_until_the_index_has_grown_or_shrunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.indexes.text_ahead._LARGE", 100)
    done, gathered = threading.Semaphore(0), list[int]()

    def gather(searcher: Searcher) -> None:
        gathered.append(searcher.num_docs)
        done.release()

    ahead = Ahead(gather)
    begun = [documents for documents in (100, 100, 110, 111, 90, 99, 91) if ahead.begin(Searcher(documents))]
    assert begun == [100, 111, 90]
    assert all(done.acquire(timeout=PATIENCE) for _ in begun)
    assert sorted(gathered) == sorted(begun)


@pytest.mark.parametrize("documents", [0, 99, 100])
def test_small_indexes_are_asked_each_time(monkeypatch: pytest.MonkeyPatch, documents: int) -> None:
    monkeypatch.setattr("indexer.indexes.text_ahead._LARGE", 100)
    assert Ahead(print).is_large(Searcher(documents)) is (documents == 100)
