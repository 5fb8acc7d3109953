"""Plans over the indexed demo library, whose generator knows the truth."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.demo import DemoReport
from indexer.errors import UsageError
from indexer.settings import Settings
from scripts.evaluations.plan import cases
from search.plan_answer import Plan
from search.plan_cost import Price
from search.plan_make import PlanRequest, make_plan
from search.plan_report import plan_json
from search.plan_scope import target_of
from search.plan_stack import read_stack
from search.query import QueryError
from search.service import Pinakes
from search.web.plan import plan_page, write_plan
from tests.parsers.image_files import texts_png

Demo = tuple[Path, DemoReport]


@pytest.fixture(scope="module")
def pinakes(demo_home: Settings) -> Iterator[Pinakes]:
    with Pinakes(demo_home) as opened:
        yield opened


@pytest.fixture(scope="module")
def klein(pinakes: Pinakes) -> Plan:
    return make_plan(pinakes, PlanRequest("flux2-klein-9b"))


def test_actions_and_equivalents_are_right(demo_home: Settings, demo_library: Demo) -> None:
    settings = demo_home.model_copy(update={"show_adult": True, "show_people": True})
    with Pinakes(settings) as opened:
        told = list(cases(demo_library[1], opened))
    known = [case.found for case in told if case.found is not None]
    assert sum(case.right for case in told) >= 0.95 * len(told)
    assert len(known) >= 30
    assert sum(known) >= 0.9 * len(known)


def test_two_runs_give_the_same_plan(pinakes: Pinakes, klein: Plan) -> None:
    assert plan_json(make_plan(pinakes, PlanRequest("flux2-klein-9b"))) == plan_json(klein)


def test_hidden_models_are_counted_and_planned_only_when_asked_for(pinakes: Pinakes, klein: Plan) -> None:
    assert klein.hidden_by == {"adult": 1, "real_person": 1}
    names = {item.name for item in klein.items}
    asked = make_plan(pinakes, PlanRequest("flux2-klein-9b", query="is:adult"))
    assert [item.name for item in asked.items] == ["After Hours"]
    assert "After Hours" not in names | {one.document.name for item in klein.items for one in item.candidates}


def test_a_query_and_the_old_base_narrow_the_plan(pinakes: Pinakes) -> None:
    plan = make_plan(pinakes, PlanRequest("sdxl", "sd1", "type:lora"))
    assert plan.items
    assert {item.document.architecture for item in plan.items if item.document} == {"sd1"}
    assert {item.kind for item in plan.items} == {"lora"}
    assert make_plan(pinakes, PlanRequest("sdxl", query="name:nowhere")).notes


def test_what_training_takes_comes_from_the_files_own_metadata(pinakes: Pinakes) -> None:
    plan = make_plan(
        pinakes,
        PlanRequest("flux2-klein-9b", query='name:"cathedral glass" arch:sd1', price=Price(2.0, "USD")),
    )
    retrain = plan.items[0].retrain
    assert retrain is not None
    assert (retrain["images"], retrain["rank"]) == (40, 16)
    assert "stained glass" in retrain["captions"]
    assert retrain["cost_range"]["currency"] == "USD"


def test_a_move_to_a_non_commercial_base_is_told(klein: Plan) -> None:
    assert klein.licence is not None and klein.licence["commercial"] is False
    assert any(
        item.licence_change and "no longer be sold" in item.licence_change["told"] for item in klein.items
    )


INFOTEXT = (
    "a harbour <lora:wetpaper_watercolour_xl:0.8>\nSteps: 20, Sampler: Euler, CFG scale: 5, Seed: 1, "
    "Size: 512x512, Model: atlasXL_v1, Version: v1.10"
)
GRAPH = {
    "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "SDXL/atlasXL_v1.safetensors"}},
    "2": {
        "class_type": "LoraLoader",
        "inputs": {
            "lora_name": "nobody_knows_this.safetensors",
            "strength_model": 0.5,
            "strength_clip": 0.5,
            "model": ["1", 0],
            "clip": ["1", 1],
        },
    },
    "3": {"class_type": "KSampler", "inputs": {"model": ["2", 0], "seed": 1, "steps": 20, "cfg": 5.0}},
}


def test_the_stack_of_an_image_moves_together(pinakes: Pinakes, tmp_path: Path) -> None:
    image = tmp_path / "made.png"
    image.write_bytes(texts_png({"parameters": INFOTEXT}))
    plan = make_plan(pinakes, PlanRequest("flux2-klein-9b", stack=image))
    assert {item.name: item.action for item in plan.items} == {
        "Atlas XL": "replace",
        "Wet Paper Watercolour": "update",
    }
    assert [item.weight for item in plan.items if item.kind == "lora"] == [0.8]


@pytest.mark.parametrize("as_file", [True, False])
def test_a_workflow_names_what_the_catalog_does_not_know(
    pinakes: Pinakes, tmp_path: Path, as_file: bool
) -> None:
    data = json.dumps(GRAPH).encode()
    path = tmp_path / "workflow.json"
    path.write_bytes(data)
    plan = make_plan(pinakes, PlanRequest("sdxl", stack=path if as_file else data))
    assert [(item.name, item.action) for item in plan.items] == [
        ("Atlas XL", "keep"),
        ("nobody_knows_this.safetensors", "unknown"),
    ]


WORKFLOW = {
    "nodes": [
        {
            "id": 1,
            "type": "CheckpointLoaderSimple",
            "inputs": [],
            "outputs": [{"name": "MODEL", "type": "MODEL", "links": [1]}],
            "widgets_values": ["SDXL/atlasXL_v1.safetensors"],
        },
        {
            "id": 2,
            "type": "KSampler",
            "inputs": [{"name": "model", "type": "MODEL", "link": 1}],
            "outputs": [],
            "widgets_values": [1, "fixed", 20, 5.0, "euler", "normal", 1.0],
        },
    ],
    "links": [[1, 1, 0, 2, 0, "MODEL"]],
    "version": 0.4,
}
"""As the editor saves it."""


@pytest.mark.parametrize(
    "data",
    [json.dumps(WORKFLOW).encode(), *(INFOTEXT.encode(form) for form in ("utf-8", "utf-8-sig", "utf-16"))],
)
def test_workflows_of_the_editor_and_texts_of_a1111_are_stacks(pinakes: Pinakes, data: bytes) -> None:
    plan = make_plan(pinakes, PlanRequest("sdxl", stack=data))
    assert ("Atlas XL", "keep") in [(item.name, item.action) for item in plan.items]


def test_a_prompt_alone_names_adapters(pinakes: Pinakes) -> None:
    stack = read_stack(pinakes.catalog, b"a harbour <lora:wetpaper_watercolour_xl:0.8>")
    assert list(stack.weights.values()) == [0.8]


def test_a_stack_that_pinakes_wrote_is_read_back(pinakes: Pinakes) -> None:
    known = {item.name: item.document for item in make_plan(pinakes, PlanRequest("sdxl")).items}
    base, adapter = known["Atlas XL"], known["Wet Paper Watercolour"]
    assert base is not None and adapter is not None
    told = {
        "pinakes_stack": 1,
        "base": {"name": base.name, "kind": base.kind, "file": base.files[0].path, "id": None},
        "addons": [
            {"name": adapter.name, "kind": "lora", "file": None, "id": adapter.id, "weight": 0.7},
            {"name": "Another", "kind": "lora", "file": None, "id": base.id, "hashes": {"SHA256": "0" * 64}},
            "no object",
        ],
        "parts": None,
    }
    stack = read_stack(pinakes.catalog, json.dumps(told).encode())
    assert stack.ids == (base.id, adapter.id)
    assert stack.weights == {adapter.id: 0.7}
    assert [model.name for model in stack.unknown] == ["Another"]


@pytest.mark.parametrize("told", [{"pinakes_stack": 1}, {"pinakes_stack": 1, "base": 3, "addons": {"a": 1}}])
def test_a_stack_without_models_is_refused(pinakes: Pinakes, told: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="names no model"):
        read_stack(pinakes.catalog, json.dumps(told).encode())


@pytest.mark.parametrize("data", [b"", b"{}", b"[" * 5_000, b"\x89PNG\r\n\x1a\n", b"just words"])
def test_what_names_no_model_is_no_stack(pinakes: Pinakes, data: bytes) -> None:
    with pytest.raises(UsageError, match="names no model"):
        read_stack(pinakes.catalog, data)


def test_an_earlier_plan_shows_what_changed(pinakes: Pinakes, klein: Plan) -> None:
    old = json.loads(plan_json(klein))
    assert make_plan(pinakes, PlanRequest("flux2-klein-9b", against=old)).changes == []
    old["items"][0]["action"] = "unknown"
    changes = make_plan(pinakes, PlanRequest("flux2-klein-9b", against=old)).changes or []
    assert [change["change"] for change in changes] == ["action"]


@pytest.mark.parametrize("to", ["", "klein", "flux1", "nonsense"])
def test_a_base_that_nobody_knows_or_that_is_several_is_refused(to: str) -> None:
    with pytest.raises(UsageError):
        target_of(to)
    assert target_of("Illustrious").family == "illustrious"


def test_wrong_queries_and_too_many_models_are_refused(pinakes: Pinakes) -> None:
    with pytest.raises(QueryError):
        make_plan(pinakes, PlanRequest("sdxl", query="rank:many"))
    with pytest.raises(UsageError, match="Narrow"):
        make_plan(pinakes, PlanRequest("sdxl", most=3))


def test_the_page_needs_nothing_else(pinakes: Pinakes, klein: Plan, tmp_path: Path) -> None:
    page = plan_page(pinakes, klein)
    assert page == plan_page(pinakes, klein)
    assert "<script" not in page and "<link" not in page and "src=" not in page
    assert page.count("data:image/webp") > 30
    assert all(f'id="only-{action}"' in page for action, count in klein.totals.items() if count)
    assert "url(http" not in page and "@import" not in page
    for name in ("plan.html", "plan.csv", "plan.json"):
        write_plan(pinakes, klein, tmp_path / name)
        assert (tmp_path / name).stat().st_size > 1_000
