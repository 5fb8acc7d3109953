"""Facets, chips, cards and the words beside them."""

import pytest

from indexer.domain.fields import FIELDS
from indexer.domain.records import Document
from indexer.errors import UsageError
from search.answers import Hit
from search.query import QueryError, parse_query
from search.ranking import Score
from search.web.gallery import fault_of
from search.web.parameters import read_wanted
from search.web.views import cards, chips, cover, facets
from search.web.words import bytes_told, count_told, day, title_of, value_title


def test_the_tree_of_architectures_is_indented() -> None:
    counted = {"arch": {"flux1": 5, "flux1-dev": 3, "sdxl": 9}}
    (facet,) = facets(read_wanted([]), counted)
    shown = [(value.title, value.depth) for value in facet.values]
    assert shown == [(title_of("sdxl"), 0), (title_of("flux1"), 0), (title_of("flux1-dev"), 1)]


def test_a_chosen_value_stays_though_nothing_has_it() -> None:
    (facet,) = facets(read_wanted([("tag", "-gone")]), {"tag": {"sea": 2}})
    assert [(value.title, value.count, value.state) for value in facet.values] == [
        ("gone", None, "exclude"),
        ("sea", 2, ""),
    ]


def test_long_facets_keep_the_rest_behind_more() -> None:
    (facet,) = facets(read_wanted([]), {"tag": {f"t{n}": 50 - n for n in range(20)}})
    assert (len(facet.values), len(facet.rest)) == (8, 12)


def test_chips_take_away_one_value_each() -> None:
    wanted = read_wanted([("q", "x"), ("type", "lora,vae"), ("tag", "-sea")])
    made = chips(wanted)
    assert [(chip.title, chip.negated) for chip in made] == [
        (value_title("type", "lora"), False),
        (value_title("type", "vae"), False),
        ("sea", True),
    ]
    assert made[0].remove == "/?q=x&type=vae&tag=-sea"


@pytest.mark.parametrize(
    ("level", "hidden", "expected"),
    [
        *((1, (), "clear"), (3, (), "clear"), (0, (), "unrated"), (None, (), "unrated"), (4, (), "adult")),
        *((16, ("adult",), "adult"), (1, ("minor",), "adult"), (1, ("real_person",), "adult")),
    ],
)
def test_previews_are_covered_by_their_rating(
    level: int | None, hidden: tuple[str, ...], expected: str
) -> None:
    assert cover(Document(1, 1, "x", nsfw_level=level, hidden=hidden)) == expected


def test_a_card_says_why() -> None:
    document = Document(1, 1, "x", kind="lora", adapter="lokr", flags=("mislabelled",))
    score = Score(0.5, {"text": (0.4, 1.0), "rating": (0.0, 0.5), "style": (1.0, 0.5)})
    hit = Hit(document, score)
    (card,) = cards([hit])
    assert (card.kind, card.alert, card.told) == ("LoKr", "mislabelled", hit.explain())
    assert [reason.title for reason in card.reasons] == ["Style of the picture", "Words"]
    assert sum(reason.share for reason in card.reasons) == pytest.approx(45.0)


def test_a_fault_is_cut_at_its_place() -> None:
    with pytest.raises(QueryError) as told:
        parse_query("sea rank:abc sky")
    fault = fault_of(told.value)
    assert (fault.before, fault.at, fault.after) == ("sea rank:", "abc", " sky")
    with pytest.raises(QueryError) as told:
        parse_query("sea (")
    assert fault_of(told.value).before + fault_of(told.value).at.strip("\u00a0") in ("sea (", "sea ")
    assert fault_of(UsageError("x", "plain")).at == ""


def test_figures_are_told_for_people() -> None:
    assert [bytes_told(n) for n in (None, 0, 999, 1_500, 144_000_000, 6_900_000_000)] == [
        *("unknown", "0 B", "999 B", "1.5 KB", "144 MB", "6.9 GB")
    ]
    assert [count_told(n) for n in (7, 1_234, 123_456, 2_500_000)] == ["7", "1\u202f234", "123k", "2.5M"]
    assert [day(t) for t in ("2025-06-30", "2025-06-30T10:00:00+00:00", "rubbish-text", None)] == [
        *("30 June 2025", "30 June 2025", "rubbish-te", "")
    ]


def test_every_facet_has_words() -> None:
    for name, field in FIELDS.items():
        assert value_title(name, "nothing known") == "nothing known", field
