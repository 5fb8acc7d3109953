"""``pinakes mcp`` over standard input and output."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp.types import CallToolResult, Tool

from indexer.inspecting import inspect_paths
from indexer.settings import Settings
from search.checking import check_stack
from search.plan_make import PlanRequest, make_plan
from search.service import Pinakes
from tests.clocks import PATIENCE
from tests.mcp.asking import over_stdio, told

CALLS: list[tuple[str, dict[str, Any]]] = [
    ("search", {"query": "type:lora category:style", "limit": 3, "facets": True}),
    ("similar", {"model": "Gouge Linocut", "limit": 3}),
    ("show", {"model": "Gouge Linocut"}),
    ("check", {"base": "Atlas XL", "addons": ["Gouge Linocut:0.8", "Three Drum Riso"]}),
    ("plan", {"to": "flux2-klein-9b", "from": "sdxl", "limit": 2, "offset": 1}),
    ("plan", {"to": "flux2-klein-9b", "from": "sdxl", "action": "retrain", "limit": 1}),
]
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("search", {"query": "ink rank:abc"}, "query"),
    ("search", {"limit": 0, "colour": "red"}, "arguments"),
    ("search", {"base": "no such base"}, "architecture"),
    ("similar", {}, "similar"),
    ("similar", {"model": "Gouge Linocut", "picture": "/x.png"}, "similar"),
    ("similar", {"picture": "/etc/hostname"}, "outside"),
    ("show", {"model": "no such model"}, "unknown_model"),
    ("check", {"base": "/etc/hostname"}, "unknown_model"),
    ("plan", {"to": "no such base"}, "architecture"),
    ("plan", {"to": "sdxl", "action": "sell"}, "arguments"),
    ("inspect", {"target": "/etc/hostname"}, "outside"),
    ("inspect", {"target": "http://127.0.0.1:9/a.safetensors"}, "refused_address"),
    ("inspect", {"target": "file:///etc/hostname"}, "outside"),
    ("delete", {}, "unknown_tool"),
]

HIDDEN: list[tuple[str, dict[str, Any]]] = [
    ("search", {"limit": 100}),
    ("search", {"query": "is:adult,real_person", "limit": 100}),
]

Visit = tuple[list[Tool], list[CallToolResult]]


@pytest.fixture(scope="module", params=["auto", "legacy"])
def visit(request: pytest.FixtureRequest, demo_home: Settings) -> Visit:
    calls = [*CALLS, *((name, given) for name, given, _ in WRONG), *HIDDEN]
    return over_stdio(demo_home.home, calls, mode=request.param)


def test_tools_are_described(visit: Visit) -> None:
    tools = {tool.name: tool for tool in visit[0]}
    assert list(tools) == ["search", "similar", "inspect", "show", "check", "plan"]
    for tool in tools.values():
        assert tool.description and len(tool.description) > 100 and tool.title
        assert tool.annotations and tool.annotations.read_only_hint
        assert tool.annotations.open_world_hint is (tool.name == "inspect")
        assert tool.output_schema and tool.output_schema["type"] == "object"
        for argument in tool.input_schema["properties"].values():
            assert "description" in argument
    assert "trigger" in (tools["search"].description or "")
    assert tools["plan"].input_schema["required"] == ["to"]


def test_answers_are_those_of_the_command(visit: Visit, demo_home: Settings) -> None:
    answers = [result.structured_content for result in visit[1]]
    with Pinakes(demo_home) as pinakes:
        expected = [
            pinakes.search("type:lora category:style", limit=3).to_json(),
            pinakes.similar("Gouge Linocut", limit=3).to_json(),
            pinakes.show(pinakes.find("Gouge Linocut").id).to_json(),  # type: ignore[union-attr]
            check_stack(pinakes, "Atlas XL", ["Gouge Linocut:0.8", "Three Drum Riso"]).to_json(),
            make_plan(pinakes, PlanRequest("flux2-klein-9b", "sdxl")).to_json(),
        ]
    whole = expected[-1].pop("items")
    for answer, wanted in zip(answers, json.loads(json.dumps(expected)), strict=False):
        assert answer.items() >= {name: value for name, value in wanted.items() if name != "took_ms"}.items()
    assert answers[4]["items"] == json.loads(json.dumps(whole[1:3]))
    assert answers[4]["items_total"] == len(whole)
    assert [item["action"] for item in answers[5]["items"]] == ["retrain"]
    assert answers[5]["items_total"] == answers[5]["totals"]["retrain"]


def test_text_and_data_are_the_same(visit: Visit) -> None:
    for result in visit[1][: len(CALLS)]:
        assert not result.is_error, told(result)
        assert json.loads(told(result)) == result.structured_content


def test_mistakes_are_tool_errors_with_our_codes(visit: Visit) -> None:
    for (name, given, code), result in zip(WRONG, visit[1][len(CALLS) :], strict=False):
        assert result.is_error, name
        assert result.structured_content["code"] == code, (given, told(result))
        assert told(result).startswith(f"{code}: ")
    query = visit[1][len(CALLS)].structured_content
    assert "ink rank:abc"[query["start"] : query["end"]] == "abc"


def test_what_is_hidden_stays_so_unless_asked_for(visit: Visit) -> None:
    plain, asked = visit[1][-len(HIDDEN) :]
    kept = {hit["id"] for hit in asked.structured_content["hits"]}
    assert kept and plain.structured_content["hidden"] >= len(kept)
    assert kept.isdisjoint({hit["id"] for hit in plain.structured_content["hits"]})


def test_only_files_of_the_library_are_inspected(demo_home: Settings, tmp_path: Path) -> None:
    """Of what lies elsewhere not even that is told whether it is there."""
    with Pinakes(demo_home) as pinakes:
        path = next(file.path for file in pinakes.find("Gouge Linocut").files)
    folder = tmp_path / "allowed"
    folder.mkdir()
    (folder / "a.safetensors").write_bytes(b"\xff" * 64)
    (folder / "notes.txt").write_text("secret")
    (folder / "out.safetensors").symlink_to("/etc/hostname")
    (folder / "ring.safetensors").symlink_to(folder / "ring.safetensors")
    (tmp_path / "there.safetensors").write_bytes(b"x")
    names = ["a.safetensors", "notes.txt", "out.safetensors", "none.safetensors", "ring.safetensors", ""]
    outside = [f"{folder}/../there.safetensors", f"{folder}/../not.safetensors", "a.safetensors", "/\x00.bin"]
    calls: list[tuple[str, dict[str, Any]]] = [
        ("inspect", {"target": target})
        for target in (path, *(f"{folder}/{name}" for name in names), *outside)
    ]
    _, (known, broken, *others) = over_stdio(demo_home.home, calls, "--allow", str(folder))
    assert known.structured_content == json.loads(json.dumps(next(inspect_paths([Path(path)]))))
    assert broken.structured_content["status"] == "quarantined"
    codes = [result.structured_content["code"] for result in others]
    assert codes[:3] == ["suffix", "outside", "path_missing"]
    assert codes[3] in ("path_missing", "outside")
    assert codes[4:] == ["outside"] * 5
    assert told(others[5]) == told(others[6])


def test_it_ends_with_its_input_and_writes_only_messages(demo_home: Settings) -> None:
    asked = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }
    run = subprocess.run(
        [sys.executable, "-m", "search", "mcp", "--home", str(demo_home.home)],
        input=f"{json.dumps(asked)}\nno json at all\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert run.returncode == 0, run.stderr
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    assert answers[0]["result"]["serverInfo"]["name"] == "pinakes"
    assert "never instructions" in answers[0]["result"]["instructions"]
