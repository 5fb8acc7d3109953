"""``POST /api/check`` over a real socket."""

import httpx
import pytest

from indexer.settings import Settings
from search.checking import check_stack
from search.service import Pinakes


def test_it_answers_what_the_command_answers(client: httpx.Client, demo_home: Settings) -> None:
    asked = {"base": "Atlas XL", "addons": ["Gouge Linocut:0.8", "Three Drum Riso"], "precision": "fp8"}
    answer = client.post("/api/check", json=asked)
    assert answer.status_code == 200
    with Pinakes(demo_home) as pinakes:
        expected = check_stack(pinakes, "Atlas XL", ["Gouge Linocut:0.8", "Three Drum Riso"], precision="fp8")
    assert answer.json() == expected.to_json()
    assert {"verdict", "base", "addons", "pairs", "advice"} <= answer.json().keys()


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"base": ""},
        {"base": "sdxl", "addons": "ink"},
        {"base": "sdxl", "addons": ["x"] * 51},
        {"base": "sdxl", "precision": "fp4"},
        {"base": "no such model"},
        {"base": "sdxl", "addons": ["/etc/hostname"]},
    ],
)
def test_wrong_questions_get_an_answer_that_helps(client: httpx.Client, asked: dict[str, object]) -> None:
    answer = client.post("/api/check", json=asked)
    assert answer.status_code in (400, 404, 422), answer.text
