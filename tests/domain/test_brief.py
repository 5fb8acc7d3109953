"""The words of short fields that engines keep."""

import pytest
from hypothesis import given

from indexer.domain.brief import Brief
from indexer.domain.records import Document
from tests.strategies import documents


def test_a_brief_holds_words_value_by_value() -> None:
    document = Document(
        1,
        1,
        "DetailTweaker",
        tags=("soft light", "ink"),
        trigger_words=("ink wash, bold", ""),
        creator="Mira_K",
    )
    brief = Brief.of(document)
    assert brief.name == "detail tweaker detailtweaker"
    assert brief.tags == "soft light\tink"
    assert brief.trigger_words == "ink wash\tbold"  # hubs give several as one text
    assert brief.creator == "mira k"


@given(documents())
def test_a_brief_comes_back_from_its_text(document: Document) -> None:
    brief = Brief.of(document)
    assert Brief.from_text(brief.to_text()) == brief


def test_a_brief_is_bounded() -> None:
    document = Document(1, 1, "a", tags=("word " * 1_000,) * 10)
    assert len(Brief.of(document).tags.split()) == 200


def test_a_text_of_other_parts_is_refused() -> None:
    with pytest.raises(ValueError, match="fill the index again"):
        Brief.from_text("a\nb")
