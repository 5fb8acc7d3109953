"""A library of attacks in the stack builder and in a plan: all of it is text, also in what is taken along."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.api.serving import hostile_home, serving
from tests.web.conftest import Open, Shoot
from tests.web.payloads import PAYLOADS
from tests.web.settling import settled

pytestmark = pytest.mark.browser

STRANGE = "document.querySelectorAll('main iframe, main script:not([type=module]), main svg[onload]').length"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(hostile_home(tmp_path_factory.mktemp("hostile"))) as address:
        yield address


def test_a_stack_of_attacks_is_text(visit: Open, shoot: Shoot, hostile: str) -> None:
    page = visit("/stack?base=sdxl&kind=lora", base=hostile)
    added = page.locator(".offer-grid .plain-button").evaluate_all("all => all.map(b => b.value)")
    assert len(added) >= 15
    query = "".join(f"&add={id_}" for id_ in added) + "&lost=<script>alert(1)</script>"
    page.goto(f"{hostile}/stack?base=sdxl{query}")
    settled(page)
    expect(page.locator(".slots .slot")).to_have_count(len(added))
    assert page.evaluate(STRANGE) == 0
    shoot(page, "stack-hostile")
    answer = page.request.get(f"{hostile}/stack/export/json?base=sdxl{query}")
    told = json.loads(answer.text())
    assert {one["name"] for one in told["addons"]} & {f"{payload} 1" for payload in PAYLOADS}


def test_a_plan_of_attacks_is_text(visit: Open, hostile: str) -> None:
    page = visit("/plan", base=hostile)
    page.select_option("select[name=to]", "sd1")
    page.get_by_role("button", name="Make the plan").click()
    page.wait_for_url(re.compile("to=sd1"))
    expect(page.locator(".totals")).to_be_visible(timeout=120_000)
    settled(page)
    assert page.locator(".training, .tile, .move").count() == len(PAYLOADS)
    assert page.evaluate(STRANGE) == 0
    for payload in PAYLOADS:
        page.goto(f"{hostile}/stack?q=%s" % "".join(f"%{byte:02x}" for byte in payload.encode()))
        assert page.evaluate(STRANGE) == 0
