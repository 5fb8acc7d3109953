"""Every adapter of the development headers on every base: the verdicts against the labels."""

from functools import cache
from pathlib import Path

import pytest

from scripts.evaluations.fit import ADAPTERS, Pair, evaluate, label_verdict, labelled_headers
from scripts.evaluations.fit_excuses import twins

CASES = Path(__file__).resolve().parents[2] / "../shared/data/headers/cases"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.no_cover,  # many times what other tests of the same lines do
    pytest.mark.skipif(not CASES.is_dir(), reason="the development cases are not here"),
]


@cache
def pairs() -> tuple[Pair, ...]:
    return tuple(evaluate(CASES))


def of(relation: str) -> list[Pair]:
    return [pair for pair in pairs() if pair.relation == relation]


def test_verdicts_go_against_labels_only_where_headers_cannot_tell() -> None:
    assert [pair for pair in pairs() if pair.wrong] == []
    same = of("same")
    good = [pair for pair in same if pair.verdict.verdict == "compatible" or pair.verdict.idle]
    assert len(good) >= 0.9 * len(same)


def test_what_cannot_be_told_is_one_adapter_with_a_twin() -> None:
    untold = {pair.adapter for pair in pairs() if pair.excuse == "untold"}
    headers = {
        name: (told["architecture"], header) for name, told, header in labelled_headers(CASES, ADAPTERS)
    }
    assert len(untold) <= 1  # one for Chroma that nothing tells from those for FLUX.1
    assert all(twins(name, headers) for name in untold)


def test_other_sizes_under_one_label_are_told_by_tensors() -> None:
    sizes = [pair for pair in pairs() if pair.excuse == "size"]
    assert sizes
    assert {(pair.relation, pair.verdict.verdict) for pair in sizes} == {("same", "incompatible")}
    assert all("have another size" in pair.verdict.reasons[0] for pair in sizes)


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
