"""Pages of creators and trends, over a real Chromium."""

from playwright.sync_api import expect

from indexer.progress import Silent
from indexer.settings import Settings
from indexer.under_way import telling
from tests.web.conftest import Open, Shoot
from tests.web.settling import followed


def test_creators_lead_to_what_they_made(visit: Open, shoot: Shoot) -> None:
    page = visit("/health")
    followed(page, page.get_by_role("link", name="Creators"), "/creators")
    shoot(page, "creators")
    expect(page.get_by_role("heading", level=1)).to_have_text("Creators")
    rows = page.locator(".ranks tbody th a")
    if rows.count():
        rows.first.click()
        expect(page.locator(".card").first).to_be_visible()


def test_trends_tell_numbers_or_how_to_get_them(visit: Open, shoot: Shoot) -> None:
    page = visit("/trends?days=7", width=360, dark=True)
    shoot(page, "trends-phone")
    assert page.get_by_role("link", name="7 days").get_attribute("aria-current") == "true"
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert "pinakes" in page.locator("main").inner_text()


def test_work_under_way_is_seen_live(visit: Open, shoot: Shoot, own_home: Settings) -> None:
    page = visit("/health")
    part = page.locator("#under-way")
    assert part.is_hidden()
    with (
        telling(own_home, "Reading <b>folders</b>", Silent()) as progress,
        progress.stage("Files", "files", 40),
    ):
        part.wait_for(state="visible", timeout=60_000)
        shoot(page, "under-way")
        expect(part).to_contain_text("Reading <b>folders</b>")
        expect(part).to_contain_text("0 of 40 files")
    part.wait_for(state="hidden", timeout=60_000)
