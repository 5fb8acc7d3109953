"""Numbers and dates of the filter panel: what is clicked or typed becomes a range, and is shown as one."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from indexer.domain.fields import FIELDS
from search.query import parse_query
from search.web.parameters import Wanted, read_wanted
from search.web.ranges import RangeFacet, range_told, ranges
from search.web.views import chips


def facet(wanted: Wanted, name: str) -> RangeFacet:
    return next(one for one in ranges(wanted) if one.name == name)


def followed(link: str) -> Wanted:
    return read_wanted(parse_qsl(urlsplit(link).query))


@pytest.mark.parametrize(
    ("pairs", "query"),
    [
        ([("rank_min", "8"), ("rank_max", "32")], "rank:8..32"),
        ([("rank_min", " 8 "), ("rank_max", "")], "rank:>=8"),
        ([("size_max", "200")], "size:<=200MB"),
        ([("size_min", "1.5GB")], "size:>=1.5GB"),
        ([("created_min", "2025-01-01"), ("created_max", "2025-06-30")], "created:2025-01-01..2025-06-30"),
        ([("rating_min", "4.5")], "rating:>=4.5"),
        ([("rank", "-8..32")], "-rank:8..32"),
        ([("tag_min", "x"), ("min", "3"), ("rank_mean", "4")], ""),
    ],
)
def test_boxes_become_a_range(pairs: list[tuple[str, str]], query: str) -> None:
    wanted = read_wanted(pairs)
    assert wanted.query() == query
    parse_query(wanted.query())


def test_every_step_can_be_asked_and_is_told() -> None:
    for one in ranges(Wanted(q="sea")):
        assert not one.open
        for value in one.values:
            asked = followed(value.include)
            parse_query(asked.query())
            (chip,) = chips(asked)
            assert (chip.title, chip.negated) == (value.title, False)
            assert followed(chip.remove) == Wanted(q="sea")
            refused = followed(value.exclude)
            parse_query(refused.query())
            assert refused.clauses[0].negated and refused.q == "sea"


def test_another_step_takes_the_place_of_the_first() -> None:
    wanted = read_wanted([("rank", "<=8"), ("type", "lora")])
    one = facet(wanted, "rank")
    assert one.open and [value.state for value in one.values] == ["include", "", ""]
    assert followed(one.values[1].include).query() == 'rank:16..32 type:"lora"'
    assert followed(one.values[0].include).query() == 'type:"lora"', "a second click takes it back"
    assert followed(one.values[0].exclude).query() == 'type:"lora" -rank:<=8'


@pytest.mark.parametrize(
    ("name", "value", "low", "high"),
    [
        *(("rank", "8..32", "8", "32"), ("rank", ">=8", "8", ""), ("rank", "<32", "", "32")),
        *(("rank", "16", "16", "16"), ("downloads", ">1k", "", ""), ("created", "30d", "", "")),
        ("created", "2025-01-01..2025-02-01", "2025-01-01", "2025-02-01"),
        *(("size", "0.5GB..2GB", "500", "2000"), ("size", "<=50MB", "", "50")),
    ],
)
def test_boxes_hold_what_is_asked(name: str, value: str, low: str, high: str) -> None:
    one = facet(read_wanted([(name, value), ("q", "sea")]), name)
    assert (one.low, one.high) == (low, high)
    assert list(one.kept) == [("q", "sea")]


def test_a_range_is_told_in_words() -> None:
    told = {value: range_told(FIELDS["rank"], value) for value in ("3..4", ">=5", "<=6", "7", "16..32")}
    assert told == {"3..4": "3 to 4", ">=5": "from 5", "<=6": "to 6", "7": "7", "16..32": "16 to 32"}
    assert range_told(FIELDS["created"], "3w") == "3w"
