"""A pasted prompt beside the prompts of models' own pictures."""

from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.records import Document
from search.prompting import FEATURES, Asking, read_prompt, scored

ASKED = "1girl, harbour at dusk, paper boat, looking away"
WORTHS = dict.fromkeys(ASKED.replace(",", "").split(), 3.0)


def entry(model: int, *prompts: str, **more: object) -> Document:
    return Document(model, model, f"model {model}", prompts=prompts, **more)  # type: ignore[arg-type]


def best(*documents: Document) -> int:
    scores = scored(Asking(ASKED, WORTHS).features(documents))
    return max(scores, key=lambda model: scores[model])


def test_syntax_of_prompts_is_no_word() -> None:
    read = read_prompt("((1girl)), (Silver_Hair:1.2), <lora:boat:0.8> BREAK [sea|sky]")
    assert read.tags == {"1girl", "silver hair", "sea sky"}
    assert ("silver", "hair") in read.pairs
    assert read.listed == 3


def test_a_model_with_a_prompt_like_it_is_first() -> None:
    other = entry(1, "1girl, castle, looking away"), entry(2, "1boy, horse")
    assert best(*other, entry(3, "harbour at dusk, 1girl, paper boat")) == 3


def test_the_creators_other_models_count_as_well() -> None:
    near = entry(1, "1girl, harbour at dusk, paper boat, rope", creator="mira")
    quiet = entry(2, "zebra", creator="mira"), entry(3, "zebra", creator="noor")
    scores = scored(Asking(ASKED, WORTHS).features([near, *quiet]))
    assert scores[1] > scores[2] > scores[3]


def test_without_prompts_the_texts_speak() -> None:
    assert best(entry(1, description="a horse"), entry(2, description="a paper boat in a harbour")) == 2


def test_versions_count_as_one_model() -> None:
    versions = entry(1, "zebra"), Document(2, 1, "model 1", prompts=("harbour at dusk, paper boat",))
    assert set(Asking(ASKED, WORTHS).features([*versions, entry(3, "horse")])) == {1, 3}


def test_nothing_to_compare_is_nothing() -> None:
    assert scored(Asking(ASKED, WORTHS).features([])) == {}


@given(st.text(max_size=200), st.lists(st.lists(st.text(max_size=60), max_size=3), max_size=4))
def test_any_text_gets_a_signal(asked: str, prompts: list[list[str]]) -> None:
    documents = [entry(model, *texts, creator="mira") for model, texts in enumerate(prompts, 1)]
    features = Asking(asked, {}).features(documents)
    assert all(len(values) == len(FEATURES) for values in features.values())
    assert all(0.0 <= score <= 1.0 for score in scored(features).values())
