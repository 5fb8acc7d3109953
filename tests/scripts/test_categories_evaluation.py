"""Categories measured against a hub's own tags, on creators that nothing was learned from."""

import json
import lzma
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from scripts.evaluations.categories import answers, forced, macro, main, published, scores
from scripts.learning.category_cases import Case, read_cases

FOLDER = Path(__file__).resolve().parents[2] / "../shared/data/civitai"
shared = pytest.mark.skipif(not FOLDER.exists(), reason="development cases are not here")


def item(**more: Any) -> dict[str, Any]:
    return {
        "id": 1,
        "type": "LORA",
        "name": "Red dress",
        "tags": ["Style", "ink"],
        "creator": {"username": "mira"},
    } | more


def cases(tmp_path: Path, *items: dict[str, Any]) -> list[Case]:
    with lzma.open(tmp_path / "models.jsonl.xz", "wt") as lines:
        lines.writelines(json.dumps(item) + "\n" for item in items)
    return read_cases(tmp_path)


def test_the_label_is_hidden_from_the_judge(tmp_path: Path) -> None:
    (case,) = cases(tmp_path, item())
    assert (case.label, case.sort, case.seen["tags"]) == ("style", "adapter", ("ink",))
    assert case.tags == ("Style", "ink")


def test_looks_are_hidden_of_checkpoints(tmp_path: Path) -> None:
    (case,) = cases(tmp_path, item(type="Checkpoint", tags=["anime", "manga", "base model", "soft"]))
    assert (case.label, case.sort, case.seen["tags"]) == ("anime", "checkpoint", ("soft",))


def test_items_without_one_label_are_no_cases(tmp_path: Path) -> None:
    assert not cases(
        tmp_path, item(tags=["ink"]), item(tags=["style", "poses"]), item(type="VAE"), item(tags=None)
    )


def test_all_models_of_a_creator_are_in_one_half(tmp_path: Path) -> None:
    found = cases(tmp_path, *(item(id=i, creator={"username": f"maker {i % 9}"}) for i in range(60)))
    halves = {(case.creator, case.held_out) for case in found}
    assert len(halves) == 9
    assert {held_out for _, held_out in halves} == {True, False}


def test_figures() -> None:
    pairs = [("a", "a"), ("a", "b"), ("b", "b"), ("b", None)]
    assert {(row.category, row.precision, row.recall, row.support) for row in scores(pairs)} == {
        ("a", 1.0, 0.5, 2), ("b", 0.5, 0.5, 2),
    }  # fmt: skip
    assert macro(pairs, enough=1) == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert macro(pairs) == 0


def test_a_folder_without_cases_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert "no labelled model items" in capsys.readouterr().err


@cache
def held_out(sort: str) -> list[Case]:
    return [case for case in read_cases(FOLDER) if case.held_out and case.sort == sort]


@shared
@pytest.mark.shared
@pytest.mark.no_cover
@pytest.mark.parametrize("sort", ["adapter", "checkpoint"])
def test_a_published_model_gets_the_hubs_category(sort: str) -> None:
    assert macro(published(held_out(sort))) >= 0.99


@shared
@pytest.mark.shared
@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("sort", "every", "told", "share"), [("adapter", 0.56, 0.67, 0.75), ("checkpoint", 0.68, 0.80, 0.45)]
)
def test_without_the_tag_unseen_creators_are_judged(
    sort: str, every: float, told: float, share: float
) -> None:
    """Floors a little below what was measured, macro F1: of all, and of those of which something was said."""
    judged = answers(held_out(sort))
    said = [(case.label, verdict.category) for case, verdict in judged if verdict.category is not None]
    assert macro(forced(judged)) >= every
    assert macro(said) >= told
    assert len(said) >= share * len(judged)


@shared
@pytest.mark.shared
@pytest.mark.no_cover
def test_what_is_said_with_confidence_is_mostly_so() -> None:
    sure = [(c, v) for c, v in answers(held_out("adapter")) if v.category and v.confidence >= 0.8]
    assert len(sure) >= 700
    assert sum(case.label == verdict.category for case, verdict in sure) >= 0.87 * len(sure)
