"""``pinakes fields``: the table of fields as people and programs read it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from indexer.domain.fields import FIELDS
from indexer.errors import UsageError
from search.cli import app
from search.terminal_fields import asked_fields

RUN = CliRunner()


def test_all_fields_are_listed_with_what_they_take() -> None:
    told = RUN.invoke(app, ["fields"], env={"COLUMNS": "400"}).output
    assert all(field.name in told for field in FIELDS.values())
    assert "type (kind)" in told
    assert "<30d is younger" in told


def test_one_field_lists_the_values_it_knows() -> None:
    told = RUN.invoke(app, ["fields", "is"], env={"COLUMNS": "400"}).output
    assert "you have not opened it yet" in told
    assert "creator" not in told


def test_programs_get_the_same_as_json() -> None:
    rows = json.loads(RUN.invoke(app, ["fields", "--json"]).stdout)
    assert [row["name"] for row in rows] == list(FIELDS)
    assert set(rows[0]) >= {
        "name",
        "type",
        "title",
        "help",
        "example",
        "aliases",
        "takes",
        "operators",
        "values",
    }


def test_an_unknown_field_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no field 'colour'. Fields are: name, version"):
        asked_fields("colour")


def test_the_caret_stands_under_the_fault_at_a_terminal_too(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "search", "search", "ink tipe:lora", "--home", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 2
    assert run.stderr.splitlines() == [
        "pinakes: There is no field 'tipe'. Did you mean type? For the words themselves, write \"tipe:lora\".",
        "    ink tipe:lora",
        "        ^^^^^",
    ]
