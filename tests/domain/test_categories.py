"""What a model is for: told by tags, judged from words, or left open."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.categories import (
    CategoryVerdict,
    categories,
    category_of,
    judge_category,
    judged_kind,
    tagged_real_person,
)
from indexer.domain.filters import keyword
from indexer.domain.vocabulary import kinds, read_table
from tests.clocks import in_time

ROWS = read_table("categories.toml")["category"]
WEIGHTS = read_table("category_weights.toml")


@pytest.mark.parametrize(
    ("tags", "category"),
    [
        (["anime", "Style"], "style"),
        (["concept", "poses"], "pose"),
        (["Real  Person"], "celebrity"),
        (["sdxl", "woman"], None),
        ([], None),
    ],
)
def test_the_first_row_that_a_tag_names_wins(tags: list[str], category: str | None) -> None:
    assert category_of(tags) == category


def test_the_hubs_own_tag_is_heard_before_peoples() -> None:
    assert category_of(["clothes", "character"]) == "character"
    assert category_of(["art style", "concept"]) == "concept"


@pytest.mark.parametrize(
    ("tags", "category"),
    [
        (["style", "anime", "illustration"], "anime"),
        (["photorealistic", "character"], "photorealism"),
        (["buildings"], "architecture"),
        (["photorealistic", "semi-realistic"], "semi_realism"),
        (["anime", "celebrity"], "celebrity"),
        (["base model"], "general"),
        (["base model", "vehicle"], "vehicle"),
    ],
)
def test_a_checkpoint_is_told_by_its_look(tags: list[str], category: str) -> None:
    assert category_of(tags, "checkpoint") == category


def test_a_told_category_says_by_which_tag() -> None:
    found = judge_category(kind="lora", tags=["ink", "Style"], title="Red dress")
    assert (found.category, found.evidence, found.told) == ("style", ("tag 'style'",), True)
    assert found.confidence >= 0.9
    assert found.why == "told 0.95: tag 'style'"


@pytest.mark.parametrize(
    ("case", "category"),
    [
        ({"title": "Winter Kimono", "tags": ["dress"], "trigger_words": ["red kimono"]}, "clothing"),
        ({"title": "Steam locomotive", "tags": ["train", "vehicles"], "description": "A locomotive, and other trains."}, "vehicle"),
        ({"title": "Ink wash style", "tags": ["watercolor", "artist"], "description": "An art style."}, "style"),
        ({"title": "Empty classroom", "tags": ["room", "indoors"], "description": "A classroom background"}, "background"),
        ({"title": "Modern villa", "tags": ["architecture design", "house"], "description": "Facades of houses."}, "building"),
        ({"title": "Arms crossed", "tags": ["openpose"], "description": "sitting and standing poses"}, "pose"),
        ({"title": "Bad hands fix", "tags": ["negative embedding"], "description": "Use it in the negative prompt."}, "tool"),
        (
            {
                "title": "Mira (Tales of the Harbour)",
                "tags": ["anime girl", "video game"],
                "trigger_words": ["mira, blue eyes, long hair, twintails, hair ribbon"],
            },
            "character",
        ),
    ],
)  # fmt: skip
def test_untagged_models_are_judged_by_their_words(case: dict[str, str], category: str) -> None:
    found = judge_category(**{"kind": "lora", **case})
    assert found.candidates[0][0] == category
    assert found.category == category
    assert found.evidence
    assert not found.told


def test_checkpoints_are_judged_by_their_prompts() -> None:
    drawn = judge_category(
        kind="checkpoint", title="Soft anime mix", prompts=["1girl, anime, blue eyes, long hair"] * 3
    )
    photo = judge_category(
        kind="checkpoint", title="True photo", description="Realistic photography of people."
    )
    assert drawn.candidates[0][0] == "anime"
    assert photo.candidates[0][0] == "photorealism"


def test_nothing_known_is_nothing_said() -> None:
    assert judge_category(kind="lora") == CategoryVerdict()
    assert judge_category(kind="lora", title="xqzt", file_name="xqzt_v2.safetensors").category is None


def test_the_unsure_keep_their_candidates() -> None:
    found = judge_category(kind="lora", title="Glow", tags=["woman"])
    assert found.category is None
    assert found.why == ""
    shares = [share for _, share in found.candidates]
    assert shares == sorted(shares, reverse=True)
    assert found.confidence == shares[0] < WEIGHTS["adapter"]["threshold"]


@pytest.mark.parametrize("kind", ["vae", "controlnet", "text_encoder", "upscaler"])
def test_parts_are_told_but_never_judged(kind: str) -> None:
    assert judge_category(kind=kind, title="Red dress", tags=["dress", "kimono"]).category is None
    assert judge_category(kind=kind, tags=["tool"]).category == "tool"


def test_every_kind_is_judged_in_one_way_or_none() -> None:
    assert {kind: judged_kind(kind) for kind in ("lora", "checkpoint", "vae")} == {
        "lora": "adapter", "checkpoint": "checkpoint", "vae": None,
    }  # fmt: skip
    assert {judged_kind(kind) for kind in kinds()} == {"adapter", "checkpoint", None}


def test_real_persons_are_told_beside_other_categories() -> None:
    assert tagged_real_person(["character", "Real Person"])
    assert not tagged_real_person(["character", "person"])


SPELLED = st.text(max_size=80) | st.sampled_from(
    ["red dress", "Style", "1girl", "<b>cat</b>", "東方", "&amp;"]
)


@given(kind=st.sampled_from(sorted(kinds())), texts=st.lists(SPELLED, max_size=6), text=SPELLED)
def test_any_text_gets_a_verdict(kind: str, texts: list[str], text: str) -> None:
    found = judge_category(
        kind=kind, tags=texts, title=text, trigger_words=texts, description=text,
        training_tags=texts, file_name=text, prompts=texts,
    )  # fmt: skip
    assert found.category is None or found.category in categories()
    assert 0 <= found.confidence <= 1
    assert len(found.evidence) <= 5
    assert sum(share for _, share in found.candidates) <= 1.01


@given(tags=st.lists(SPELLED, max_size=6), words=st.lists(SPELLED, max_size=6), seed=st.randoms())
def test_the_order_of_tags_does_not_matter(tags: list[str], words: list[str], seed: object) -> None:
    def judge(tags: list[str], words: list[str]) -> CategoryVerdict:
        return judge_category(kind="lora", tags=tags, trigger_words=words, title="Red dress")

    assert judge(tags, words) == judge(tags[::-1], sorted(words))


@pytest.mark.parametrize(
    "text", ["<" * 20_000_000, "<a " * 7_000_000, "&" * 20_000_000, "dress " * 3_500_000]
)
def test_a_description_without_end_costs_no_more(text: str) -> None:
    def judge() -> CategoryVerdict:
        return judge_category(
            kind="lora", description=text, title=text, tags=[text], trigger_words=[text], prompts=[text]
        )

    in_time(0.1, judge)


@pytest.mark.no_cover
def test_a_verdict_is_quick() -> None:
    words = "A red dress for every day, with <b>long</b> sleeves and a hat &amp; gloves. " * 30
    prompts = ["1girl, red dress, blue eyes, long hair, standing in a street, city, night"] * 6

    def judge_forty() -> None:
        for _ in range(40):
            judge_category(kind="lora", title="Red Dress", tags=["anime"], description=words, prompts=prompts)

    in_time(40 * 0.002, judge_forty)  # ten times what it takes on an idle core


def test_the_table_is_sound() -> None:
    assert [row["id"] for row in ROWS] == list(categories())
    assert len(set(categories())) == len(ROWS)
    for row in ROWS:
        assert len(row["why"]) >= 6, f"{row['id']}: say why"
        assert row["of"] in ("any", "adapter", "checkpoint")
        assert set(row) <= {"id", "of", "hub", "tags", "why", "last"}
        assert all(tag == keyword(tag) for tag in (*row["hub"], *row["tags"]))
        assert set(row.get("last", ())) <= {"adapter", "checkpoint"}


@pytest.mark.parametrize("sort", ["adapter", "checkpoint"])
def test_a_tag_names_one_category_of_a_sort(sort: str) -> None:
    rows = [row for row in ROWS if row["of"] in ("any", sort)]
    tags = [tag for row in rows for tag in (*row["hub"], *row["tags"])]
    assert len(tags) == len(set(tags))


@pytest.mark.parametrize("sort", ["adapter", "checkpoint"])
def test_weights_name_known_categories_and_groups(sort: str) -> None:
    known = {row["id"] for row in ROWS if row["of"] in ("any", sort)}
    groups = set(read_table("category_words.toml")["groups"])
    assert 0.3 <= WEIGHTS[sort]["threshold"] <= 0.95
    assert set(WEIGHTS[sort]["bias"]) <= known
    for place, rows in WEIGHTS[sort]["cues"].items():
        assert list(rows) == sorted(rows)
        for group, weights in rows.items():
            assert place == "shape" or group in groups, f"{place}.{group}: no such group of words"
            assert set(weights) <= set(WEIGHTS[sort]["bias"])
            assert all(0.1 <= abs(weight) < 10 for weight in weights.values())
