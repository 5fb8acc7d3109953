"""Arguments of jobs: read from a command line, checked when the schedule is made."""

from pathlib import Path

import pytest

from indexer.errors import UsageError
from indexer.jobs import JOBS, job_named, read_arguments


def test_arguments_are_taken_in_every_spelling(tmp_path: Path) -> None:
    words = ["--folder", str(tmp_path), f"folder={tmp_path}", f"--folder={tmp_path}", "--hash"]
    assert read_arguments(JOBS["index"], words) == {"folder": [str(tmp_path)] * 3, "hash": True}
    assert read_arguments(JOBS["index"], ["hash=no"]) == {"hash": False}
    assert read_arguments(JOBS["upkeep"], []) == {}


def test_folders_are_kept_as_they_are_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models").mkdir()
    monkeypatch.chdir(tmp_path)
    assert read_arguments(JOBS["index"], ["--folder", "models"])["folder"] == [str(tmp_path / "models")]


@pytest.mark.parametrize(
    ("job", "words", "message"),
    [
        ("index", ["--folders", "x"], "does not take '--folders'. Its arguments: --folder, --hash"),
        ("index", ["--folder"], "--folder lacks its value"),
        ("index", ["--folder", "/no/such"], "there is no such folder"),
        ("index", ["hash=maybe"], "say yes or no"),
        ("index", ["--hash", "--hash"], "given twice"),
        ("import", [], "needs --file"),
        ("upkeep", ["x"], "Its arguments: none"),
    ],
)
def test_mistakes_are_named(job: str, words: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_arguments(JOBS[job], words)


def test_an_unknown_job_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="index, import, upkeep"):
        job_named("dance")
