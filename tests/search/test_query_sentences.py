"""Short sentences tell what is in a picture; names mostly do not."""

import pytest

from search.query_prompts import is_sentence


@pytest.mark.parametrize("query", ["a woman in a red kimono", "young smiling nun with cross"])
def test_sentences(query: str) -> None:
    assert is_sentence(query.split())


@pytest.mark.parametrize("query", ["all in one", "lord of the flying rings", "on on on on a", ""])
def test_names_and_too_few_words(query: str) -> None:
    assert not is_sentence(query.split())
