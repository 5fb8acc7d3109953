"""Cutting text into words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.text import MAX_WORD, fold, words


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Detail_Tweaker-XL v1.2|fp16", ["detail", "tweaker", "xl", "v1", "2", "fp16"]),
        ("DetailTweakerXL", ["detail", "tweaker", "xl"]),
        ("SDXL", ["sdxl"]),
        ("Ｎａïve", ["naive"]),
        ("ﬁne Straße", ["fine", "strasse"]),
        ("水彩画", ["水彩", "彩画"]),
        ("水彩", ["水彩"]),
        ("", []),
        ("--__--", []),
    ],
)
def test_words(text: str, parts: list[str]) -> None:
    assert words(text, glued=False) == parts


def test_documents_keep_the_glued_form_last() -> None:
    assert words("DetailTweaker pro") == ["detail", "tweaker", "pro", "detailtweaker"]


@given(st.text(max_size=200))
def test_words_are_short_folded_and_never_blank(text: str) -> None:
    for word in words(text):
        assert 0 < len(word) <= MAX_WORD
        assert word.split() == [word]
        assert fold(word) == word
