"""The command as a person or a program calls it: real processes, but where only words are asked for."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from indexer.settings import Settings
from tests import command as inside
from tests.clocks import PATIENCE
from tests.models import write_library, write_safetensors

VERBS = (
    "index",
    "demo",
    "rebuild",
    "inspect",
    "override",
    "mislabelled",
    "search",
    "similar",
    "show",
    "check",
    "lineage",
    "comfyui-paths",
    "mcp",
    "map",
    "stats",
    "fields",
    "serve",
    "import",
    "schedule",
)


def pinakes(*arguments: str | Path, **env: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "search", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=os.environ | env)


def answer(*arguments: str | Path) -> Any:
    run = pinakes(*arguments, "--json")
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(verb: str) -> None:
    run = inside.pinakes(verb, "--help")
    assert run.returncode == 0
    assert f"Example: pinakes {verb}" in run.stdout


def test_from_folder_to_answer(tmp_path: Path) -> None:
    folder = write_library(tmp_path / "models", 3)
    home = ("--home", tmp_path / "home")
    report = answer("index", folder, *home)
    assert report["scans"][str(folder)]["read"] == 3
    assert answer("search", "type:lora", *home)["total"] == 3
    shown = inside.pinakes("search", "model", "--explain", *home)
    assert "architecture" in shown.stdout and "its name matches" in shown.stdout
    assert inside.answer("show", "model 1", *home)["kind"] == "lora"
    assert inside.answer("stats", *home)["entries"] == 3
    assert answer("rebuild", *home)["published"] == 3
    assert inside.answer("search", "type:lora", *home)["total"] == 3
    similar = answer("similar", folder / "loras" / "set0" / "model000.png", *home)
    assert similar["hits"][0]["name"] == "model 0"
    like = inside.answer("similar", folder / "loras" / "set0" / "model000.safetensors", *home)
    assert like["query"]["like"]["name"] == "model 0"


def test_inspect_needs_no_catalog_and_answers_a_line_a_file(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "a.safetensors")
    write_safetensors(tmp_path / "b.safetensors", {})
    (tmp_path / "c.safetensors").write_text("<html>")
    run = pinakes("inspect", tmp_path, "--json", HOME="/nonexistent")
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert [line["status"] for line in lines] == ["ok", "ok", "quarantined"]
    assert (lines[0]["kind"], lines[0]["architecture"], lines[0]["rank"]["mode"]) == ("lora", "sdxl", 4)
    assert set(lines[0]) >= {
        "path", "size", "container", "status", "reason", "warnings", "kind", "adapter", "key_format", "architecture",
        "architecture_path", "candidates", "family", "confidence", "evidence", "conflicts", "claims", "rank", "alpha",
        "dtypes", "quantisation", "parameters", "tensors", "trigger_words", "training",
    }  # fmt: skip
    shown = pinakes("inspect", tmp_path / "a.safetensors")
    assert "Stable Diffusion XL" in shown.stdout and "\x1b" not in shown.stdout
    listed = pinakes("inspect", tmp_path)
    assert "3 files · 1 lora" in listed.stdout and "1 cannot be read" in listed.stdout
    assert listed.returncode == 0


def test_a_word_of_mine_wins_until_i_withdraw_it(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "checkpoints"
    path = write_safetensors(folder / "ink.safetensors")
    home = ("--home", tmp_path / "home")
    inside.answer("index", folder, *home)
    report = inside.answer("mislabelled", *home)
    assert (report["total"], report["items"][0]["path"]) == (1, str(path))
    assert report["items"][0]["conflicts"] == [
        {"claim": "checkpoint", "source": "folder:checkpoints", "found": "lora"}
    ]
    assert set(report["items"][0]) == {"id", "name", "path", "conflicts", "confidence", "evidence"}
    shown = inside.pinakes("mislabelled", "type:lora", *home)
    assert "ink.safetensors" in shown.stdout and "1 file of 1 mislabelled model" in shown.stdout
    told = inside.answer("override", path, "--kind", "Checkpoint", "--category", "style", *home)
    assert told["overrides"] == {"kind": "checkpoint", "category": "style"}
    assert inside.answer("search", "type:checkpoint category:style", *home)["total"] == 1
    assert inside.answer("mislabelled", *home) == {"total": 0, "hidden": 0, "offset": 0, "items": []}
    assert "your word" in inside.pinakes("show", "ink", *home).stdout
    assert "your word; found: lora" in inside.pinakes("override", "--list", *home).stdout
    assert inside.answer("override", path, "--withdraw", "all", *home)["overrides"] == {}
    assert inside.answer("search", "type:lora", *home)["total"] == 1
    wrong = inside.pinakes("override", path, "--kind", "loar", *home)
    assert wrong.returncode == 2 and "Did you mean lora" in wrong.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("search", "colour:red"), "There is no field 'colour'"),
        (("index", "/no/such/folder"), "There is no folder '/no/such/folder'"),
        (("inspect", "/no/such/file"), "There is no file or folder"),
        (("search", "x", "--sort", "magic"), "Sorting by 'magic' is unknown"),
    ],
)
def test_mistakes_exit_2_with_one_clear_message(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    home = () if arguments[0] == "inspect" else ("--home", tmp_path / "home")
    run = pinakes(*arguments, *home)
    assert run.returncode == 2
    assert message in run.stderr
    assert "Traceback" not in run.stderr and run.stdout == ""


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    run = pinakes("stats", "--home", tmp_path / "home", PINAKES_PORT="many")
    assert run.returncode == 2
    assert "PINAKES_PORT cannot be used" in run.stderr


def test_json_is_pure_and_strangers_control_codes_are_shown_not_sent(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    write_safetensors(folder / "a.safetensors", metadata={"modelspec.title": "evil \x1b[2J\x07 name"})
    home = ("--home", tmp_path / "home")
    answer("index", folder, *home)
    run = pinakes("search", "evil", *home)
    assert "\x1b" not in run.stdout and "\\x1b[2J" in run.stdout


def test_a_stopped_run_says_how_to_go_on(tmp_path: Path) -> None:
    import signal

    folder = write_library(tmp_path / "models", 300)
    command = [sys.executable, "-m", "search", "index", str(folder), "--home", str(tmp_path / "home")]
    run = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    catalog = tmp_path / "home" / "catalog.sqlite3"
    while not catalog.exists():
        assert run.poll() is None
        time.sleep(0.002)
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=PATIENCE)
    assert run.returncode == 130
    assert "run the same command again" in said
    assert answer("index", folder, "--home", tmp_path / "home")["scans"][str(folder)]["read"] > 0


def test_inspecting_a_big_folder_begins_at_once_and_stops_cleanly(tmp_path: Path) -> None:
    import signal

    folder = write_library(tmp_path / "models", 600, pictures=False)
    command = [sys.executable, "-m", "search", "inspect", str(folder), "--json"]
    run = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    assert run.stdout is not None
    assert json.loads(run.stdout.readline())["kind"] == "lora"
    assert run.poll() is None, "it answers before it is done"
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=PATIENCE)
    assert run.returncode == 130
    assert "Traceback" not in said and "Stopped" in said


def test_serve_on_other_addresses_needs_a_token(demo_home: Settings) -> None:
    run = pinakes("serve", "--host", "0.0.0.0", "--port", "0", "--home", demo_home.home)
    assert run.returncode == 2
    assert "token" in run.stderr


def test_serve_on_a_taken_port_says_so(demo_home: Settings) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        run = pinakes("serve", "--port", str(taken.getsockname()[1]), "--home", demo_home.home)
    assert run.returncode == 2
    assert "--port 0" in run.stderr
