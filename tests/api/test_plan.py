"""``POST /api/plan`` over a real socket."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.parsers.image_files import texts_png

ITEM = {"id", "name", "action", "reasons", "candidates", "licence_change", "retrain"}


def ask(client: httpx.Client, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post("/api/plan", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_plan_answers_by_the_contract(client: httpx.Client) -> None:
    plan = ask(client, {"to": "flux2-klein-9b", "from": "sdxl", "q": "category:style", "price_per_hour": 1})
    assert (plan["to"], plan["from"]) == ("flux2-klein-9b", "sdxl")
    assert sum(plan["totals"].values()) == len(plan["items"]) > 3
    for item in plan["items"]:
        assert set(item) >= ITEM
        assert all({"id", "name", "score", "signals"} <= set(one) for one in item["candidates"])
    again = ask(client, {"to": "flux2-klein-9b", "from": "sdxl", "q": "category:style", "against": plan})
    assert again["changes"] == []


def test_a_picture_can_be_sent_for_its_stack(client: httpx.Client, tmp_path: Path) -> None:
    picture = texts_png(
        {"parameters": "a cat\nSteps: 20, Sampler: Euler, Seed: 1, Size: 8x8, Model: atlasXL_v1"}
    )
    answer = client.post("/api/plan", data={"to": "sdxl"}, files={"stack": ("a.png", picture, "image/png")})
    assert answer.status_code == 200, answer.text
    assert [item["name"] for item in answer.json()["items"]] == ["Atlas XL"]


@pytest.mark.parametrize(
    "body",
    ["", "[]", "{}", '{"to": 5}', '{"to": "sdxl", "typo": 1}', '{"to": "sdxl", "against": {"items": 1}}'],
)
def test_wrong_bodies_are_told_what_is_wrong(client: httpx.Client, body: str) -> None:
    answer = client.post("/api/plan", content=body, headers={"Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500
    assert answer.json()["message"]


def test_an_unknown_base_is_told(client: httpx.Client) -> None:
    answer = client.post("/api/plan", json={"to": "nonsense"})
    assert 400 <= answer.status_code < 500
    assert "nonsense" in answer.text
