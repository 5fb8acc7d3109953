"""A pasted prompt's candidates: creators of the best bring more, and nothing is shown twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.domain.filters import ALL
from indexer.domain.records import Document
from indexer.indexes.prompt_counting import count_makers
from indexer.indexes.prompt_cuts import CutWriter
from indexer.indexes.text import TextQuery
from indexer.indexes.text_tantivy import TantivyIndex
from search.answering import Page, page_of
from search.explain import Asked
from search.prompted import PromptFiles, prompted
from search.query import parse_query
from search.retrieval import PASTED, Candidates, Way, text_candidates

ASKED = "1girl, harbour at dusk, paper boat, looking away, rusty rope"
QUIET = (701, 702)
LAMP = 704


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
    yield Document(LAMP, LAMP, "The lamp on a shelf", creator="noor", prompts=("zebra",))
    yield Document(705, 705, "zebra", creator="ada", prompts=("the lamp on a shelf, at night",))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[TantivyIndex, PromptFiles]:
    folder = tmp_path_factory.mktemp("prompted")
    index = TantivyIndex(folder / "text")
    with index.writing() as writer:
        writer.put(library())
    files = PromptFiles(folder / "cuts", folder / "makers")
    CutWriter(files.cuts).start("one")
    CutWriter(files.cuts).put(((one.id, one) for one in library()), 1)
    count_makers(files.cuts, files.makers)
    return index, files


def asked(made: tuple[TantivyIndex, PromptFiles], query: str, way: Way) -> Candidates:
    index, files = made
    parsed = parse_query(query)
    found = text_candidates(index, parsed, ALL, way, ())
    return prompted(index, files, parsed, ALL, (), found)


def test_creators_of_the_best_bring_what_they_have(made: tuple[TantivyIndex, PromptFiles]) -> None:
    found = asked(made, ASKED, Way())
    scores = found.signals["text"]
    assert max(scores, key=lambda id_: scores[id_]) == 1
    assert set(QUIET) <= set(found.ids)
    assert 703 not in found.ids
    assert len(found.ids) == len(set(found.ids))


def test_what_joined_is_not_shown_again_behind(made: tuple[TantivyIndex, PromptFiles]) -> None:
    index, _ = made
    found = asked(made, ASKED, Way())
    behind = index.search(TextQuery(parse_query(ASKED).terms, listed=True), 600, offset=PASTED)
    assert QUIET[0] in behind.ids
    pages = [page_of(found, Page(100, place), Asked())[0] for place in range(0, 800, 100)]
    shown = [place.card.id for page in pages for place in page]
    assert sorted(shown) == sorted({*found.ids, *behind.ids})


def test_a_few_words_are_no_prompt(made: tuple[TantivyIndex, PromptFiles]) -> None:
    assert not set(QUIET) & set(asked(made, "paper boat", Way()).ids)


def test_a_short_sentence_is_a_prompt_and_may_be_a_name(made: tuple[TantivyIndex, PromptFiles]) -> None:
    shown = asked(made, "rusty rope in a harbour", Way())
    scores = shown.signals["text"]
    assert max(scores, key=lambda id_: scores[id_]) == 1
    assert set(QUIET) <= set(shown.ids)
    named = asked(made, "the lamp on a shelf", Way()).signals["text"]
    assert max(named, key=lambda id_: named[id_]) == LAMP


def test_where_nothing_was_published_the_engine_is_believed(
    made: tuple[TantivyIndex, PromptFiles], tmp_path: Path
) -> None:
    found = asked((made[0], PromptFiles(tmp_path / "none", tmp_path / "none")), ASKED, Way())
    assert found.ids[0] == 1
    assert found.signals["text"][1] > 2 * found.signals["text"][2] > 0
