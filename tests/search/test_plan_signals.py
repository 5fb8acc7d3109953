"""How like one model is to another."""

from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.records import Document
from search.plan import Candidate
from search.plan_fit import Target
from search.plan_signals import Judge, Rarities, features_of
from search.plan_table import load_plan_table
from tests.search.planning import model

KLEIN = Target("flux2-klein-9b")
RARITIES = Rarities(1_000, {"style": 900, "ink": 12})


def judge(one: Document, other: Document, style: float | None = None) -> Candidate:
    return Judge(one, KLEIN, RARITIES).candidate(other, features_of(other), style)


def near(one: Document, other: Document, style: float | None = None) -> float:
    return judge(one, other, style).nearness


def test_an_equivalent_is_near_and_a_stranger_is_not() -> None:
    old = model(tags=("style", "ink wash", "sumi-e"), trigger_words=("riceworks ink",))
    twin = model(2, "Sumi Bay", "flux2-klein-9b", tags=("style", "ink wash", "sumi-e"))
    other = model(3, "Neon Grid", "flux2-klein-9b", tags=("style", "neon"))
    bound = load_plan_table().likeness_of("style", whole=False).near
    assert near(old, twin, 0.8) > bound > near(old, other, 0.1)


def test_a_character_needs_its_name_however_alike_the_pictures() -> None:
    old = model(name="Sir Brambleton", category="character", tags=("knight", "armor"))
    other = model(2, "Lady Oak", "flux2-klein-9b", category="character", tags=("knight", "armor"))
    same = model(3, "Brambleton Knight", "flux2-klein-9b", category="character", tags=("knight",))
    bound = load_plan_table().likeness_of("character", whole=False).near
    assert near(old, other, 1.0) < bound < near(old, same, 0.3)


def test_a_rating_orders_equivalents_but_makes_none() -> None:
    loved, plain = (judge(model(), model(2, "Neon", "flux2-klein-9b", rating=stars)) for stars in (5.0, 1.0))
    assert loved.score > plain.score
    assert loved.nearness == plain.nearness


def test_rare_words_tell_more() -> None:
    assert RARITIES.share(("style", "harbour"), frozenset(("harbour",))) > 0.9
    assert RARITIES.share((), frozenset()) == 0.0


words = st.lists(st.sampled_from(["ink", "neon", "knight", "harbour", "style"]), max_size=4).map(tuple)


@given(words, words, st.sampled_from([None, "style", "character"]), st.none() | st.floats(0, 1))
def test_signals_and_scores_stay_between_0_and_1(
    mine: tuple[str, ...], theirs: tuple[str, ...], category: str | None, style: float | None
) -> None:
    old = model(tags=mine, category=category)
    found = judge(old, model(2, " ".join(theirs) or "x", tags=theirs), style)
    assert 0.0 <= found.nearness <= 1.0 and 0.0 <= found.score <= 1.0
    assert all(0.0 <= value <= 1.0 for value in found.signals.values())
    assert ("style" in found.signals) == (style is not None)
