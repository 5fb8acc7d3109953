"""``POST /api/stack/export`` over a real socket."""

import httpx
import pytest

from indexer.settings import Settings
from search.checking import check_stack
from search.exporting import FORMATS, export_stack
from search.service import Pinakes

ASKED = {"base": "Atlas XL", "addons": ["Gouge Linocut:0.8"]}


@pytest.mark.parametrize("format_", FORMATS)
def test_it_answers_what_the_command_writes(client: httpx.Client, demo_home: Settings, format_: str) -> None:
    answer = client.post("/api/stack/export", json=ASKED | {"format": format_})
    assert answer.status_code == 200, answer.text
    with Pinakes(demo_home) as pinakes:
        made = export_stack(pinakes, check_stack(pinakes, "Atlas XL", ["Gouge Linocut:0.8"]), format_)
    assert answer.text == made.text
    assert answer.headers["content-type"] == made.media


@pytest.mark.parametrize(
    "asked",
    [{"format": "zip"}, {"base": "sdxl"}, {"base": "no such model"}, {"addons": ["/etc/hostname"]}],
)
def test_wrong_questions_get_an_answer_that_helps(client: httpx.Client, asked: dict[str, object]) -> None:
    answer = client.post("/api/stack/export", json=ASKED | asked)
    assert answer.status_code in (400, 404, 422), answer.text
    assert answer.json()["message"]


def test_it_comes_from_our_own_page_only(client: httpx.Client) -> None:
    answer = client.post("/api/stack/export", json=ASKED, headers={"Origin": "http://evil.test"})
    assert answer.status_code == 403
