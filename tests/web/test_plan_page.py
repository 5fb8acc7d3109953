"""The report of a plan in a real browser: one file, on a phone and on a desk, in both themes."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from indexer.settings import Settings
from search.plan_make import PlanRequest, make_plan
from search.service import Pinakes
from search.web.plan import write_plan


@pytest.fixture(scope="module")
def report(demo_home: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plan") / "plan.html"
    with Pinakes(demo_home) as pinakes:
        write_plan(pinakes, make_plan(pinakes, PlanRequest("flux2-klein-9b")), path)
    return path


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1280, "dark")])
def test_it_asks_for_nothing_and_fits(browser: Browser, report: Path, width: int, scheme: str) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme=scheme,  # type: ignore[arg-type]  # parametrized over its literals
    )
    page, asked, faults = context.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: faults.append(message.text))
    page.goto(report.as_uri())
    assert [url for url in asked if not url.startswith("data:")] == [report.as_uri()]
    assert faults == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    headings = page.locator("h2").all_inner_texts()
    assert [text.split()[0] for text in headings] == ["Keep", "Update", "Replace", "Retrain"]
    covered = page.locator(".pic.unrated").first
    shown = "getComputedStyle(arguments[0], '::after').display"
    before = covered.evaluate(f"(node) => {shown.replace('arguments[0]', 'node')}")
    page.check("#reveal")
    after = covered.evaluate(f"(node) => {shown.replace('arguments[0]', 'node')}")
    assert (before, after) == ("grid", "none")
    context.close()
