"""A pasted prompt beside the prompts of models' own pictures."""

from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.prompt_cut import cut
from indexer.domain.records import Document
from search.prompting import FEATURES, Asking, Entry, scored

ASKED = "1girl, harbour at dusk, paper boat, looking away"
WORTHS = dict.fromkeys(ASKED.replace(",", "").split(), 3.0)


def entry(model: int, *prompts: str, fold: int = 0, **more: object) -> Entry:
    document = Document(model, model, f"model {model}", prompts=prompts, **more)  # type: ignore[arg-type]
    return Entry(fold or model, document.creator or "", cut(document))


def scores_of(*entries: Entry) -> dict[int, float]:
    return scored(Asking(ASKED, WORTHS).features(entries))


def best(*entries: Entry) -> int:
    scores = scores_of(*entries)
    return max(scores, key=lambda model: scores[model])


def feature(name: str, asked: str, *entries: Entry) -> list[float]:
    found = Asking(asked, dict.fromkeys(asked.replace(",", "").split(), 3.0)).features(entries)
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
    assert set(Asking(ASKED, WORTHS).features([*versions, entry(3, "horse")])) == {1, 3}


def test_a_text_that_two_versions_share_counts_once() -> None:
    alone = feature("tagged", "boat", entry(1, tags=("boat",)))
    assert feature("tagged", "boat", *(entry(n, tags=("boat",), fold=1) for n in (1, 2))) == alone != [0.0]


def test_own_prompts_are_told_from_others_of_the_same_creator() -> None:
    pair = entry(1, "1girl, boat", creator="mira"), entry(2, "1girl, castle", creator="mira")
    first, second = feature("likely", "boat, 1girl", *pair)
    assert first > 0 > second


def test_an_unknown_creator_is_nobody_elses() -> None:
    first, second = feature("maker_tags", "boat, sea", entry(1, "boat, sea"), entry(2, "castle"))
    assert first > second == 0.0


def test_nothing_to_compare_is_nothing() -> None:
    assert scored(Asking(ASKED, WORTHS).features([])) == {}


@given(st.text(max_size=200), st.lists(st.lists(st.text(max_size=60), max_size=3), max_size=4))
def test_any_text_gets_a_signal(asked: str, prompts: list[list[str]]) -> None:
    entries = [entry(model, *texts, creator="mira") for model, texts in enumerate(prompts, 1)]
    features = Asking(asked, {}).features(entries)
    assert all(len(values) == len(FEATURES) for values in features.values())
    assert all(0.0 <= score <= 1.0 for score in scored(features).values())
