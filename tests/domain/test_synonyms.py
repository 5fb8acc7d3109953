"""Other forms of a word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.synonyms import PLURAL, SPELLING, SYNONYM, forms, singular
from indexer.domain.text import words
from indexer.domain.vocabulary import read_table


@pytest.mark.parametrize(
    ("many", "one"),
    [
        ("knights", "knight"),
        ("witches", "witch"),
        ("cities", "city"),
        ("boxes", "box"),
        ("dresses", "dress"),
        ("women", "woman"),
        ("elves", "elf"),
        ("dress", "dress"),
        ("canvas", "canvas"),
        ("virus", "virus"),
        ("gas", "gas"),
        ("水彩s", "水彩s"),
    ],
)
def test_singular(many: str, one: str) -> None:
    assert singular(many) == one


@pytest.mark.parametrize(
    ("word", "form", "worth"),
    [
        ("knight", "knights", PLURAL),
        ("knights", "knight", PLURAL),
        ("witch", "witches", PLURAL),
        ("woman", "women", PLURAL),
        ("watercolor", "watercolour", SPELLING),
        ("watercolour", "watercolor", SPELLING),
        ("theatre", "theater", SPELLING),
        ("stylised", "stylized", SPELLING),
        ("photorealistic", "realistic", SYNONYM),
        ("grey", "gray", SYNONYM),
    ],
)
def test_forms(word: str, form: str, worth: float) -> None:
    assert forms(word)[form] == worth


@given(st.text(max_size=20))
def test_a_word_is_no_other_form_of_itself(word: str) -> None:
    assert word not in forms(word)
    assert all(0 < worth < 1 for worth in forms(word).values())


def test_every_row_of_the_table_says_why_and_holds_words() -> None:
    for row in read_table("synonyms.toml")["words"]:
        assert row["why"]
        assert len(row["same"]) >= 2
        assert all(words(word, glued=False) == [word] for word in row["same"])
