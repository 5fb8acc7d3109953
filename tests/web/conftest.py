"""A real Chromium over a real server. Any error in its console or request to elsewhere fails the test."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from indexer.settings import Settings
from tests.api.serving import serving
from tests.web.settling import COUNTING, settled

PATIENCE = 60_000
"""Milliseconds: a page that is slow on a machine with other work is no fault."""
expect.set_options(timeout=PATIENCE)

CHROMIUM = os.environ.get("PINAKES_TEST_CHROMIUM", "/usr/bin/chromium")
SCREENSHOTS = os.environ.get("PINAKES_SCREENSHOTS")  # read early: tests run without settings of ours
ARGUMENTS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]

Shoot = Callable[[Page, str], None]
Open = Callable[..., Page]


@pytest.fixture(scope="session")
def own_home(demo_home: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The demo library in a home of its own: who opens a page leaves marks in it."""
    home = tmp_path_factory.mktemp("web") / "home"
    shutil.copytree(demo_home.home, home)
    return Settings(home=home, decode_workers=2)


@pytest.fixture(scope="session")
def address(own_home: Settings) -> Iterator[str]:
    with serving(own_home) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip("no Chromium here: install it, or name it in PINAKES_TEST_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


class Watch:
    """What a page did that it must not do."""

    def __init__(self, page: Page, origin: str) -> None:
        self.faults: list[str] = []
        self.origin = urlsplit(origin).netloc
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("request", self._request)
        page.on("dialog", lambda dialog: self.faults.append(f"dialog: {dialog.message}"))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        place = urlsplit(request.url)
        if place.scheme not in ("data", "blob") and place.netloc != self.origin:
            self.faults.append(f"request: {request.url}")


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Open]:
    """Open a path in a fresh profile; ``width``, ``height``, ``dark``, ``script`` and ``base`` may differ."""
    opened: list[tuple[Page, Watch]] = []

    def go(
        path: str = "/",
        *,
        width: int = 1360,
        height: int = 900,
        dark: bool = False,
        script: bool = True,
        base: str = address,
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
            reduced_motion="reduce",
        )
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.add_init_script(COUNTING)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        opened.append((page, Watch(page, base)))
        page.goto(base + path)
        if script:
            settled(page)
        return page

    yield go
    for page, watch in opened:
        page.context.close()
        assert watch.faults == []


@pytest.fixture
def shoot() -> Shoot:
    """Keep a screenshot in the folder that PINAKES_SCREENSHOTS names; none is taken where it names none."""

    def take(page: Page, name: str) -> None:
        if SCREENSHOTS:
            page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png")

    return take
