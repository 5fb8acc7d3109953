"""Words and where they stand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.category_cues import cues_of, cut, groups, plain
from indexer.domain.vocabulary import read_table


def cues(**told: object) -> set[str]:
    nothing = {
        "tags": (), "title": "", "trigger_words": (), "description": "",
        "training_tags": (), "file_name": "", "prompts": (),
    }  # fmt: skip
    return set(cues_of(**{**nothing, **told}))  # type: ignore[arg-type]  # a table of keyword arguments


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Red&nbsp;dress</p>", ["red", "dress"]),
        ("a<br>b", ["a", "b"]),
        ("no markup at all", ["no", "markup", "at", "all"]),
        ("a < b and <i>c", ["a", "b", "and", "c"]),
        ("<script>alert(1)</script>", ["alert", "1"]),
    ],
)
def test_html_is_read_as_its_words(html: str, text: list[str]) -> None:
    assert cut(plain(html)) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("RedDress_v2", ["red", "dress", "v2"]),
        ("Ｎａïve", ["naive"]),
        ("水墨画", ["水墨", "墨画"]),
        ("newhanfu汉服", ["newhanfu", "汉服"]),
        ("", []),
    ],
)
def test_words_are_folded_and_cut(text: str, words: list[str]) -> None:
    assert cut(text) == words


@given(st.text(max_size=200))
def test_no_text_breaks_the_cutter(text: str) -> None:
    assert all(word and " " not in word for word in cut(text))
    assert cut(text.upper().lower(), prose=True) == cut(text.upper().lower(), prose=True)


def test_the_place_of_a_word_is_told() -> None:
    assert {"title.garment", "head.garment", "any.garment"} <= cues(title="Red Dress v2")
    assert {"tag.vehicle", "any.vehicle"} <= cues(tags=["sports car"])
    assert "start.real" in cues(description="<p>She is an actress.</p>")
    assert "file.garment" in cues(file_name="redDress_v2.safetensors")
    assert {"prompt.looks", "shared.looks"} <= cues(training_tags=["1girl", "blue eyes"])


def test_the_head_of_a_title_ends_where_its_origin_begins() -> None:
    found = cues(title="Red Dress (worn by a vampire)")
    assert {"head.garment", "aside.body", "shape.aside"} <= found
    assert "head.body" not in found


def test_only_what_most_previews_show_is_shared() -> None:
    found = cues(prompts=["red dress, a cat", "red dress, street", "red dress"])
    assert "shared.garment" in found
    assert "shared.animal" not in found
    assert "prompt.animal" in found


def test_phrases_stand_as_a_whole() -> None:
    assert "title.controlnet" in cues(title="t2i adapter")
    assert "title.controlnet" not in cues(title="adapter for t2i")


def test_values_grow_with_the_words_up_to_one() -> None:
    def value(text: str) -> float:
        told = {"tags": (), "trigger_words": (), "training_tags": (), "prompts": ()}
        return cues_of(title="", file_name="", description=text, **told)["text.animal"].value

    assert value("cat") < value("cat, dog") < value("cat dog horse bird fish wolf bear") == 1


def test_groups_are_sorted_lower_case_and_say_why() -> None:
    table = read_table("category_words.toml")
    assert list(table["groups"]) == sorted(table["groups"])
    assert table["fillers"] == sorted(set(table["fillers"]))
    for name, row in table["groups"].items():
        assert len(row["why"]) >= 6, f"{name}: say why"
        assert row["words"] == sorted(set(row["words"])), f"{name}: sort the words, each once"
        assert all(word == word.lower() and cut(word) for word in row["words"])
        assert len({tuple(cut(word)) for word in row["words"]}) == len(row["words"])


def test_cues_of_real_people_are_professions_not_names() -> None:
    """Names would be several capitalised words; what stands here are trades and turns of phrase."""
    assert all(len(word.split()) <= 3 for word in groups()["real"])
    assert {"actress", "singer", "born in"} <= set(groups()["real"])
