"""Cards: the numbers of an entry that engines keep."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.cards import CARD_FIELDS, NO_ATTENTION, NO_RATING, WHOLE, Card, card_of, code, day_number
from indexer.domain.records import Document
from indexer.domain.vocabulary import architectures, families, kinds
from tests.strategies import documents


@given(documents())
def test_cards_come_back_from_numbers_of_any_type(document: Document) -> None:
    card = card_of(document)
    assert Card.from_row(card.to_row()) == card
    back = Card.from_row([float(number) for number in card.to_row()])
    assert back == card
    assert all(type(number) is int for number in back[:WHOLE])


@given(documents())
def test_numbers_fit_their_columns(document: Document) -> None:
    card = card_of(document)
    assert all(0 <= number < 2**63 for number in card[:WHOLE])
    assert card.rating == NO_RATING or 0.0 <= card.rating <= 5.0
    assert card.attention == NO_ATTENTION or card.attention >= 0.0
    assert 0.0 <= card.quality <= 1.0


def test_another_number_of_columns_is_told() -> None:
    with pytest.raises(ValueError, match="has 10 numbers, not 9"):
        Card.from_row([0.0] * (len(CARD_FIELDS) - 1))


def test_codes_tell_all_words_of_the_vocabulary_apart() -> None:
    names = {*kinds(), *architectures(), *families()}
    assert len({code(name) for name in names} | {code(None)}) == len(names) + 1


def test_unknown_is_not_zero() -> None:
    unknown, none = card_of(Document(1, 1, "x")), card_of(Document(1, 1, "x", downloads=0, rating=0.0))
    assert (unknown.rating, unknown.attention) == (NO_RATING, NO_ATTENTION)
    assert (none.rating, none.attention) == (0.0, 0.0)


def test_the_users_own_rating_outweighs_that_of_strangers() -> None:
    assert card_of(Document(1, 1, "x", rating=4.8, my_rating=1.0)).rating == 1.0


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_more_downloads_never_lower_attention(downloads: int, more: int) -> None:
    low, high = (
        card_of(Document(1, 1, "x", downloads=n, rating_count=3)) for n in (downloads, downloads + more)
    )
    assert low.attention <= high.attention


@pytest.mark.parametrize(
    ("day", "number"),
    [("1970-01-02", 1), ("2024-02-29T10:00:00Z", 19782), ("1969-01-01", 0), ("soon", 0), ("", 0), (None, 0)],
)
def test_days(day: str | None, number: int) -> None:
    assert day_number(day) == number
