"""How much words tell, which are looked for, and how many an entry must have."""

import pytest

from indexer.domain.evidence import LONG, least_words, pick_terms, rarity


def test_rare_words_tell_more_and_none_tells_less_than_nothing() -> None:
    told = [rarity(frequency, 100) for frequency in (0, 1, 10, 50, 100, 1_000)]
    assert told == sorted(told, reverse=True)
    assert told[-1] > 0


def test_the_rarest_known_words_are_picked_in_the_order_typed() -> None:
    frequencies = {"a": 90, "ink": 3, "the": 80, "wash": 5}
    terms = ("a", "wash", "of", "the", "ink")
    assert pick_terms(terms, frequencies, 2) == ("wash", "ink")
    assert pick_terms(terms, frequencies, 5) == terms
    assert pick_terms(("zzz", "ink", "yyy"), frequencies, 2) == ("zzz", "ink")  # unknown ones fill up


@pytest.mark.parametrize(
    ("count", "least"), [(0, 0), (1, 1), (2, 2), (3, 2), (LONG - 1, LONG - 2), (LONG, 1), (64, 1)]
)
def test_how_many_words_an_entry_must_have(count: int, least: int) -> None:
    assert least_words(count) == least
