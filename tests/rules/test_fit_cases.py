"""Every adapter of the development headers on every base: the verdicts against the labels."""

from functools import cache
from pathlib import Path

import pytest

from scripts.evaluations.fit import Pair, evaluate, label_verdict

CASES = Path(__file__).resolve().parents[2] / "../shared/data/headers/cases"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not CASES.is_dir(), reason="the development cases are not here"),
]


@cache
def pairs() -> tuple[Pair, ...]:
    return tuple(evaluate(CASES))


def of(relation: str) -> list[Pair]:
    return [pair for pair in pairs() if pair.relation == relation]


def test_adapters_work_on_bases_of_their_architecture() -> None:
    """Partial only where the base lacks modules (encoders outside the file, image attention of one Wan), or
    where nothing tells an adapter from one for a commoner model."""
    for pair in of("same"):
        verdict = pair.verdict
        if verdict.mismatched:
            continue  # one label, two sizes: told by the tensors
        assert verdict.verdict in ("compatible", "partial"), pair
        untold = pair.lookalike and "nothing in it says" in verdict.reasons[0]
        assert verdict.verdict == "compatible" or verdict.idle or verdict.unmatched or untold, pair
    same = of("same")
    good = [pair for pair in same if pair.verdict.verdict == "compatible" or pair.verdict.idle]
    assert len(good) >= 0.9 * len(same)


def test_nothing_is_called_compatible_across_architectures_but_true_twins() -> None:
    false = [p for p in of("cross") if p.verdict.verdict == "compatible" and not p.lookalike]
    assert false == []
    twins = {pair.adapter for pair in of("cross") if pair.verdict.verdict == "compatible"}
    assert len(twins) <= 1  # one for Chroma that nothing tells from those for FLUX.1


def test_compatible_means_that_every_module_fits() -> None:
    for pair in pairs():
        verdict = pair.verdict
        assert (verdict.verdict == "compatible") <= (verdict.unmatched + verdict.mismatched == 0), pair
        assert verdict.matched >= 0
        assert verdict.reasons, pair


def test_pairs_that_labels_allow_and_tensors_do_not() -> None:
    assert label_verdict("wan2.2-5b", "wan2.1-t2v-14b") == "partial"
    wrong = [p for p in pairs() if p.by_label in ("compatible", "partial") and not p.verdict.matched]
    assert any("wan" in pair.adapter for pair in wrong)
