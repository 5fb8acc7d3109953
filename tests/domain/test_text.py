"""Cutting text into words."""

import re

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
        ("Flux水彩画2", ["flux", "水彩", "彩画", "2"]),
        ("ガラス 한국어", ["ガラ", "ラス", "한국", "국어"]),
        ("", []),
        ("--__--", []),
    ],
)
def test_words(text: str, parts: list[str]) -> None:
    assert words(text, glued=False) == parts


def test_documents_keep_further_forms_last() -> None:
    assert words("DetailTweaker pro") == ["detail", "tweaker", "pro", "detailtweaker"]
    assert words("realistic2 sd15") == ["realistic2", "sd15", "realistic"]


@given(st.text(max_size=200))
def test_words_are_short_folded_and_never_blank(text: str) -> None:
    for word in words(text):
        assert 0 < len(word) <= MAX_WORD
        assert word.split() == [word]
        assert fold(word) == word


def slowly(text: str) -> list[str]:
    """``words`` of ASCII text, every run split and folded."""
    runs = re.findall(r"[A-Za-z0-9]+", text)
    cut = [re.split(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})", run) for run in runs]
    more: list[str] = []
    for run, pieces in zip(runs, cut, strict=True):
        more += [run] * (len(pieces) > 1)
        more += re.findall(r"^([a-z]{4,})[0-9]{1,3}$", pieces[-1].lower()[:MAX_WORD])
    return [word.casefold()[:MAX_WORD] for word in (*(p for pieces in cut for p in pieces), *more)]


@given(st.text(st.characters(codec="ascii"), max_size=200))
def test_ascii_takes_a_short_way_to_the_same_words(text: str) -> None:
    assert words(text) == slowly(text)
