"""What changed since an earlier plan."""

from pathlib import Path
from typing import Any

import pytest

from indexer.errors import UsageError
from search.plan_diff import changes_since, read_plan


def item(id_: int, action: str, *candidates: int) -> dict[str, Any]:
    found = [{"id": one, "name": f"candidate {one}", "score": 0.5} for one in candidates]
    return {"id": id_, "name": f"model {id_}", "action": action, "candidates": found}


OLD = {"to": "sdxl", "items": [item(1, "retrain"), item(2, "keep"), item(3, "replace", 9)]}


def test_actions_candidates_and_models_are_compared() -> None:
    now = [item(1, "replace", 7), item(3, "replace", 9, 8), item(4, "keep")]
    changes = changes_since(OLD, now, "sdxl")
    assert [(change["id"], change["change"]) for change in changes] == [
        (1, "action"),
        (1, "candidates"),
        (3, "candidates"),
        (4, "new"),
        (2, "gone"),
    ]
    assert [one["id"] for one in changes[2]["candidates"]] == [8]


def test_the_same_plan_has_no_changes() -> None:
    assert changes_since(OLD, OLD["items"], "sdxl") == []  # type: ignore[arg-type]  # items of a plain dict


def test_a_plan_to_another_base_cannot_be_compared() -> None:
    with pytest.raises(UsageError, match="'sdxl'"):
        changes_since(OLD, [], "flux1-dev")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"items": 5}',
        '{"items": [{"id": 1}]}',
        '{"items": [{"id": [], "name": "a", "action": "keep"}]}',
    ],
)
def test_what_is_no_plan_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"plan\.json"):
        read_plan(path)
    with pytest.raises(UsageError, match="cannot be read"):
        read_plan(tmp_path / "absent.json")
