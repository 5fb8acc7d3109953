"""The made-up hub of ``scripts/bench search`` is always the same, is built once, and can be asked."""

from collections.abc import Iterator

import pytest

from indexer.domain.text import words
from indexer.settings import Settings
from scripts.benchmarks.search import Bench
from scripts.benchmarks.search_building import build
from scripts.benchmarks.search_library import BATCH, Batch, Vocabulary
from scripts.benchmarks.search_queries import hostile_queries, kinds_of_queries, typed_letter_by_letter
from search.query import QueryError
from search.service import Pinakes


@pytest.fixture(scope="module")
def pinakes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pinakes]:
    settings = Settings(home=tmp_path_factory.mktemp("bench"), decode_workers=1)
    for _ in range(2):  # the second time nothing is left to do
        build(settings, BATCH, 40)
    with Pinakes(settings) as opened:
        yield opened


def test_a_version_is_the_same_in_every_library() -> None:
    first, again = Batch(3).documents, Batch(3).documents
    assert first == again
    assert [document.id for document in first] == list(range(3 * BATCH + 1, 4 * BATCH + 1))
    assert {document.model_id for document in first} <= {document.id for document in first}


def test_some_words_are_everywhere_and_most_are_rare() -> None:
    documents = Batch(0).documents
    holders: dict[str, int] = {}
    for document in documents:
        for word in set(words(document.description)):
            holders[word] = holders.get(word, 0) + 1
    counts = sorted(holders.values(), reverse=True)
    assert counts[0] > len(documents) / 2
    assert sum(count <= 2 for count in counts) > len(counts) / 2
    assert len(set(Vocabulary(5_000).words)) == 5_000


def test_everything_built_is_found(pinakes: Pinakes) -> None:
    answer = pinakes.search("is:remote,adult", versions=True)
    assert answer.matches == BATCH
    document = Batch(0).documents[7]
    found = pinakes.search(f"hash:{document.hashes[0]}").hits
    assert found[0].document == document
    assert pinakes.similar(1, min_score=0.0).hits


def test_all_kinds_of_queries_are_answered(pinakes: Pinakes) -> None:
    kinds = kinds_of_queries(BATCH, 3)
    assert len(kinds) >= 15
    for asks in kinds.values():
        for ask in asks:
            pinakes.search(ask.query, **ask.more)
    assert all(ask.more["typing"] for ask in typed_letter_by_letter(BATCH, 3))


def test_nonsense_breaks_nothing(pinakes: Pinakes) -> None:
    for query in list(hostile_queries())[:90]:
        try:
            pinakes.search(query)
        except QueryError as error:
            assert "^" in str(error), query[:80]


def test_facets_are_counted_anew(pinakes: Pinakes, capsys: pytest.CaptureFixture[str]) -> None:
    bench = Bench(pinakes.settings, "tantivy", pinakes)
    bench.facets(kinds_of_queries(BATCH, 2))
    assert bench.within
    assert ", 0 differ" in capsys.readouterr().out
