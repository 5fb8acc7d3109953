"""Families: what labels, bases, names, tags and markers add up to, and where they stop."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.claims import Claim, ClaimSet
from indexer.domain.vocabulary import families, read_table
from indexer.rules.families import Guess, guess_families
from indexer.rules.hints import gather_hints
from tests.rules.builders import header

PONY = "67ab2fd8ec439a89b3fedb15cc65f54336af163c7eb5e4f2acc98f090a29b0b3"
SDXL = "31e35c80fc4829d14f90153f4c74cd59c90b779f6afe05a74cd6120b893f7e5b"


def label(text: str, source: str = "sidecar:test") -> ClaimSet:
    return ClaimSet(source, (Claim("base_label", text),), {})


def guess(
    name: str = "",
    *claims: ClaimSet,
    root: str | None = "sdxl",
    metadata: Mapping[str, str] | None = None,
    tensors: tuple[str, ...] = (),
    **training: Any,
) -> Guess:
    return guess_families(root, gather_hints(metadata or {}, name, None, claims), training, tensors)


def confidence(found: Guess, family: str) -> float:
    return next((item.confidence for item in found.ranked if item.family == family), 0.0)


def test_a_name_is_a_guess_and_a_label_beside_it_a_better_one() -> None:
    named, labelled = guess("cool_pony_style.safetensors"), guess("cool_pony_style", label("Pony"))
    assert named.best == labelled.best == "pony"
    assert 0.4 < confidence(named, "pony") < 0.6 < 0.85 < confidence(labelled, "pony") < 0.95
    assert "file name" in named.evidence[0].detail


def test_one_person_saying_it_twice_is_one_word() -> None:
    once = guess("noobai style")
    twice = guess("noobai style", metadata={"modelspec.title": "NoobAI", "ss_output_name": "noobai_x"})
    assert confidence(once, "noobai") == confidence(twice, "noobai")
    hubs = guess("", label("Pony", "sidecar:a"), label("Pony", "sidecar:b"))
    assert confidence(hubs, "pony") == confidence(guess("", label("Pony")), "pony")


def test_families_stay_within_their_architecture() -> None:
    assert guess("my_pony", root="sd1") == Guess(None, (), ())
    assert guess("my_pony", root=None) == Guess(None, (), ())
    assert guess("my_pony", root="auraflow").best == "pony-v7"


def test_competing_families_share_the_rest() -> None:
    both = guess("illustrious and pony merge")
    assert {item.family for item in both.ranked} == {"illustrious", "pony"}
    assert confidence(both, "illustrious") < confidence(guess("illustrious merge"), "illustrious")
    assert sum(item.confidence for item in both.ranked) < 1


@pytest.mark.parametrize(
    "name", ["hyper detailed", "lightning bolts", "turbo snail", "playground slide", "il"]
)
def test_words_with_other_meanings_are_no_answer(name: str) -> None:
    assert confidence(guess(f"{name} xl"), "sdxl-turbo") == 0
    assert all(item.confidence < 0.5 for item in guess(name).ranked)


@pytest.mark.parametrize(
    ("base", "family"),
    [
        ("noobaiXL_vPred10.safetensors", "noobai"),
        ("waiNSFWIllustrious_v140", "illustrious"),
        ("ponyDiffusionV6XL", "pony"),
        ("sd_xl_base_1.0", None),
    ],
)
def test_a_training_base_names_the_family(base: str, family: str | None) -> None:
    assert guess_families("sdxl", gather_hints({}, "", base, ())).best == family
    assert guess(metadata={"ss_sd_model_name": base}).best == family


def test_known_bases_are_told_by_hash() -> None:
    found = guess(base_model_hash=PONY, base_model_name="290640.safetensors")
    assert found.best == "pony" and confidence(found, "pony") >= 0.95
    assert guess(base_model_name="889818.safetensors").best == "illustrious"
    assert guess(base_model_hash="925997e9", root="sd1").best == "novelai"


def test_a_plain_base_speaks_against_the_name() -> None:
    assert guess("little pony", base_model_hash=SDXL).best is None
    plain = guess("little pony", metadata={"ss_sd_model_name": "sd_xl_base_1.0.safetensors"})
    assert plain.best is None and 0 < confidence(plain, "pony") < 0.4


def test_merges_count_by_share() -> None:
    models = [{"name": "ponyRealism_v22"}, {"hash": PONY}, {"name": "someMix"}, {"name": "otherMix"}]
    half, whole = guess(merge={"models": models}), guess(merge={"models": models[:2]})
    assert whole.best == "pony" and confidence(half, "pony") < confidence(whole, "pony")


def test_caption_tags_speak_when_many_captions_carry_them() -> None:
    tags = (("score_9", 80), ("1girl", 100))
    assert guess(tag_frequency=tags).best == "pony"
    assert guess(tag_frequency=(("score_9", 1), ("1girl", 100))).best is None
    noob = guess(tag_frequency=(("very awa", 90), ("newest", 90)))
    assert noob.best == "noobai" and confidence(noob, "illustrious") > 0.05


def test_markers_speak_together() -> None:
    assert guess(tensors=("v_pred", "ztsnr")).best == "noobai"
    assert guess(tensors=("v_pred",)).best is None
    assert header(("v_pred",)).tensors.keys() == {"v_pred"}


@given(
    st.lists(
        st.sampled_from(["pony", "illustrious", "noobai", "ponyxl", "wai", "merge", "il", "xl"]), max_size=8
    )
)
def test_names_alone_never_make_certain(words: list[str]) -> None:
    metadata = {"modelspec.title": " ".join(words), "ss_sd_model_name": " ".join(reversed(words))}
    found = guess("_".join(words), metadata=metadata, merge={"models": [{"name": word} for word in words]})
    assert all(0.05 <= item.confidence <= 0.95 for item in found.ranked)
    assert sum(item.confidence for item in found.ranked) <= 1
    assert [item.confidence for item in found.ranked] == sorted(
        (item.confidence for item in found.ranked), reverse=True
    )


def test_the_table_is_sound() -> None:
    table = read_table("family_marks.toml")
    for group in ("hash", "version", "tags", "marker"):
        for row in table[group]:
            assert row["why"] and (row["family"] == "" or row["family"] in families()), row
    named = {word for family in families().values() for name in family.names for word in name.split()}
    assert table["words"].keys() - {"why"} <= named | {"turbo"}
    assert all(len(row["sha256"]) == 64 for row in table["hash"])
