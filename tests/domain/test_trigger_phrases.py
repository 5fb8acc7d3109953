"""Trigger phrases as they are published, and what is typed of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.text import words
from indexer.domain.trigger_phrases import is_phrase, phrase_place, trigger_phrases


def test_hubs_give_several_as_one_text() -> None:
    assert [p.strip() for p in trigger_phrases(("ink wash, bold", "soft;light，red、blue"))] == [
        "ink wash", "bold", "soft", "light", "red", "blue",
    ]  # fmt: skip


@pytest.mark.parametrize("phrase", ["ink wash", "Ink_Wash", "InkWash", "inkwash", "ＩＮＫ wash"])
@pytest.mark.parametrize("typed", ["ink wash", "InkWash", "inkwash"])
def test_the_same_however_it_is_written(phrase: str, typed: str) -> None:
    assert phrase_place(("bold", phrase), words(typed, glued=False)) == 1


@pytest.mark.parametrize("phrase", ["ink", "ink wash style", "a ink wash", "", "wash ink", "inkwashes"])
def test_another_phrase(phrase: str) -> None:
    assert phrase_place((phrase,), ("ink", "wash")) is None


@given(st.text(max_size=30))
def test_every_phrase_is_itself(text: str) -> None:
    if typed := words(text, glued=False):
        assert is_phrase(words(text), "".join(typed))
