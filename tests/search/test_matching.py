"""Entries compared with a query word by word."""

import pytest

from indexer.domain.brief import BRIEF_FIELDS, Brief
from indexer.domain.evidence import Evidence
from search.matching import Match, Matcher

FREQUENCIES = {"ink": 10, "wash": 20, "style": 500, "harbour": 2, "tweaker": 3, "detail": 100}
FACTORS = dict.fromkeys(BRIEF_FIELDS, 0.8) | {"name": 1.0}


def match(query: str, brief: Brief, present: int = 0, *, typing: bool = False) -> Match:
    terms = tuple(query.split())
    evidence = Evidence(1_000, FREQUENCIES, terms=terms)
    return Matcher(terms, evidence, FACTORS, 0.4, frozenset({"lora"}), typing=typing).match(brief, present)


def test_a_name_that_is_what_was_typed_is_the_best_there_is() -> None:
    assert match("ink wash", Brief("ink wash")) == Match(1.0, 1.0, 0.0, 1.0)


def test_nothing_in_common_is_nothing() -> None:
    assert match("ink wash", Brief("zebra", tags="horse")) == Match()


@pytest.mark.parametrize(
    ("better", "worse", "query"),
    [
        (Brief("ink"), Brief("inks"), "ink"),  # a plural
        (Brief("inks"), Brief("inkwell"), "ink"),  # a beginning
        (Brief("harbour"), Brief("harbor"), "harbour"),  # another spelling
        (Brief("harbor"), Brief("harboor"), "harbour"),  # a typing error
        (Brief("harbuor"), Brief("harbuors"), "harbour"),  # two
        (Brief("ink"), Brief("zebra", tags="ink"), "ink"),  # a weaker field
        (Brief("harbour"), Brief("style"), "harbour style"),  # a word that tells more
    ],
)
def test_what_covers_more(better: Brief, worse: Brief, query: str) -> None:
    assert match(query, better).covered > match(query, worse).covered > 0


def test_a_word_in_another_field_counts_less_than_in_any_short_one() -> None:
    elsewhere = match("ink", Brief("zebra"), present=1).covered
    assert 0 < elsewhere < match("ink", Brief("zebra", tags="ink")).covered


def test_words_written_as_one_and_typed_as_two_and_the_other_way_round() -> None:
    assert match("detail tweaker", Brief("detailtweaker")).covered == 1
    assert match("detailtweaker", Brief("detail tweaker")).covered == 1


def test_kinds_and_numbers_in_a_name_hardly_count() -> None:
    assert (
        match("ink wash", Brief("ink wash lora v2")).named > match("ink wash", Brief("ink wash bold")).named
    )


def test_a_trigger_phrase_must_have_the_whole_query() -> None:
    assert match("ink wash", Brief("a", trigger_words="ink wash\tbold")).called == 1
    assert 0 < match("ink wash", Brief("a", trigger_words="ink wash bold")).called < 1
    assert match("ink wash", Brief("a", trigger_words="ink\twash")).called == 0


def test_a_query_that_is_a_trigger_phrase_is_covered_as_by_a_name() -> None:
    assert match("ink wash", Brief("a", trigger_words="bold\tink wash")).covered == 1
    assert match("ink wash", Brief("a", trigger_words="ink wash bold")).covered < 1


@pytest.mark.parametrize("written", ["ink wash", "inkwash", "ink wash inkwash"])
def test_blanks_in_a_trigger_phrase_do_not_matter(written: str) -> None:
    assert match("ink wash", Brief("a", trigger_words=written)).called == 1
    assert match("inkwash", Brief("a", trigger_words=written)).called == 1


def test_a_trigger_phrase_counts_less_the_later_it_comes() -> None:
    said = ("ink wash", "bold\tink wash", "bold\tsoft\tink wash", "bold\tsoft\tred\tink wash")
    called = [match("ink wash", Brief("a", trigger_words=phrases)).called for phrases in said]
    assert called == sorted(called, reverse=True)
    assert len(set(called)) == len(said)


def test_a_trigger_phrase_says_more_of_a_model_that_has_few() -> None:
    few, many = (match("ink", Brief("a", trigger_words=said)) for said in ("ink", "ink\tbold\tsoft"))
    assert few.alone == 1 > many.alone > 0
    assert match("ink", Brief("ink", trigger_words="wash")).alone == 0


def test_the_order_of_neighbours_counts() -> None:
    assert match("ink wash style", Brief("ink wash style")).ordered == 1
    assert match("ink wash style", Brief("style ink wash")).ordered == 0.5


def test_the_last_word_may_be_unfinished_while_typing() -> None:
    assert (
        match("ink ha", Brief("ink harbour"), typing=True).covered
        > match("ink ha", Brief("ink harbour")).covered
    )


def test_long_queries_are_compared_exactly() -> None:
    query = "ink wash harbour boat sail wind wave gull rope"
    assert match(query, Brief("harbour")).covered > 0
    assert match(query, Brief("harbours")) == Match()
