"""Signals and how they are fused."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.fields import FIELDS
from indexer.domain.records import Document
from search.ranking import SIGNALS, document_signals, fuse, load_weights

TODAY = date(2026, 1, 1)


def test_every_signal_and_searched_field_has_a_weight() -> None:
    weights = load_weights()
    assert set(weights.signals) == set(SIGNALS)
    assert set(weights.fields) == {f.weight for f in FIELDS.values() if f.weight}


def test_a_score_is_the_weighted_mean_and_explains_itself() -> None:
    score = fuse({"text": 1.0, "rating": 0.5}, {"text": 3.0, "rating": 1.0})
    assert score.value == pytest.approx(0.875)
    assert score.explain() == "0.88 because text 1.00 adds 0.75, rating 0.50 adds 0.12"


def test_signals_that_do_not_apply_do_not_count() -> None:
    assert fuse({"text": 0.8}, load_weights().signals).value == pytest.approx(0.8)
    assert fuse({}, load_weights().signals).value == 0.0


@given(st.dictionaries(st.sampled_from(SIGNALS), st.floats(-1, 2)))
def test_scores_stay_between_0_and_1_and_more_is_never_less(signals: dict[str, float]) -> None:
    weights = load_weights().signals
    before = fuse(signals, weights).value
    assert 0.0 <= before <= 1.0
    for name in signals:
        assert fuse(signals | {name: signals[name] + 0.1}, weights).value >= before - 1e-6


@pytest.mark.parametrize(
    ("path", "base", "fits"),
    [
        (("sdxl",), "sdxl", 1.0),
        (("flux1", "flux1-dev"), "flux1", 1.0),
        (("sd1",), "sdxl", 0.0),
        ((), "sdxl", 0.0),
    ],
)
def test_compatibility(path: tuple[str, ...], base: str, fits: float) -> None:
    document = Document(1, 1, "x", architecture=path[-1] if path else None, architecture_path=path)
    assert document_signals(document, base, TODAY, load_weights())["compatibility"] == fits


def test_an_odd_date_is_no_fault() -> None:
    signals = document_signals(Document(1, 1, "x", created="soon"), None, TODAY, load_weights())
    assert signals["freshness"] == 0.0


def test_quality_counts_what_can_be_seen() -> None:
    good = Document(1, 1, "x", kind="lora", has=("preview",), trigger_words=("a",), licence="MIT")
    bad = Document(2, 2, "x", kind="lora", flags=("mislabelled",))
    weights = load_weights()
    assert document_signals(good, None, TODAY, weights)["quality"] == 1.0
    assert document_signals(bad, None, TODAY, weights)["quality"] == 0.0
