"""A pasted prompt beside the prompts of models' own pictures."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.prompt_cut import cut
from indexer.domain.records import Document
from indexer.indexes.prompt_columns import columns_of, counts_of
from indexer.indexes.prompt_makers import Makers
from search.prompting import FEATURES, Asking, Entry, scored

ASKED = "1girl, harbour at dusk, paper boat, looking away"
WORTHS = dict.fromkeys(ASKED.replace(",", "").split(), 3.0)


def entry(model: int, *prompts: str, fold: int = 0, **more: object) -> Entry:
    document = Document(model, model, f"model {model}", prompts=prompts, **more)  # type: ignore[arg-type]
    return Entry(fold or model, document.creator or "", cut(document))


def compared(asking: Asking, entries: Sequence[Entry]) -> dict[int, tuple[float, ...]]:
    """Among entries that are all there are, of creators of whom nothing else is counted."""
    counts = counts_of(columns_of([entry.numbers for entry in entries]))
    nobody = np.zeros(0, np.int64)
    known = asking.words[counts.table[0, asking.words] > 0]
    table = np.zeros((len(known), 0), np.int64)
    return asking.features(entries, Makers(counts, [], known, {}, nobody, nobody, table))


def scores_of(*entries: Entry) -> dict[int, float]:
    return scored(compared(Asking(ASKED, WORTHS), entries))


def best(*entries: Entry) -> int:
    scores = scores_of(*entries)
    return max(scores, key=lambda model: scores[model])


def feature(name: str, asked: str, *entries: Entry) -> list[float]:
    found = compared(Asking(asked, dict.fromkeys(asked.replace(",", "").split(), 3.0)), entries)
    return [values[FEATURES.index(name)] for values in found.values()]


def test_a_model_with_a_prompt_like_it_is_first() -> None:
    other = entry(1, "1girl, castle, looking away"), entry(2, "1boy, horse")
    assert best(*other, entry(3, "harbour at dusk, 1girl, paper boat")) == 3


def test_the_creators_other_models_count_as_well() -> None:
    near = entry(1, "1girl, harbour at dusk, paper boat, rope", creator="mira")
    scores = scores_of(near, entry(2, "zebra", creator="mira"), entry(3, "zebra", creator="noor"))
    assert scores[1] > scores[2] > scores[3]


def test_without_prompts_the_texts_speak() -> None:
    assert best(entry(1, description="a horse"), entry(2, description="a paper boat in a harbour")) == 2


def test_versions_count_as_one_model() -> None:
    versions = entry(1, "zebra"), entry(2, "harbour at dusk, paper boat", fold=1)
    assert set(compared(Asking(ASKED, WORTHS), [*versions, entry(3, "horse")])) == {1, 3}


def test_a_text_that_two_versions_share_counts_once() -> None:
    alone = feature("tagged", "boat", entry(1, tags=("boat",)))
    assert feature("tagged", "boat", *(entry(n, tags=("boat",), fold=1) for n in (1, 2))) == alone != [0.0]


def test_own_prompts_are_told_from_others_of_the_same_creator() -> None:
    pair = entry(1, "1girl, boat", creator="mira"), entry(2, "1girl, castle", creator="mira")
    first, second = feature("likely", "boat, 1girl", *pair)
    assert first > 0 > second


def test_of_creators_counts_the_catalog_not_the_pool() -> None:
    entries = [entry(1, "boat", creator="mira"), entry(2, "boat", creator="noor")]
    counts = counts_of(columns_of([entry.numbers for entry in entries]))
    asking = Asking("boat, sea", {})
    known = asking.words[counts.table[0, asking.words] > 0]
    counted = Makers(counts, [], known, {"noor": 0}, np.array([30]), np.array([900]), np.array([[1]]))
    mira, noor = asking.features(entries, counted).values()
    for name in ("maker_likely", "maker_share"):
        assert mira[FEATURES.index(name)] > noor[FEATURES.index(name)]


def test_an_unknown_creator_is_nobody_elses() -> None:
    first, second = feature("maker_tags", "boat, sea", entry(1, "boat, sea"), entry(2, "castle"))
    assert first > second == 0.0


def test_each_place_costs_something() -> None:
    first, *others = (scores_of(*(entry(n, "paper boat") for n in range(1, 4)))).values()
    assert first > others[0] > others[1]
    assert first - others[0] == pytest.approx(others[0] - others[1])


def test_a_word_that_few_write_says_more() -> None:
    common = [entry(n, "paper, castle") for n in range(2, 9)]
    asked = Asking("paper, boat", {})
    rare = entry(1, "boat, castle")
    found = compared(asked, [rare, *common])
    tags = FEATURES.index("tags")
    assert found[1][tags] > found[2][tags] > 0


def test_what_counts_depends_on_the_length_of_the_prompt() -> None:
    named = Entry(1, "", cut(Document(1, 1, "w0")))
    asked = [" ".join(f"w{n}" for n in range(count)) for count in (2, 15, 60)]
    assert all(feature("named", text, named)[0] > 0 for text in asked)
    short, middling, long = (feature("long_named", text, named)[0] for text in asked)
    assert short < middling == 0.0 < long


def test_where_a_model_has_no_prompts_the_rest_counts_apart() -> None:
    seen = entry(1, "boat, sea", creator="mira"), entry(2, creator="mira")
    assert feature("maker_tags", "boat, sea", *seen)[0] > 0
    assert feature("unseen_maker_tags", "boat, sea", *seen) == [
        0.0,
        feature("maker_tags", "boat, sea", *seen)[1],
    ]


def test_nothing_to_compare_is_nothing() -> None:
    assert scored(compared(Asking(ASKED, WORTHS), [])) == {}


@given(st.text(max_size=200), st.lists(st.lists(st.text(max_size=60), max_size=3), max_size=4))
def test_any_text_gets_a_signal(asked: str, prompts: list[list[str]]) -> None:
    entries = [entry(model, *texts, creator="mira") for model, texts in enumerate(prompts, 1)]
    features = compared(Asking(asked, {}), entries)
    assert all(len(values) == len(FEATURES) for values in features.values())
    assert all(0.0 <= score <= 1.0 for score in scored(features).values())
