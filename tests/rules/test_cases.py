"""The labelled development headers: how often the verdict is right."""

import json
from functools import cache
from pathlib import Path

import pytest

from indexer.rules import identify
from scripts.evaluations.headers import Outcome, evaluate, header_of, main
from tests.clocks import in_time

CASES = Path(__file__).resolve().parents[2] / "../shared/data/headers/cases"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.no_cover,  # many times what other tests of the same lines do
    pytest.mark.skipif(not CASES.is_dir(), reason="the development cases are not here"),
]


@cache
def outcomes(names: bool) -> tuple[Outcome, ...]:
    return tuple(evaluate(CASES, names=names))


def share(good: list[bool]) -> float:
    return sum(good) / len(good)


@pytest.mark.parametrize("names", [False, True])
def test_kinds(names: bool) -> None:
    assert share([outcome.kind for outcome in outcomes(names)]) >= 0.99


@pytest.mark.parametrize("names", [False, True])
def test_architectures(names: bool) -> None:
    judged = [outcome for outcome in outcomes(names) if outcome.architecture != "-"]
    assert share([outcome.architecture in ("right", "within") for outcome in judged]) >= 0.98
    assert all(outcome.included for outcome in judged)


@pytest.mark.parametrize("names", [False, True])
def test_adapters(names: bool) -> None:
    judged = [outcome for outcome in outcomes(names) if outcome.adapter != "-"]
    assert share([outcome.adapter == "right" for outcome in judged]) >= 0.99


@pytest.mark.parametrize("names", [False, True])
def test_nothing_confident_is_wrong(names: bool) -> None:
    assert [outcome.name for outcome in outcomes(names) if outcome.confident_wrong] == []


def test_ranks_alphas_and_predictions() -> None:
    for outcome in outcomes(False):
        rank, alpha = outcome.expected.get("rank"), outcome.expected.get("alpha")
        assert rank is None or (outcome.verdict.rank and outcome.verdict.rank.mode == rank), outcome.name
        assert alpha is None or outcome.verdict.alpha == alpha, outcome.name
        predicted = outcome.expected.get("prediction_type")
        assert predicted is None or outcome.verdict.prediction_type == predicted, outcome.name


def test_identifying_costs_little() -> None:
    """About a microsecond or two a tensor; the bound leaves room for slow machines."""
    headers = [header_of(json.loads(path.read_text("utf-8"))) for path in sorted(CASES.glob("*.json"))]
    in_time(1e-5 * sum(len(one.tensors) for one in headers), lambda: [identify(one) for one in headers])


def test_the_report_prints_and_says_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(CASES)]) == 0
    assert "confident wrong 0" in capsys.readouterr().out
