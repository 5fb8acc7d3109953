"""``pinakes doctor``: what it prints, and its exit status."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from indexer.settings import Settings
from search.cli import app
from tests.doctor.homes import cut, indexed, remove

run = CliRunner().invoke


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return indexed(tmp_path / "models", Settings(home=tmp_path / "home", decode_workers=1))


def test_the_verb_reports_checks_and_mends(home: Settings) -> None:
    own = ["--home", str(home.home)]
    sound = run(app, ["doctor", "--check", *own])
    assert (sound.exit_code, "All is well." in sound.stdout) == (0, True)
    cut("text/*.idx")(home)
    remove("thumbnails/*/*.webp")(home)
    assert run(app, ["doctor", *own]).exit_code == 0, "a report is no question"
    bad = run(app, ["doctor", "--check", "--json", *own])
    told = json.loads(bad.stdout)
    assert (bad.exit_code, told["state"]) == (1, "fault")
    at_fault = {row["check"]: row for row in told["checks"] if row["state"] == "fault"}
    assert set(at_fault) == {"text index", "thumbnails"}
    assert all(row["advice"] == "Run: pinakes doctor --repair" for row in at_fault.values())
    mended = run(app, ["doctor", "--repair", *own])
    assert mended.exit_code == 0
    assert "Mended: text index, thumbnails" in mended.stdout
    assert run(app, ["doctor", "--check", *own]).exit_code == 0


def test_what_cannot_be_mended_leaves_status_one(home: Settings) -> None:
    for path in home.home.glob("catalog.sqlite3*"):
        path.unlink()
    (home.home / "catalog.sqlite3").write_bytes(b"something else" * 500)
    result = run(app, ["doctor", "--repair", "--home", str(home.home)])
    assert result.exit_code == 1
    assert "Another file stands in its place" in " ".join(result.stdout.split())


def test_an_empty_home_is_no_fault(tmp_path: Path) -> None:
    result = run(app, ["doctor", "--check", "--home", str(tmp_path / "none")])
    assert result.exit_code == 0
    assert "pinakes index FOLDER" in " ".join(result.stdout.split())
