"""Scores in words."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.cards import card_of, code
from indexer.domain.norms import norms_of
from indexer.domain.records import Document
from search.explain import Asked, parts_of
from search.ranking import SIGNALS, Score, Wanted, load_weights, score_of
from tests.strategies import documents

TODAY = date(2026, 1, 1)
NORMS = norms_of((code("sdxl"), 600, n / 10) for n in range(101))
INK = Document(
    1,
    1,
    "Ink Wash",
    kind="lora",
    architecture="sdxl",
    architecture_path=("sdxl",),
    trigger_words=("harbour",),
    has=("preview", "prompt"),
    description="soft " * 100,
    licence="MIT",
    rating=4.66,
    rating_count=1203,
    downloads=10_000,
    created="2024-05-06",
)


def told(document: Document, text: float = 0.9, *words: str, wanted: Wanted | None = None) -> str:
    asked = Asked(words or ("ink", "wash"), wanted, NORMS, TODAY)
    score = score_of(card_of(document), {"text": {1: text}}, wanted, TODAY, load_weights(), NORMS)
    return score.explain(document, asked)


def test_a_score_reads_like_a_sentence() -> None:
    assert told(INK, wanted=Wanted("sdxl")) == (
        "0.93: its name matches 'ink wash' (0.90), it loads on Stable Diffusion XL, "
        "downloaded more than 92% of Stable Diffusion XL models its age, rated at least 4.6 by 1,203 people, "
        "all that can be checked of it is in order; but published in May 2024"
    )


def test_the_short_form_says_what_weighs_most() -> None:
    score = Score(0.9, {"text": (0.9, 1.0), "rating": (0.93, 0.07), "freshness": (0.1, 0.04)})
    asked = Asked(("ink",))
    assert score.short(INK, asked) == "its name matches 'ink' (0.90), rated at least 4.6 by 1,203 people"
    alone = Score(0.6, {"text": (0.9, 1.0), "rating": (0.2, 0.07)})
    assert (
        alone.short(replace(INK, rating=None), asked) == "its name matches 'ink' (0.90), nobody has rated it"
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("wash", "ink"), "its name matches 'wash ink' (0.90)"),
        (("ink", "harbour"), "its name matches 'ink' and its trigger words match 'harbour' (0.90)"),
        (("soft",), "its description matches 'soft' (0.90)"),
        (("inkk",), "its words are close to 'inkk' (0.90)"),
        (("harbour",), "'harbour' is its first trigger phrase (0.90)"),
    ],
)
def test_the_fields_that_match_are_named(words: tuple[str, ...], expected: str) -> None:
    assert expected in told(INK, 0.9, *words)


@pytest.mark.parametrize(
    ("phrases", "expected"),
    [
        (("Ink_Wash, bold",), "'ink wash' is its first trigger phrase and in its name as well (0.90)"),
        (("bold, InkWash",), "'ink wash' is one of its trigger phrases and in its name as well (0.90)"),
        (("ink wash style",), "its name matches 'ink wash' (0.90)"),
    ],
)
def test_a_trigger_phrase_is_named_as_one(phrases: tuple[str, ...], expected: str) -> None:
    assert expected in told(replace(INK, trigger_words=phrases))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"rating": None}, "nobody has rated it"),
        ({"rating_count": 1}, "by 1 person"),
        ({"my_rating": 4.5}, "you gave it 4.5 of 5 stars"),
        ({"downloads": None}, "nobody counts its downloads"),
        ({"downloads": 0}, "least downloaded of Stable Diffusion XL models its age"),
        (
            {"downloads": 10**6, "rating_count": 3},
            "downloaded 1,000,000 times, of which votes and use bear out 14,000",
        ),
        ({"created": None}, "nobody knows when it was published"),
        ({"created": "soon"}, "its freshness is"),
        ({"flags": ("nonfunctional",)}, "it is sound, though its weights cannot work"),
        (
            {"licence": None, "trigger_words": ()},
            "though its trigger words are missing and no licence is stated",
        ),
    ],
)
def test_what_is_known_and_what_is_not_is_said(change: dict[str, Any], expected: str) -> None:
    assert expected in told(replace(INK, **change))


@pytest.mark.parametrize(
    ("change", "wanted", "expected"),
    [
        (
            {"architecture": "sd1", "architecture_path": ("sd1",)},
            Wanted("sdxl"),
            "it does not load on Stable Diffusion XL, being made for",
        ),
        ({"architecture": None, "architecture_path": ()}, Wanted("sdxl"), "nobody knows whether it loads on"),
        (
            {"family": "pony"},
            Wanted("sdxl", "illustrious"),
            "it works on Stable Diffusion XL in part (0.50: loads, but Pony",
        ),
    ],
)
def test_what_does_not_fit_says_why(change: dict[str, Any], wanted: Wanted, expected: str) -> None:
    assert expected in told(replace(INK, **change), wanted=wanted)


def test_without_the_entry_the_numbers_speak() -> None:
    score = Score(0.9, {"text": (1.0, 1.0), "compatibility": (1.0, 0.6), "rating": (0.9, 0.07)})
    assert score.explain() == "0.90: its words match (1.00), it loads on the wanted base, rated at least 4.5"
    assert Score(0.0, {}).explain() == "0.00"


@given(
    st.dictionaries(st.sampled_from(SIGNALS), st.tuples(st.floats(0, 1), st.floats(0, 1))),
    st.one_of(st.none(), documents()),
    st.sampled_from((None, Wanted("sdxl"), Wanted("sdxl", "pony"))),
    st.lists(st.sampled_from(("ink", "soft", "zzz")), max_size=3).map(tuple),
)
def test_every_score_of_every_entry_can_be_told(
    signals: dict[str, tuple[float, float]],
    document: Document | None,
    wanted: Wanted | None,
    words: tuple[str, ...],
) -> None:
    asked = Asked(words, wanted, NORMS, TODAY)
    parts = parts_of(signals, document, asked)
    assert {part.signal for part in parts} == signals.keys()
    assert sum(part.adds for part in parts) <= 1.0 + 1e-9
    assert all(part.text and part.text in Score(0.5, signals).explain(document, asked) for part in parts)
