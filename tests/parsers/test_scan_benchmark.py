"""The scan benchmark runs, cleans up, and its files are regular ones."""

import re
import tempfile
from pathlib import Path

import pytest

from scripts.benchmarks import scan


def test_it_prints_a_ratio_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert scan.main(["--files", "8"]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"ratio \d+\.\d\d, peak RSS [\d,]+ MiB", printed)
    assert "8 files" in printed
    assert list(tmp_path.iterdir()) == []
