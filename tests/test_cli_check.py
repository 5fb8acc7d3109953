"""``pinakes check`` and ``pinakes lineage`` as processes: exit status, JSON, what a person reads."""

import json

import pytest

from indexer.settings import Settings
from tests.command import pinakes


@pytest.mark.parametrize(
    ("addons", "status"),
    [(["Gouge Linocut:0.8"], 0), (["Gouge Linocut", "Three Drum Riso"], 1), (["no such model"], 2)],
)
def test_exit_status(demo_home: Settings, addons: list[str], status: int) -> None:
    run = pinakes("check", "Atlas XL", *addons, "--json", "--home", demo_home.home)
    assert run.returncode == status, run.stderr
    if status == 2:
        assert run.stdout == "" and "no such model" in run.stderr
    else:
        assert json.loads(run.stdout)["verdict"] == ("compatible", "incompatible")[status]


def test_a_person_reads_what_to_do(demo_home: Settings) -> None:
    run = pinakes("check", "flux1-dev", "Three Drum Riso", "Gouge Linocut", "--home", demo_home.home)
    for words in (
        "This stack fits together",
        "What to do",
        "Load beside FLUX.1 dev",
        "clip_l",
        "Licence".lower(),
    ):
        assert words in run.stdout


def test_lineage(demo_home: Settings) -> None:
    run = pinakes("lineage", "Every Teapot", "--home", demo_home.home)
    assert run.returncode == 0 and "Atlas XL" in run.stdout and "trained on" in run.stdout
    found = json.loads(pinakes("lineage", "Atlas XL", "--json", "--home", demo_home.home).stdout)
    assert {"ancestors", "descendants", "siblings"} <= found.keys()
    assert "Every Teapot" in {one["name"] for one in found["descendants"]}
