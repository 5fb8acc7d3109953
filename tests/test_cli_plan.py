"""``pinakes plan`` as a person calls it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from indexer.errors import UsageError
from indexer.settings import Settings
from search.cli import app


def test_the_verb_shows_writes_and_compares(demo_home: Settings, tmp_path: Path) -> None:
    runner, home = CliRunner(), ["--home", str(demo_home.home)]
    shown = runner.invoke(app, ["plan", "type:checkpoint", "--to", "sdxl", *home], catch_exceptions=False)
    assert shown.exit_code == 0
    assert "Move to Stable Diffusion XL" in shown.stdout and "Lumen Painter" in shown.stdout
    out = tmp_path / "plan.json"
    arguments = ["plan", "type:checkpoint", "--to", "sdxl", *home]
    runner.invoke(app, [*arguments, "--out", str(out)], catch_exceptions=False)
    told = runner.invoke(app, [*arguments, "--against", str(out), "--json"], catch_exceptions=False)
    assert json.loads(told.stdout)["changes"] == []
    assert json.loads(told.stdout)["items"] == json.loads(out.read_text())["items"]


@pytest.mark.parametrize("arguments", [["--to", "sdxl", "--out", "plan.pdf"], [], ["--to", "nonsense"]])
def test_wrong_usage_is_told(demo_home: Settings, arguments: list[str]) -> None:
    found = CliRunner().invoke(app, ["plan", *arguments, "--home", str(demo_home.home)])
    assert isinstance(found.exception, UsageError)
