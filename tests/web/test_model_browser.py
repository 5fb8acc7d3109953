"""A model's page in a real Chromium: what is told, what can be copied, what moves while it loads."""

import pytest
from playwright.sync_api import Page, expect

from tests.web.conftest import Open, Shoot
from tests.web.settling import followed, settled
from tests.web.test_browser import NARROW

pytestmark = pytest.mark.browser

SHIFTS = """() => new Promise(done => {
    let sum = 0;
    new PerformanceObserver(list => list.getEntries().forEach(one => sum += one.hadRecentInput ? 0 : one.value))
        .observe({ type: "layout-shift", buffered: true });
    setTimeout(() => done(sum), 400);
})"""


def open_model(page: Page, query: str) -> None:
    page.goto(f"{page.url.partition('?')[0]}?q={query}")
    settled(page)
    followed(page, page.locator("#grid .card-link").first, "/model/")


def clipboard(page: Page) -> str:
    toast = page.locator("#toast")
    expect(toast).to_have_text("Copied")
    toast.evaluate("box => box.replaceChildren()")  # the next one is told anew
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_a_preview_says_how_it_was_made(visit: Open, shoot: Shoot) -> None:
    page = visit("/")
    open_model(page, "name:wet name:paper arch:sdxl")
    record = page.locator(".record").first
    record.locator("summary").click()
    expect(record.locator(".record-models")).to_contain_text("Atlas XL")
    record.get_by_label("Copy the prompt").click()
    assert "watercolour" in clipboard(page)
    record.get_by_label("Copy prompt and settings").click()
    assert "Steps: 28" in clipboard(page)
    shoot(page, "record")


def test_names_for_tools_can_be_copied(visit: Open) -> None:
    page = visit("/")
    open_model(page, "name:wet name:paper arch:sdxl")
    page.get_by_label("Copy the prompt tag").click()
    assert clipboard(page) == "<lora:wetpaper_watercolour_xl:0.8>"
    page.get_by_label("Copy the path for ComfyUI's loader").first.click()
    assert clipboard(page) == "style/wetpaper_watercolour_xl.safetensors"


def test_lineage_is_drawn_and_leads_on(visit: Open, shoot: Shoot) -> None:
    page = visit("/")
    open_model(page, "name:atlas type:checkpoint")
    page.locator("#lineage").scroll_into_view_if_needed()
    shoot(page, "lineage")
    assert page.locator(".kin-known").count() > 5
    expect(page.locator(".kin-line")).to_have_count(page.locator(".kin").count() - 1)
    page.locator(".lineage a", has_text="Wet Paper").click()
    expect(page.locator("h1")).to_have_text("Wet Paper Watercolour")
    page.get_by_text("As a list, with who says so").click()
    expect(page.locator(".evidence", has_text="Made from")).to_contain_text("Atlas XL")


def test_terms_and_history_are_told_in_words(visit: Open, shoot: Shoot) -> None:
    page = visit("/")
    open_model(page, "name:atlas type:checkpoint")
    page.locator("#terms").scroll_into_view_if_needed()
    expect(page.locator(".terms-headline")).to_have_text("Pictures made with it may not be sold.")
    expect(page.locator(".terms")).to_contain_text("You may not")
    shoot(page, "terms")
    page.locator("#past ~ details summary").click()
    expect(page.locator(".events")).to_contain_text("It came into the catalog")


def test_style_and_content_stand_side_by_side(visit: Open, shoot: Shoot) -> None:
    page = visit("/")
    open_model(page, "name:atlas type:checkpoint")
    page.locator("#style-row").scroll_into_view_if_needed()
    shoot(page, "side-by-side")
    tops = [page.locator(row).bounding_box() for row in ("#style-row", "#content-row")]
    assert tops[0] is not None and tops[1] is not None and tops[0]["y"] == tops[1]["y"]


@pytest.mark.parametrize("size", [{}, NARROW], ids=["desk", "phone"])
def test_nothing_jumps_while_a_page_is_read(visit: Open, size: dict[str, int]) -> None:
    page = visit("/", **size)
    for _ in range(4):
        page.mouse.wheel(0, 1500)
        page.wait_for_timeout(150)
        settled(page)
    assert page.evaluate(SHIFTS) < 0.01
    open_model(page, "name:atlas type:checkpoint")
    for _ in range(5):
        page.mouse.wheel(0, 900)
        page.wait_for_timeout(150)
        settled(page)
    assert page.evaluate(SHIFTS) < 0.01
