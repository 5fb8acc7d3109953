"""The filter panel's ranges over a real Chromium: steps, boxes, exclusion, keys."""

from playwright.sync_api import expect

from tests.web.conftest import Open, Shoot
from tests.web.settling import settled
from tests.web.test_browser import type_query


def test_bounds_are_typed(visit: Open, shoot: Shoot) -> None:
    page = visit("/?type=lora")
    page.locator("#facet-rank > summary").click()
    page.get_by_label("from Rank").fill("8")
    page.get_by_label("to Rank").fill("64")
    page.get_by_label("to Rank").press("Enter")
    chip = page.locator(".chip", has_text="8 to 64")
    expect(chip).to_be_visible()
    settled(page)
    expect(page.locator("#facet-rank")).to_have_attribute("open", "")
    expect(page.get_by_label("from Rank")).to_have_value("8")
    expect(page.locator(".chip", has_text="LoRA")).to_be_visible()
    shoot(page, "panel-ranges")
    type_query(page, "a")
    expect(chip).to_be_visible()
    chip.click()
    expect(chip).to_have_count(0)


def test_steps_are_taken_and_refused_by_keys(visit: Open) -> None:
    page = visit("/")
    every = int(page.locator("#count").get_attribute("data-hits") or 0)
    page.locator("#facet-created > summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Only Created Last 7 days")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".chip-not", has_text="Last 7 days")).to_be_visible()
    settled(page)
    left = int(page.locator("#count").get_attribute("data-hits") or 0)
    assert left <= every
    page.get_by_label("Remove: not Created Last 7 days").click()
    expect(page.locator(".chip-not")).to_have_count(0)


def test_the_panel_works_without_script_and_on_a_phone(visit: Open, shoot: Shoot) -> None:
    page = visit("/?size_min=1&size_max=900", width=360, dark=True)
    expect(page.locator(".chip", has_text="1MB to 900MB")).to_be_visible()
    page.locator(".filters-button").click()
    page.locator("#facet-size").scroll_into_view_if_needed()
    shoot(page, "panel-phone")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
