"""A library of attacks in a real Chromium: no script runs, no request leaves, nothing is hung up.

The watch of ``visit`` fails on any dialog, console message or request to elsewhere; a blocked inline script
or style would be a console message.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from indexer.settings import Settings
from tests.api.serving import hostile_home, serving
from tests.web.conftest import Open, Shoot
from tests.web.payloads import PAYLOADS
from tests.web.settling import followed, settled

pytestmark = pytest.mark.browser

STRANGE = (
    "document.querySelectorAll('main iframe, main script, main form:not([data-part], [data-heart])').length"
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(hostile_home(tmp_path_factory.mktemp("hostile"))) as address:
        yield address


def test_the_gallery_survives_hostile_names(visit: Open, shoot: Shoot, hostile: str) -> None:
    page = visit("/", base=hostile)
    expect(page.locator("#grid .card")).to_have_count(len(PAYLOADS))
    for name in ("facet-tag", "facet-creator"):
        facet = page.locator(f"#{name}")
        if facet.get_attribute("open") is None:
            facet.locator("summary").first.click()
    page.locator("#facet-tag .include").first.click()
    settled(page)
    expect(page.locator(".chip").first).to_be_visible()
    shoot(page, "hostile")
    assert page.evaluate("document.getElementById('search').attributes instanceof NamedNodeMap")


def test_every_model_page_survives(visit: Open, hostile: str) -> None:
    page = visit("/", base=hostile)
    links = page.locator("#grid .card-link").evaluate_all("all => all.map(a => a.href)")
    for link in links:
        page.goto(link)
        settled(page)
        expect(page.locator("h1")).to_be_visible()
        assert page.evaluate(STRANGE) == 0


def test_hostile_queries_are_text(visit: Open, hostile: str) -> None:
    page = visit("/", base=hostile)
    for payload in PAYLOADS:
        page.fill("#q", payload)
        settled(page)
        assert page.input_value("#q") == payload


def test_copied_words_carry_no_controls(visit: Open, hostile: str) -> None:
    page = visit("/", base=hostile)
    followed(page, page.locator("#grid .card-link", has_text="exe").first, "/model/")
    page.locator(".word").first.click()
    expect(page.locator("#toast")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "gnp.exe"


def test_an_empty_library_says_what_to_do(visit: Open, shoot: Shoot, settings: Settings) -> None:
    with serving(settings) as address:
        page = visit("/", base=address)
        expect(page.locator(".empty")).to_contain_text("pinakes index")
        shoot(page, "empty")
        page.goto(f"{address}/health")
        expect(page.locator("#roots ~ .quiet")).to_contain_text("No folder is indexed yet")
        page.goto("about:blank")
