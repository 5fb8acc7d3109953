"""A plan as JSON and CSV."""

import csv
import io
from pathlib import Path

import orjson
import pytest

from indexer.errors import UsageError
from search.plan_answer import Item, Plan
from search.plan_fit import Target
from search.plan_report import COLUMNS, plan_csv, plan_json, write_text
from tests.search.planning import candidate, model

KEEP = Item("=cmd()", "lora", "keep", ("It loads.",), model(name="=cmd()", size=10))
MOVE = Item(
    "b",
    "lora",
    "replace",
    ("No.", "Near."),
    model(2, size=5),
    (candidate(model(3, "c,\n", size=7, flags=())),),
)
PLAN = Plan(Target("sdxl"), None, "", (KEEP, MOVE, Item("gone", "vae", "unknown", ("?",))))


def test_totals_and_sizes_add_up() -> None:
    assert {name: count for name, count in PLAN.totals.items() if count} == {
        "keep": 1,
        "replace": 1,
        "unknown": 1,
    }
    assert PLAN.sizes["library"]["keep"] == 10
    assert (PLAN.sizes["download"], PLAN.sizes["downloads"]) == (7, 1)


def test_json_is_the_same_twice_and_has_the_contracts_names() -> None:
    told = orjson.loads(plan_json(PLAN))
    assert plan_json(PLAN) == plan_json(PLAN)
    assert {"to", "from", "totals", "items"} <= told.keys()
    for item in told["items"]:
        assert {"id", "name", "action", "reasons", "candidates", "licence_change", "retrain"} <= item.keys()
    assert told["items"][2]["id"] is None


def test_csv_reads_back_and_no_cell_is_a_formula() -> None:
    rows = list(csv.DictReader(io.StringIO(plan_csv(PLAN))))
    assert tuple(rows[0]) == COLUMNS
    assert rows[0]["name"] == "'=cmd()"
    assert (rows[1]["candidate_1_name"], rows[1]["reasons"]) == ("c,\n", "No. Near.")


def test_a_report_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "plan.csv"
    path.write_text("old")

    def fails() -> str:
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError):
        write_text(path, fails)
    assert path.read_text() == "old"
    write_text(path, lambda: "new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(UsageError, match="cannot be written"):
        write_text(tmp_path / "absent" / "plan.csv", lambda: "x")
