"""The evaluation of believed downloads."""

import json
from pathlib import Path

import pytest

from scripts.evaluations.popularity import evaluate, main


def test_honest_and_farmed_counts_are_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stats = [
        {"downloadCount": 20_000, "ratingCount": 40, "favoriteCount": 3_000, "commentCount": 9},
        {"downloadCount": 900_000, "thumbsUpCount": 2, "thumbsDownCount": 1, "tippedAmountCount": 10**6},
        {"downloadCount": 0},
        {},
    ]
    lines = [json.dumps({"stats": row}) for row in stats] + [json.dumps({"name": "no numbers"})]
    (tmp_path / "models.jsonl").write_text("\n".join(lines), "utf-8")
    honest, farmed = evaluate(tmp_path)
    assert honest.by_all == honest.by_votes == 20_000
    assert farmed.by_all < honest.by_all
    assert main([str(tmp_path)]) == 0
    assert "of 1 honest near 20,000 it passes 0" in capsys.readouterr().out
