"""The page of a plan in a real Chromium: asked for, looked on, filtered, downloaded; with and without script."""

import csv
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.web.conftest import Open, Shoot
from tests.web.settling import followed, settled

pytestmark = pytest.mark.browser

NARROW = {"width": 360, "height": 740}


def make(page: Page, to: str, query: str = "") -> None:
    page.select_option("select[name=to]", to)
    page.fill("#plan-form input[name=q]", query)
    page.get_by_role("button", name="Make the plan").click()
    page.wait_for_url(re.compile(f"to={to}"))
    expect(page.locator(".totals")).to_be_visible(timeout=120_000)
    settled(page)


def test_a_plan_is_asked_for_and_read(visit: Open, shoot: Shoot) -> None:
    page = visit("/plan", width=1280)
    shoot(page, "plan-ask")
    make(page, "flux2-klein-9b")
    expect(page.locator("h1")).to_have_text("Moving to FLUX.2 Klein 9B")
    headings = [text.split()[0] for text in page.locator(".group h2").all_inner_texts()]
    assert headings[:2] == ["Keep", "Update"]
    followed(page, page.locator(".totals a", has_text="Replace"), "replace")
    assert [text.split()[0] for text in page.locator(".group h2").all_inner_texts()] == ["Replace"]
    move = page.locator(".move").first
    assert move.locator(".pic").count() >= 2  # old and new side by side
    shoot(page, "plan")
    move.locator(".old .name a").click()
    page.wait_for_url(re.compile("/model/"))


def test_it_is_downloaded_in_three_forms(visit: Open) -> None:
    page = visit("/plan")
    make(page, "illustrious", "type:lora")
    found: dict[str, Path] = {}
    for title, ending in (("Download as a page", "html"), ("Table (CSV)", "csv"), ("JSON", "json")):
        with page.expect_download() as download:
            page.get_by_role("link", name=title).click()
        assert download.value.suggested_filename == f"plan-illustrious.{ending}"
        found[ending] = download.value.path()
    items = json.loads(found["json"].read_text("utf-8"))["items"]
    with found["csv"].open(newline="", encoding="utf-8") as table:
        assert len(list(csv.DictReader(table))) == len(items) > 10
    assert "<!doctype html>" in found["html"].read_text("utf-8")


def test_the_same_question_is_answered_at_once(visit: Open) -> None:
    page = visit("/plan")
    make(page, "flux2-klein-4b", "category:style")
    again = visit("/plan?to=flux2-klein-4b&q=category%3Astyle")
    expect(again.locator(".totals")).to_be_visible()
    other = visit("/plan?to=flux2-klein-4b&q=category%3Anothing")
    expect(other.locator("#plan-form")).to_be_visible()
    expect(other.locator("select[name=to]")).to_have_value("flux2-klein-4b")


def test_it_works_without_script(visit: Open) -> None:
    page = visit("/plan", script=False)
    page.select_option("select[name=to]", "sd3.5-medium")
    page.get_by_role("button", name="Make the plan").click()
    for _ in range(60):
        if page.locator(".totals").count():
            break
        page.wait_for_timeout(1_000)
        page.reload()
    expect(page.locator("h1")).to_contain_text("Moving to")


@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_a_phone(visit: Open, shoot: Shoot, dark: bool) -> None:
    page = visit("/plan", **NARROW, dark=dark)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    make(page, "flux2-klein-9b")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    shoot(page, f"plan-phone-{'dark' if dark else 'light'}")
