"""Every flow of the page in a real Chromium."""

import base64
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from indexer.demo import DemoReport
from indexer.domain.fields import FIELDS
from tests.web.conftest import Open, Shoot
from tests.web.settling import followed, settled

pytestmark = pytest.mark.browser

NARROW = {"width": 360, "height": 740}


def count(page: Page) -> int:
    return int(page.locator("#count").get_attribute("data-total") or 0)


def type_query(page: Page, query: str) -> None:
    page.fill("#q", query)
    settled(page)


def pictures_load(page: Page) -> None:
    page.wait_for_function(
        "[...document.querySelectorAll('.grid img')].slice(0, 4).every(i => i.complete && i.naturalWidth > 0)"
    )


def test_the_gallery_shows_the_library(visit: Open, shoot: Shoot) -> None:
    page = visit("/")
    pictures_load(page)
    assert count(page) > 40
    assert page.locator("#grid .card").count() >= 36
    assert page.locator("#grid .frame img").count() > 10
    shoot(page, "gallery-light")


def test_the_dark_gallery(visit: Open, shoot: Shoot) -> None:
    page = visit("/", dark=True)
    pictures_load(page)
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    shoot(page, "gallery-dark")
    page.click("[data-theme-toggle]")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "light"


def test_typing_searches_at_once(visit: Open, shoot: Shoot) -> None:
    page = visit("/")
    before = count(page)
    type_query(page, "harbour")
    assert 0 < count(page) < before
    assert "q=harbour" in page.url
    shoot(page, "search")
    page.reload()
    expect(page.locator("#q")).to_have_value("harbour")


def test_a_faulty_query_shows_where_and_keeps_the_answer(visit: Open, shoot: Shoot) -> None:
    page = visit("/")
    cards = page.locator("#grid .card").count()
    type_query(page, "harbour rank:abc")
    expect(page.locator("#query-fault mark")).to_have_text("abc")
    assert page.locator("#grid .card").count() == cards
    shoot(page, "fault")
    type_query(page, "harbour")
    expect(page.locator("#query-fault")).to_be_empty()


def test_one_click_includes_and_one_excludes(visit: Open, shoot: Shoot) -> None:
    page = visit("/")
    everything = count(page)
    value = page.locator("#facet-type .value").first
    title = value.locator(".value-title").inner_text()
    told = int(re.sub(r"\D", "", value.locator(".value-count").inner_text()))
    value.locator(".include").click()
    settled(page)
    expect(page.locator(".chip")).to_have_count(1)
    assert count(page) == told
    shoot(page, "filter-include")
    page.locator(".chip").click()
    settled(page)
    assert count(page) == everything
    row = page.locator("#facet-type .value", has_text=title).first
    row.hover()
    row.locator(".exclude").click()
    settled(page)
    assert count(page) == everything - told
    expect(page.locator(".chip-not")).to_have_count(1)
    shoot(page, "filter-exclude")
    page.go_back()
    expect(page.locator("#count")).to_have_attribute("data-total", str(everything))


def test_two_values_of_one_field_widen(visit: Open) -> None:
    page = visit("/")
    values = page.locator("#facet-type .value")
    told = [int(re.sub(r"\D", "", values.nth(n).locator(".value-count").inner_text())) for n in (0, 1)]
    titles = [values.nth(n).locator(".value-title").inner_text() for n in (0, 1)]
    for title in titles:
        page.locator("#facet-type .value", has_text=title).first.locator(".include").click()
        settled(page)
    assert count(page) == sum(told)
    type_query(page, "a")
    expect(page.locator(".chip")).to_have_count(2)


def test_sorting_keeps_the_filters(visit: Open) -> None:
    page = visit("/?type=lora")
    page.select_option("#sort", "name")
    settled(page)
    assert "sort=name" in page.url
    names = page.locator("#grid .card-name").all_inner_texts()
    assert names == sorted(names, key=str.casefold)
    assert "type=lora" in page.url


def test_scrolling_brings_the_rest_without_repeats(visit: Open) -> None:
    page = visit("/?sort=name")
    total = int(page.locator("#count").get_attribute("data-hits") or 0)
    while page.locator("#grid a[data-more]").count():
        page.mouse.wheel(0, 4000)
        settled(page)
    links = page.locator("#grid .card-link").evaluate_all("all => all.map(a => a.pathname)")
    assert len(links) == len(set(links)) == total


def test_the_score_says_why(visit: Open, shoot: Shoot) -> None:
    page = visit("/?q=harbour")
    card = page.locator("#grid .card").first
    card.hover()
    card.locator(".why").hover()
    expect(card.locator(".reasons")).to_be_visible()
    expect(card.locator(".reasons")).to_contain_text("Words")
    shoot(page, "why")


def test_a_model_page_tells_what_is_known(visit: Open, shoot: Shoot) -> None:
    page = visit("/?q=Vellum")
    followed(page, page.locator("#grid .card-link").first, "/model/")
    expect(page.locator("h1")).to_have_text("Vellum")
    expect(page.locator(".conflict")).to_contain_text("says SD 1.5")
    expect(page.locator(".conflict")).to_contain_text("the tensors say Stable Diffusion XL")
    expect(page.locator("#facts + .facts")).to_contain_text("Stable Diffusion XL")
    expect(page.locator(".path").first).to_contain_text("vellum_sd15.safetensors")
    expect(page.locator(".evidence").first).to_contain_text("Why we think so")
    assert page.locator(".claim").count() >= 1
    page.locator(".word").first.click()
    expect(page.locator("#toast")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "vellum"
    shoot(page, "model")


def test_rows_of_similar_models_fill(visit: Open, shoot: Shoot) -> None:
    page = visit("/?q=type:lora has:preview")
    followed(page, page.locator("#grid .card-link").first, "/model/")
    row = page.locator("[data-row*='by=style']")
    expect(row.locator(".card").first).to_be_visible()
    row.scroll_into_view_if_needed()
    shoot(page, "model-similar")
    followed(page, row.locator("h2 a"), "like=")
    expect(page.locator("#count")).to_contain_text("similar")
    page.get_by_role("link", name="Content", exact=True).click()
    settled(page)
    assert "by=content" in page.url


def demo_picture(demo_library: tuple[Path, DemoReport]) -> tuple[Path, set[str]]:
    """A preview, and the names of all models drawn in its style."""
    folder, report = demo_library
    _, alike = max(report.by_style().items(), key=lambda item: len(item[1]))
    picture = next(path for model in alike for path in model.previews)
    return folder / picture, {model.name for model in alike}


def test_a_chosen_picture_finds_its_style(
    visit: Open, shoot: Shoot, demo_library: tuple[Path, DemoReport]
) -> None:
    picture, names = demo_picture(demo_library)
    page = visit("/")
    page.click(".picture-tool")
    page.set_input_files("#picture", picture)
    expect(page.locator("#picture-bar")).to_be_visible()
    expect(page.locator("#count")).to_contain_text("similar")
    settled(page)
    assert page.locator("#grid .card-name").first.inner_text() in names
    shoot(page, "picture")
    with page.expect_request(re.compile("/fragment/similar.*by=content")):
        page.click("#picture-bar [data-by=content]")
    settled(page)
    with page.expect_request(re.compile("/fragment/similar.*type=lora")):
        page.locator("#facet-type .include", has_text="LoRA").first.click()
    settled(page)
    page.click("#picture-clear")
    expect(page.locator("#count")).to_contain_text("models")
    expect(page.locator("#picture-bar")).to_be_hidden()


def test_a_dropped_picture_finds_its_style(
    visit: Open, shoot: Shoot, demo_library: tuple[Path, DemoReport]
) -> None:
    picture, names = demo_picture(demo_library)
    page = visit("/")
    held = page.evaluate_handle(
        """([text, name]) => {
            const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0));
            const held = new DataTransfer();
            held.items.add(new File([bytes], name, { type: "image/png" }));
            return held;
        }""",
        [base64.b64encode(picture.read_bytes()).decode(), picture.name],
    )
    page.dispatch_event("#main", "dragover", {"dataTransfer": held})
    expect(page.locator("#drop")).to_be_visible()
    shoot(page, "drop")
    page.dispatch_event("#main", "drop", {"dataTransfer": held})
    expect(page.locator("#drop")).to_be_hidden()
    expect(page.locator("#picture-bar")).to_be_visible()
    expect(page.locator("#count")).to_contain_text("similar")
    settled(page)
    assert page.locator("#grid .card-name").first.inner_text() in names


def test_what_is_no_picture_is_told_so(visit: Open, tmp_path: Path) -> None:
    text = tmp_path / "text.png"
    text.write_text("no picture")
    page = visit("/")
    page.click(".picture-tool")
    page.set_input_files("#picture", text)
    expect(page.locator("#query-fault")).to_contain_text("picture")


def test_the_keyboard_is_enough(visit: Open) -> None:
    page = visit("/")
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("type:lora")
    settled(page)
    assert "q=type" in page.url
    page.keyboard.press("ArrowDown")
    links = page.locator("#grid .card-link")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("ArrowDown")
    columns = page.evaluate("getComputedStyle(grid).gridTemplateColumns.split(' ').length")
    expect(links.nth(1 + columns)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    links.nth(0).focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/model/"))


def test_help_lists_every_field(visit: Open, shoot: Shoot) -> None:
    page = visit("/")
    page.click("[data-help]")
    expect(page.locator("#help tbody tr")).to_have_count(len(FIELDS))
    shoot(page, "help")
    page.locator("#help a", has_text="type:lora").first.click()
    settled(page)
    expect(page.locator("#q")).to_have_value("type:lora")


@pytest.mark.parametrize("path", ["/", "/health", "/help", "/map", "/api/docs", "model"])
def test_nothing_is_cut_off_on_a_phone(visit: Open, shoot: Shoot, path: str) -> None:
    page = visit("/?q=type:lora has:preview" if path == "model" else path, **NARROW)
    if path == "model":
        followed(page, page.locator("#grid .card-link").first, "/model/")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    shoot(page, f"phone-{path.strip('/').replace('/', '-') or 'gallery'}")


def test_filters_open_on_a_phone(visit: Open, shoot: Shoot) -> None:
    page = visit("/", **NARROW)
    assert not page.locator(".filters-body").is_visible()
    page.click(".filters-button")
    page.locator("#facet-type .exclude").first.click()
    settled(page)
    expect(page.locator(".chip-not")).to_have_count(1)
    shoot(page, "phone-filters")


def test_health_tells_what_could_not_be_read(visit: Open, shoot: Shoot) -> None:
    page = visit("/health")
    expect(page.locator(".refused")).to_contain_text("halfDownloaded_xl.safetensors")
    shoot(page, "health")
    followed(page, page.locator(".check a", has_text="Mislabelled"), r"/\?")
    assert count(page) >= 1


def test_hidden_entries_are_counted_and_can_be_asked_for(visit: Open) -> None:
    page = visit("/")
    expect(page.locator(".notes")).to_contain_text("hidden")
    page.get_by_role("link", name=re.compile("Show only")).click()
    settled(page)
    assert count(page) >= 2
    assert page.locator(".cover-adult").count() == count(page)


def test_unrated_previews_are_blurred_until_asked_for(visit: Open) -> None:
    page = visit("/")
    frame = page.locator(".cover-unrated .frame img").first
    assert "blur" in frame.evaluate("i => getComputedStyle(i).filter")
    page.click("[data-blur-toggle]")
    assert frame.evaluate("i => getComputedStyle(i).filter") == "none"
    page.reload()
    assert frame.evaluate("i => getComputedStyle(i).filter") == "none"


def test_the_page_works_without_script(visit: Open, demo_library: tuple[Path, DemoReport]) -> None:
    page = visit("/", script=False)
    everything = int(page.locator("#count").get_attribute("data-total") or 0)
    page.click(".filters-button")
    page.locator("#facet-type .include").first.click()
    expect(page.locator(".chip")).to_have_count(1)
    assert 0 < int(page.locator("#count").get_attribute("data-total") or 0) < everything
    page.fill("#q", "harbour")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("q=harbour"))
    expect(page.locator("#q")).to_have_value("harbour")
    expect(page.locator(".chip")).to_have_count(1)
    picture, _ = demo_picture(demo_library)
    page.click(".picture-tool")
    page.set_input_files("#picture", picture)
    page.click("#picture-form button[type=submit]")
    expect(page.locator("#count")).to_contain_text("similar")


def test_layout_does_not_jump_while_pictures_load(visit: Open) -> None:
    page = visit("/")
    jumps = page.evaluate(
        """() => new Promise(done => {
            let sum = 0;
            new PerformanceObserver(list => list.getEntries().forEach(e => sum += e.value))
                .observe({ type: "layout-shift", buffered: true });
            setTimeout(() => done(sum), 300);
        })"""
    )
    assert jumps < 0.02
