"""Thousands of files nobody collected: made from the layouts, in every dialect, packed and trimmed.

An even sample of what ``scripts/evaluate confusion`` judges whole; a fixed seed."""

from itertools import islice

import pytest

from scripts.evaluations.confusion import Judged, judge, main, parts

STEPS = {"whole": 8, "checkpoints": 3, "adapters": 80, "trimmed": 61}


def sampled(part: str) -> list[Judged]:
    return [judge(sample) for sample in islice(parts(0)[part], 0, None, STEPS[part])]


@pytest.mark.parametrize("part", ["whole", "checkpoints", "adapters"])
def test_whole_files_are_told(part: str) -> None:
    """The kind is right, the truth is never ruled out, nothing is wrong and sure of it."""
    for one in sampled(part):
        assert one.kind, one.sample.name
        assert one.included and one.outcome != "none", one.sample.name
        assert not one.confident_wrong, one.sample.name


def test_trimmed_files_are_never_confidently_wrong() -> None:
    """Of listings cut to a few of their tensors the answer may be less deep, or silent."""
    judged = sampled("trimmed")
    assert [one.sample.name for one in judged if one.confident_wrong] == []
    assert sum(one.kind for one in judged) >= 0.97 * len(judged)
    assert sum(one.included for one in judged) >= 0.99 * len(judged)


def test_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--part", "checkpoints", "--every", "20"]) == 0
    assert "confident wrong 0" in capsys.readouterr().out
