"""The evaluation of families: what it counts, on items of our own."""

import json
from pathlib import Path

import pytest

from scripts.evaluations.families import evaluate, main


def test_right_wrong_and_silent_guesses_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    versions = [
        {"name": "v1", "baseModel": "Pony", "files": [{"name": "ink_ponyxl.safetensors"}]},
        {"name": "Illustrious", "baseModel": "NoobAI", "files": []},
        {"name": "v3", "baseModel": "Illustrious", "files": [{"name": "plain.safetensors"}]},
        {"name": "pony", "baseModel": "SDXL 1.0", "files": []},
        {"name": "pony", "baseModel": "SD 1.5", "files": []},
        {"name": "pony", "baseModel": None},
    ]
    (tmp_path / "a.jsonl").write_text(json.dumps({"modelVersions": versions}))
    guesses = list(evaluate(tmp_path))
    assert [guess.guess for guess in guesses] == ["pony", "illustrious", None, "pony", None]
    assert main([str(tmp_path), "--list"]) == 0
    told = capsys.readouterr().out
    assert "precision                     1/2 (50.0%)" in told
    assert "recall                        1/3 (33.3%)" in told
    assert "guessed where the label has none 1/2" in told
