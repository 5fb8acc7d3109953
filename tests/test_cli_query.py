"""Words left out of a query, as the shell hands them over."""

import json
from pathlib import Path
from typing import Any

import pytest

from indexer.settings import Settings
from search.cli_query import query_text
from tests.command import answer, pinakes


@pytest.fixture
def homed(demo_home: Settings) -> tuple[str | Path, ...]:
    return ("--limit", "100", "--home", demo_home.home)


def found(*arguments: str | Path) -> Any:
    return [hit["id"] for hit in answer("search", *arguments)["hits"]]


def test_what_is_left_out_may_stand_anywhere(homed: tuple[str | Path, ...]) -> None:
    wanted = found("style NOT neon", *homed)
    assert 0 < len(wanted) < len(found("style", *homed))
    assert found("style", "-neon", *homed) == found("-neon", "style", *homed) == wanted
    assert found("-neon style", *homed) == wanted
    after = pinakes("search", *homed, "--json", "--", "-neon", "style").stdout
    assert [hit["id"] for hit in json.loads(after)["hits"]] == wanted


@pytest.mark.parametrize(
    ("query", "spoken"),
    [
        ("-night", "NOT night"),
        ("-type:lora", "NOT type:lora"),
        ("-(type:lora night)", "NOT (type:lora night)"),
        ('-"arcade neon"', 'NOT "arcade neon"'),
        ("-noise", "NOT noise"),
    ],
)
def test_each_kind_of_negation_is_read(query: str, spoken: str, homed: tuple[str | Path, ...]) -> None:
    assert found(query, *homed) == found(spoken, *homed)


def test_options_stay_options(homed: tuple[str | Path, ...]) -> None:
    assert len(found("-n", "3", *homed[2:])) == len(found("-n3", *homed[2:])) == 3
    assert "No such option: --nigth" in pinakes("search", "neon", "--nigth").stderr
    assert "'-night.png'" in pinakes("search", "--image", "-night.png", *homed).stderr


def test_a_query_is_kept_as_typed(homed: tuple[str | Path, ...]) -> None:
    assert query_text(["ink", " -sea"]) == "ink -sea" and query_text(None) == ""
    assert "\n    neon -(night\n" in pinakes("search", "neon", "-(night", *homed).stderr
