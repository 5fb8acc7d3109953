"""axe-core over every page, in both themes: no serious or critical fault of access."""

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it ships no types
from playwright.sync_api import Page

from tests.web.conftest import Open
from tests.web.settling import followed
from tests.web.test_browser import NARROW, type_query

pytestmark = pytest.mark.browser

MODEL = "/?q=type:lora has:prompt has:trigger"


def faults(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:200]} {one['nodes'][0]['failureSummary'][:200]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


def open_all(page: Page) -> None:
    """Open every fold and show every button that waits for a pointer."""
    page.evaluate("document.querySelectorAll('details:not(.picture-menu)').forEach(one => one.open = true)")
    page.evaluate("document.querySelectorAll('.why, .heart, .exclude').forEach(one => one.style.opacity = 1)")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/?type=lora&tag=-sea",
        "/help",
        "/health",
        "/map",
        "/stack?base=sdxl",
        "/plan",
        "/api/docs",
        MODEL,
    ],
)
def test_every_page_is_accessible(visit: Open, path: str, dark: bool) -> None:
    page = visit(path, dark=dark)
    if path == MODEL:
        followed(page, page.locator("#grid .card-link").first, "/model/")
    open_all(page)
    assert faults(page) == []


@pytest.mark.parametrize("path", ["/", MODEL])
def test_phones_are_served_as_well(visit: Open, path: str) -> None:
    page = visit(path, **NARROW)
    if path == MODEL:
        followed(page, page.locator("#grid .card-link").first, "/model/")
    page.evaluate("document.querySelectorAll('details:not(.picture-menu)').forEach(one => one.open = true)")
    assert faults(page) == []


def test_dialogs_and_menus_are_accessible(visit: Open) -> None:
    page = visit("/")
    page.click(".picture-tool")
    assert faults(page) == []
    page.keyboard.press("Escape")
    type_query(page, "rank:abc")
    assert faults(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert faults(page) == []
