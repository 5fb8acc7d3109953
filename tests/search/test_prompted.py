"""A pasted prompt's candidates: creators of the best bring more, and nothing is shown twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.domain.filters import ALL
from indexer.domain.records import Document
from indexer.indexes.prompt_cuts import CutWriter
from indexer.indexes.text_tantivy import TantivyIndex
from search.prompted import prompted
from search.query import parse_query
from search.retrieval import Candidates, Span, text_candidates

ASKED = "1girl, harbour at dusk, paper boat, looking away, rusty rope"
QUIET = (701, 702)


def library() -> Iterator[Document]:
    """600 with a word of the prompt, the first of them with much of it; of its creator one more that says it
    among many others, and one without."""
    yield Document(1, 1, "one", creator="Mira", prompts=("1girl, harbour at dusk, rusty rope, sail",))
    for id_ in range(2, 601):
        yield Document(id_, id_, f"model {id_}", prompts=("paper",), creator=f"maker {id_}")
    told = " ".join(f"word{number}" for number in range(200))
    yield Document(QUIET[0], QUIET[0], "zebra", creator="Mira", prompts=(f"paper {told}",))
    yield Document(QUIET[1], QUIET[1], "zebra", creator="Mira", prompts=("zebra",))
    yield Document(703, 703, "zebra", creator="noor", prompts=("zebra",))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[TantivyIndex, Path]:
    folder = tmp_path_factory.mktemp("prompted")
    index = TantivyIndex(folder / "text")
    with index.writing() as writer:
        writer.put(library())
    CutWriter(folder / "cuts").start("one")
    CutWriter(folder / "cuts").put(((one.id, one) for one in library()), 1)
    return index, folder / "cuts"


def asked(made: tuple[TantivyIndex, Path], query: str, span: Span) -> Candidates:
    index, cuts = made
    parsed = parse_query(query)
    found = text_candidates(index, parsed, ALL, span, ())
    return prompted(index, cuts, parsed, ALL, (), found)


def test_creators_of_the_best_bring_what_they_have(made: tuple[TantivyIndex, Path]) -> None:
    found = asked(made, ASKED, Span(24))
    scores = found.signals["text"]
    assert max(scores, key=lambda id_: scores[id_]) == 1
    assert set(QUIET) <= set(found.ids)
    assert 703 not in found.ids
    assert len(found.ids) == len(set(found.ids))


def test_what_joined_is_not_shown_again_behind(made: tuple[TantivyIndex, Path]) -> None:
    plain = text_candidates(made[0], parse_query(ASKED), ALL, Span(120, 500), ())
    assert QUIET[0] in plain.ids
    ahead, behind = asked(made, ASKED, Span(100)), asked(made, ASKED, Span(120, 500))
    assert behind.ids == [id_ for id_ in plain.ids if id_ != QUIET[0]]
    assert not set(ahead.ids) & set(behind.ids)


def test_a_few_words_are_no_prompt(made: tuple[TantivyIndex, Path]) -> None:
    assert not set(QUIET) & set(asked(made, "paper boat", Span(24)).ids)


def test_without_cuts_the_engine_is_believed(made: tuple[TantivyIndex, Path], tmp_path: Path) -> None:
    found = asked((made[0], tmp_path / "none"), ASKED, Span(24))
    assert found.ids[0] == 1
    assert found.signals["text"][1] > 2 * found.signals["text"][2] > 0
