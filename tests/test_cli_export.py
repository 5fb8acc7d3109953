"""``pinakes check --export`` as a process: what a pipe gets, and what a person reads beside it."""

import json

from indexer.settings import Settings
from tests.command import pinakes


def test_the_output_is_what_the_other_tool_opens(demo_home: Settings) -> None:
    asked = ("check", "Atlas XL", "Gouge Linocut:0.8", "--home", demo_home.home, "--export")
    run = pinakes(*asked, "comfyui")
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["version"] == 0.4
    run = pinakes(*asked, "a1111")
    assert run.stdout.startswith("gouge linocut") and "<lora:gouge_linocut_xl:0.8>" in run.stdout
    assert json.loads(pinakes(*asked, "a1111", "--json").stdout).keys() == {"text", "notes"}


def test_what_is_left_out_is_told_beside_it(demo_home: Settings) -> None:
    run = pinakes("check", "Atlas XL", "Three Drum Riso", "--export", "comfyui-api", "--home", demo_home.home)
    assert run.returncode == 1  # the stack does not fit together, as without an export
    assert "Three Drum Riso is left out" in run.stderr
    assert "CheckpointLoaderSimple" in run.stdout


def test_another_form_is_wrong_usage(demo_home: Settings) -> None:
    run = pinakes("check", "Atlas XL", "--export", "zip", "--home", demo_home.home)
    assert run.returncode == 2 and "Choose one of" in run.stderr and run.stdout == ""
