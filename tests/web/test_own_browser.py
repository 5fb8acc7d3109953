"""The user's own layer in a real Chromium: hearts, stars, notes, tags, seen, saved searches; with and without
the script."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.api.serving import hostile_home, serving
from tests.web.conftest import Open, Shoot
from tests.web.payloads import PAYLOADS
from tests.web.settling import followed, settled
from tests.web.test_browser import NARROW, count, type_query

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(hostile_home(tmp_path_factory.mktemp("own"), PAYLOADS[:6])) as address:
        yield address


def kept(page: Page) -> None:
    """Wait until the page says that something was kept; what it says next is something else."""
    settled(page)
    told = page.locator("#toast")
    expect(told).not_to_have_text("")
    told.evaluate("box => box.replaceChildren()")


def open_model(page: Page, query: str) -> str:
    """Open the first answer's page; answers its path."""
    type_query(page, query)
    followed(page, page.locator("#grid .card-link").first, "/model/")
    return str(page.evaluate("location.pathname"))


def test_a_heart_makes_a_favourite(visit: Open, shoot: Shoot) -> None:
    page = visit("/?type=lora&sort=name")
    card = page.locator("#grid .card").first
    name = card.locator(".card-name").inner_text()
    card.hover()
    heart = card.locator("button.heart")
    expect(heart).to_have_attribute("aria-pressed", "false")
    heart.click()
    kept(page)
    expect(heart).to_have_attribute("aria-pressed", "true")
    shoot(page, "heart")
    card.locator(".card-link").focus()
    for pressed in ("false", "true"):
        page.keyboard.press("f")
        kept(page)
        expect(heart).to_have_attribute("aria-pressed", pressed)
    page.locator(".yours .include", has_text="Favourites").click()
    settled(page)
    assert name in page.locator("#grid .card-name").all_inner_texts()
    page.locator("#grid .card", has_text=name).first.locator("button.heart").click()
    kept(page)
    page.reload()
    settled(page)
    assert name not in page.locator("#grid .card-name").all_inner_texts()


def test_a_model_is_rated_noted_and_tagged(visit: Open, shoot: Shoot) -> None:
    page = visit("/")
    path = open_model(page, "harbour type:lora")
    page.locator("#stars-0-9").check(force=True)
    kept(page)
    page.fill("#note-0", "soft light\nsecond line")
    page.locator("#marks .opinion").first.locator("button").click()
    kept(page)
    page.click("#another summary")
    page.fill("#new-purpose", "Portraits")
    page.locator("#stars-new-6").check(force=True)
    page.fill("#note-new", "faces melt")
    page.locator("#another button").click()
    kept(page)
    for tags in ("Comic, sea side", "later"):
        page.fill("#new-tag", tags)
        page.keyboard.press("Enter")
        kept(page)
    shoot(page, "own")
    expect(page.locator(".own-tag")).to_have_text(["Comic", "sea side", "later"])
    page.locator(".untag").last.click()
    kept(page)
    page.reload()
    expect(page.locator("#note-0")).to_have_value("soft light\nsecond line")
    expect(page.locator("#stars-0-9")).to_be_checked()
    expect(page.locator("#stars-1-6")).to_be_checked()
    expect(page.locator(".own-tag")).to_have_count(2)
    page.goto(page.url.replace(path, '/?q=mine:3.75 note:melt mytag:"sea side"'))
    assert count(page) == 1


def test_what_is_being_typed_survives_what_is_kept(visit: Open) -> None:
    page = visit("/")
    open_model(page, "type:checkpoint")
    page.fill("#note-0", "half a though")
    page.click("#seen-button")
    kept(page)
    expect(page.locator("#note-0")).to_have_value("half a though")


def test_what_was_opened_is_seen(visit: Open, shoot: Shoot) -> None:
    page = visit("/?is=unseen&sort=name")
    before = count(page)
    opened = page.locator("#grid .card-link").first.get_attribute("href")
    here = page.url
    followed(page, page.locator("#grid .card-link").first, "/model/")
    for _ in range(100):  # it is noted after the page was sent
        page.goto(here)
        if count(page) < before:
            break
        page.wait_for_timeout(250)
    settled(page)
    assert page.locator(f'#grid a[href="{opened}"]').count() == 0
    row = page.locator(".yours .value", has_text="Not seen yet")
    row.hover()
    shoot(page, "unseen")
    row.locator(".exclude").click()
    settled(page)
    assert page.locator(f'#grid a[href="{opened}"]').count() == 1


def test_a_search_is_saved_run_renamed_and_removed(visit: Open, shoot: Shoot) -> None:
    page = visit("/?type=lora&sort=name")
    found = count(page)
    page.fill("#save-name", "my loras")
    page.keyboard.press("Enter")
    kept(page)
    shoot(page, "saved")
    page.goto(page.url.partition("?")[0])
    settled(page)
    page.locator(".saved-link", has_text="my loras").click()
    settled(page)
    assert count(page) == found
    expect(page.locator("#sort")).to_have_value("name")
    page.locator(".saved-edit summary").click()
    page.locator(".rename input[name=name]").fill("all loras")
    page.locator(".rename button").click()
    kept(page)
    expect(page.locator(".saved-link")).to_have_text(["all loras"])
    page.locator(".saved-edit summary").click()
    page.locator(".remove button").click()
    kept(page)
    expect(page.locator(".saved-link")).to_have_count(0)


def test_all_of_it_works_without_script(visit: Open) -> None:
    page = visit("/?q=teapot", script=False)
    heart = page.locator("#grid .card").first.locator("button.heart")
    pressed = heart.get_attribute("aria-pressed")
    heart.focus()
    page.keyboard.press("Enter")
    expect(heart).to_have_attribute("aria-pressed", "false" if pressed == "true" else "true", timeout=30_000)
    assert "q=teapot" in page.url
    page.click(".filters-button")
    page.fill("#save-name", "pots")
    page.click(".save button")
    page.click(".filters-button")
    page.click(".saved-link")
    expect(page.locator("#q")).to_have_value("teapot")
    page.click(".filters-button")
    page.click(".saved-edit summary")
    page.click(".remove button")
    page.locator("#grid .card-link").first.click()
    page.fill("#note-0", "kept without script")
    page.locator("#marks .opinion").first.locator("button").click()
    page.wait_for_url(re.compile("/model/"))
    expect(page.locator("#note-0")).to_have_value("kept without script")


def test_hostile_words_of_ones_own_stay_text(visit: Open, hostile: str, shoot: Shoot) -> None:
    page = visit("/?sort=name", base=hostile)
    for payload in PAYLOADS:
        page.evaluate(
            """async (payload) => {
                const send = (method, path, body) => fetch(path, { method, body: JSON.stringify(body),
                    headers: { "Content-Type": "application/json" } });
                const first = document.querySelector("#grid .card-link").pathname.split("/").pop();
                await send("PUT", `/api/models/${first}/marks`,
                    { note: payload, purpose: payload.slice(0, 50), rating: 1, tags: [payload.slice(0, 100)] });
                await send("POST", "/api/saved", { name: payload.slice(0, 100), query: "ink" });
            }""",
            payload,
        )
    page.reload()
    expect(page.locator(".saved-row")).to_have_count(len({text[:100] for text in PAYLOADS}))
    followed(page, page.locator("#grid .card-link").first, "/model/")
    shoot(page, "hostile-own")
    assert page.locator("#marks .opinion").count() > len(PAYLOADS)
    page.fill("#new-tag", "<img src=x onerror=alert(1)>")
    page.keyboard.press("Enter")
    kept(page)
    expect(page.locator(".own-tag").last).to_have_text("<img src=x onerror=alert(1)>")


def test_own_words_fit_on_a_phone(visit: Open, shoot: Shoot) -> None:
    page = visit("/", **NARROW)
    page.click(".filters-button")
    shoot(page, "phone-yours")
    page.goto(page.url + "?q=mytag:comic")
    settled(page)
    followed(page, page.locator("#grid .card-link").first, "/model/")
    page.locator("#mine").scroll_into_view_if_needed()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    shoot(page, "phone-own")
