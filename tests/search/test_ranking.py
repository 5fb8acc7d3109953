"""Signals, their fusion, and the order that follows."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.cards import NO_ATTENTION, NO_RATING, Card, card_of, code
from indexer.domain.fields import FIELDS
from indexer.domain.norms import NO_NORMS, Norms, norms_of
from indexer.domain.rating import stars_lower_bound
from indexer.domain.records import Document
from search.ranking import (
    SIGNALS,
    Scored,
    Wanted,
    card_signals,
    document_signals,
    fuse,
    load_weights,
    score_of,
    weigh,
)

TODAY = date(2026, 1, 1)
WEIGHTS = load_weights()
NORMS = norms_of(
    (code(root), age, n / 10) for root in ("sdxl", "sd1") for age in (40, 900) for n in range(70)
)
KINDS = ("lora", "checkpoint", "vae", "upscaler", "unknown")
PLACES = (
    ("sd1", None),
    ("sdxl", None),
    ("sdxl", "pony"),
    ("sdxl", "illustrious"),
    ("flux1-dev", None),
    (None, None),
)

shares = st.floats(0, 1)
dates = st.one_of(st.just(0), st.integers(18_000, 21_000))


@st.composite
def cards(draw: st.DrawFn, id_: int | None = None) -> Card:
    architecture, family = draw(st.sampled_from(PLACES))
    return Card(
        id=draw(st.integers(1, 2**40)) if id_ is None else id_,
        fold=draw(st.integers(1, 4)),
        kind=code(draw(st.sampled_from(KINDS))),
        architecture=code(architecture),
        root=code(architecture and architecture.split("-")[0]),
        family=code(family),
        day=draw(dates),
        rating=draw(st.one_of(st.just(NO_RATING), st.floats(0, 5))),
        attention=draw(st.one_of(st.just(NO_ATTENTION), st.just(0.0), st.floats(0, 20))),
        quality=draw(shares),
    )


wanteds = st.sampled_from((None, Wanted("sdxl"), Wanted("sdxl", "pony"), Wanted("flux1-dev")))
all_norms = st.sampled_from((NO_NORMS, NORMS))


def many(least: int = 0) -> st.SearchStrategy[list[Card]]:
    return st.lists(cards(), min_size=least, max_size=12, unique_by=lambda card: card.id)


def test_every_signal_and_searched_field_has_a_weight() -> None:
    assert set(WEIGHTS.signals) == set(SIGNALS)
    assert {f.weight for f in FIELDS.values() if f.weight} <= set(WEIGHTS.fields)


def test_a_score_is_the_weighted_mean() -> None:
    score = fuse({"text": 1.0, "rating": 0.5}, {"text": 3.0, "rating": 1.0})
    assert score.value == pytest.approx(0.875)
    assert score.signals == {"text": (1.0, 3.0), "rating": (0.5, 1.0)}


def test_signals_that_do_not_apply_do_not_count() -> None:
    assert fuse({"text": 0.8}, WEIGHTS.signals).value == pytest.approx(0.8)
    assert fuse({}, WEIGHTS.signals).value == 0.0


@given(st.dictionaries(st.sampled_from(SIGNALS), st.floats(-1, 2)))
def test_scores_stay_between_0_and_1_and_more_is_never_less(signals: dict[str, float]) -> None:
    before = fuse(signals, WEIGHTS.signals).value
    assert 0.0 <= before <= 1.0
    for name in signals:
        assert fuse(signals | {name: signals[name] + 0.1}, WEIGHTS.signals).value >= before - 1e-6


@given(cards(), wanteds, all_norms)
def test_signals_of_a_card_are_shares(card: Card, wanted: Wanted | None, norms: Norms) -> None:
    signals = card_signals(card, wanted, TODAY, WEIGHTS, norms)
    assert all(0.0 <= value <= 1.0 for value in signals.values())
    assert ("compatibility" in signals) == (wanted is not None)


@given(cards(), all_norms, st.floats(0, 5), st.floats(0, 20), st.integers(0, 2000))
def test_better_numbers_never_lower_a_signal(
    card: Card, norms: Norms, stars: float, attention: float, days: int
) -> None:
    known = card._replace(
        rating=max(0.0, card.rating), attention=max(0.0, card.attention), day=max(1, card.day)
    )
    better = known._replace(
        rating=max(known.rating, stars), attention=max(known.attention, attention), day=known.day + days
    )
    low = card_signals(known, None, TODAY, WEIGHTS, norms)
    high = card_signals(better._replace(day=known.day), None, TODAY, WEIGHTS, norms)
    assert all(high[name] >= low[name] for name in low)
    newer = card_signals(known._replace(day=better.day), None, TODAY, WEIGHTS, norms)
    assert newer["freshness"] >= low["freshness"]


@given(cards())
def test_what_is_unknown_stands_between_the_worst_and_the_best(card: Card) -> None:
    unknown = card._replace(rating=NO_RATING, attention=NO_ATTENTION, day=0)
    worst = card._replace(rating=0.0, attention=0.0, day=1)
    best = card._replace(rating=5.0, attention=20.0, day=21_000)
    signals = [card_signals(one, None, TODAY, WEIGHTS, NORMS) for one in (worst, unknown, best)]
    for name in ("rating", "popularity", "freshness"):
        low, middle, high = (told[name] for told in signals)
        assert low < middle < high


# ---------------------------------------------------------------- the fast path against its slow twin


def one_by_one(
    found: list[Card], extra: Mapping[str, Mapping[int, float]], wanted: Wanted | None, norms: Norms
) -> list[Scored]:
    """The order card by card: each joins the first of its fold, or stands for itself."""
    scores = {card.id: score_of(card, extra, wanted, TODAY, WEIGHTS, norms).value for card in found}
    hits: list[Scored] = []
    for card in sorted(found, key=lambda c: (-scores[c.id], c.id)):
        at = next((i for i, hit in enumerate(hits) if hit.card.fold == card.fold), None)
        if at is None:
            hits.append(Scored(card, scores[card.id]))
        else:
            hits[at] = hits[at]._replace(also=(*hits[at].also, card.id))
    return hits


@given(many(), wanteds, all_norms, st.data())
def test_a_thousand_cards_are_weighed_as_one_by_one(
    found: list[Card], wanted: Wanted | None, norms: Norms, data: st.DataObject
) -> None:
    ids = [card.id for card in found]
    scores = st.dictionaries(st.sampled_from(ids), shares) if ids else st.just({})
    extra = data.draw(st.dictionaries(st.sampled_from(("text", "semantic")), scores))
    fast = weigh(found, extra, wanted, TODAY, WEIGHTS, norms)
    slow = one_by_one(found, extra, wanted, norms)
    assert [(hit.card.id, hit.also) for hit in fast] == [(hit.card.id, hit.also) for hit in slow]
    assert [hit.value for hit in fast] == pytest.approx([hit.value for hit in slow], abs=1e-6)


@given(many(1))
def test_folding_loses_nobody_and_does_not_depend_on_the_order(found: list[Card]) -> None:
    hits = weigh(found, {}, None, TODAY, WEIGHTS, NO_NORMS)
    assert sorted(id_ for hit in hits for id_ in (hit.card.id, *hit.also)) == sorted(c.id for c in found)
    assert len(hits) == len({card.fold for card in found})
    assert weigh(found[::-1], {}, None, TODAY, WEIGHTS, NO_NORMS) == hits


# ---------------------------------------------------------------- what must lead


@given(many(2), st.data())
def test_a_whole_match_is_never_overtaken_by_a_half_one(found: list[Card], data: st.DataObject) -> None:
    best, *others = found
    text = {card.id: data.draw(st.floats(0, 0.75)) for card in others} | {best.id: 1.0}
    apart = [card._replace(fold=place) for place, card in enumerate(found)]
    assert weigh(apart, {"text": text}, None, TODAY, WEIGHTS, NORMS)[0].card.id == best.id


def test_what_is_for_another_base_falls_below_every_fair_match() -> None:
    fits = Card(1, 1, code("lora"), code("sdxl"), code("sdxl"))
    loved = Card(2, 2, code("lora"), code("sd1"), code("sd1"), 0, 20_000, 5.0, 20.0, 1.0)
    hits = weigh([fits, loved], {"text": {1: 0.7, 2: 1.0}}, Wanted("sdxl"), TODAY, WEIGHTS, NORMS)
    assert [hit.card.id for hit in hits] == [1, 2]


def test_a_thousand_good_votes_stand_before_three_fives() -> None:
    few, most = (
        Card(id_, id_, rating=stars_lower_bound(mean, count))
        for id_, mean, count in ((1, 5.0, 3), (2, 4.8, 1000))
    )
    assert [hit.card.id for hit in weigh([few, most], {}, None, TODAY, WEIGHTS, NORMS)] == [2, 1]


def test_farmed_downloads_stand_behind_honest_ones() -> None:
    farmed = Document(1, 1, "x", downloads=1_000_000, rating_count=3)
    honest = Document(2, 2, "x", downloads=20_000, rating_count=40)
    signals = [document_signals(one, None, TODAY, WEIGHTS)["popularity"] for one in (farmed, honest)]
    assert signals[0] < signals[1]


# ---------------------------------------------------------------- compatibility


@pytest.mark.parametrize(
    ("document", "wanted", "least", "most"),
    [
        (("lora", "sdxl", None), Wanted("sdxl"), 1.0, 1.0),
        (("lora", "sdxl", "pony"), Wanted("sdxl"), 1.0, 1.0),
        (("lora", "sdxl", "pony"), Wanted("sdxl", "pony"), 1.0, 1.0),
        (("lora", "sdxl", None), Wanted("sdxl", "pony"), 0.1, 0.95),
        (("lora", "flux1-dev", None), Wanted("flux1"), 1.0, 1.0),
        (("lora", "sd1", None), Wanted("sdxl"), 0.0, 0.0),
        (("lora", None, None), Wanted("sdxl"), 0.05, 0.5),
        (("upscaler", None, None), Wanted("sdxl"), 1.0, 1.0),
    ],
)
def test_compatibility_follows_what_the_tensors_are(
    document: tuple[str, str | None, str | None], wanted: Wanted, least: float, most: float
) -> None:
    kind, architecture, family = document
    card = Card(1, 1, code(kind), code(architecture), 0, code(family))
    assert least <= card_signals(card, wanted, TODAY, WEIGHTS, NO_NORMS)["compatibility"] <= most


def test_a_label_does_not_count_where_tensors_speak() -> None:
    document = Document(1, 1, "x", kind="lora", architecture="sd1", architecture_path=("sd1",))
    assert card_of(document) == card_of(replace(document, base_label="SDXL 1.0"))


def test_an_odd_date_is_no_fault() -> None:
    signals = document_signals(Document(1, 1, "x", created="soon"), None, TODAY, WEIGHTS)
    assert signals["freshness"] == WEIGHTS.numbers["unknown_freshness"]


def test_popularity_is_relative_to_root_and_age() -> None:
    rare = norms_of([*[(code("sd1"), 900, 9.0)] * 60, *[(code("sdxl"), 900, 3.0)] * 60])
    days = (TODAY - date(1970, 1, 1)).days
    popular = [
        card_signals(Card(1, 1, root=code(root), day=days - 900, attention=5.0), None, TODAY, WEIGHTS, rare)
        for root in ("sd1", "sdxl")
    ]
    assert [signals["popularity"] for signals in popular] == [0.0, 1.0]


@pytest.mark.parametrize("name", ["text", "semantic", "style", "weights"])
def test_what_was_found_out_reaches_the_order(name: str) -> None:
    found = [Card(id_, id_) for id_ in range(1, 1001)]
    hits = weigh(found, {name: {700: 1.0}}, None, TODAY, WEIGHTS, NO_NORMS)
    assert hits[0].card.id == 700
