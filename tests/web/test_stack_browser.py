"""The stack builder in a real Chromium, with and without script, by mouse and by keyboard."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from indexer.settings import Settings
from search.service import Pinakes
from tests.parsers.image_files import texts_png
from tests.search.comfy_signatures import faults_of
from tests.web.conftest import Open, Shoot
from tests.web.settling import followed, settled

pytestmark = pytest.mark.browser

NARROW = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def ids(demo_home: Settings) -> dict[str, int]:
    names = ("Atlas XL", "Pocket Pixels", "Clearwater VAE", "Quicksilver Dev", "Three Drum Riso")
    with Pinakes(demo_home) as pinakes:
        return {name: pinakes.find(name).id for name in names}


def press(page: Page, name: str) -> None:
    with page.expect_request(re.compile("/fragment/stack")):
        page.get_by_role("button", name=name, exact=True).first.click()
    settled(page)


def test_from_nothing_to_a_workflow(visit: Open, shoot: Shoot) -> None:
    page = visit("/stack", width=1280)
    shoot(page, "stack-empty")
    press(page, "Use Atlas XL as the base")
    assert "base=" in page.url
    expect(page.locator("#check-verdict")).to_have_text("The base by itself.")
    with page.expect_request(re.compile("part=offers")):
        page.fill("#stack-q", "pixels")
    settled(page)
    press(page, "Add Pocket Pixels")
    expect(page.locator("#check-verdict")).to_have_text("This stack fits together.")
    expect(page.locator(".slots .fit-pill")).to_have_text("fits")
    shoot(page, "stack")
    with page.expect_download() as download:
        page.get_by_role("link", name="ComfyUI API graph").click()
    path = download.value.path()
    assert path is not None and faults_of(json.loads(path.read_text("utf-8"))) == []
    page.get_by_role("button", name="Copy the A1111 prompt").click()
    expect(page.locator("#toast")).to_have_text("Copied")
    assert "<lora:pocketPixels_xl:0.8>" in page.evaluate("navigator.clipboard.readText()")


def test_what_does_not_fit_stands_below_with_the_reason(visit: Open, ids: dict[str, int]) -> None:
    page = visit(f"/stack?base={ids['Atlas XL']}&q=riso")
    rest = page.locator(".offer-off", has_text="Three Drum Riso").first
    expect(rest).to_contain_text("counterpart in Stable Diffusion XL")
    assert rest.get_by_role("button").count() == 0
    assert page.locator("[aria-label='What fits'] .offer-off").count() == 0


def test_a_weight_is_checked_as_it_slides(visit: Open, ids: dict[str, int]) -> None:
    lora = ids["Pocket Pixels"]
    page = visit(f"/stack?base={ids['Atlas XL']}&add={lora}")
    number, slider = page.locator(f"#weight-{lora}"), page.locator(f"#slide-{lora}")
    expect(number).to_have_attribute("placeholder", "0.8")
    expect(page.locator(f"#advice-{lora}")).to_contain_text("Pictures use 0.8")
    with page.expect_request(re.compile("part=check")):
        slider.fill("1.6")
    expect(page.locator("#stack-check .advice")).to_contain_text("is set to 1.6; pictures use it at 0.8")
    expect(number).to_have_value("1.6")
    page.wait_for_url(re.compile(f"add={lora}%3A1.6"))
    with page.expect_request(re.compile("part=check")):
        number.fill("0.75")
    expect(slider).to_have_value("0.75")
    page.wait_for_url(re.compile(f"add={lora}%3A0.75"))
    page.reload()
    expect(number).to_have_value("0.75")


def test_order_removal_and_going_back(visit: Open, ids: dict[str, int]) -> None:
    one, other = ids["Pocket Pixels"], ids["Clearwater VAE"]
    page = visit(f"/stack?base={ids['Atlas XL']}&add={one}&add={other}")
    names = page.locator(".slots .slot-name")
    press(page, "Move Clearwater VAE up")
    expect(names).to_have_text(["Clearwater VAE", "Pocket Pixels"])
    press(page, "Remove Pocket Pixels")
    expect(names).to_have_text(["Clearwater VAE"])
    expect(page.locator("#stack-list-title")).to_be_focused()
    page.go_back()
    expect(names).to_have_text(["Clearwater VAE", "Pocket Pixels"])


def test_missing_parts_are_offered_from_the_library(visit: Open, ids: dict[str, int]) -> None:
    page = visit(f"/stack?base={ids['Quicksilver Dev']}&add={ids['Three Drum Riso']}")
    needs = page.locator("#stack-check .needs")
    expect(needs).to_contain_text("t5xxl_fp8_e4m3fn")
    expect(page.locator("#stack-check .gpu")).to_contain_text("GB")
    press(page, "Add quicksilver_ae")
    expect(needs).to_contain_text("In the stack: quicksilver_ae")


def test_the_keyboard_is_enough(visit: Open) -> None:
    page = visit("/stack")
    page.locator("#stack-q").focus()
    page.keyboard.type("atlas")
    settled(page)
    expect(page.locator(".offer-name").first).to_have_text("Atlas XL")
    page.get_by_role("button", name="Use Atlas XL as the base").focus()
    with page.expect_request(re.compile("part=all")):
        page.keyboard.press("Enter")
    settled(page)
    expect(page.locator(".stack-base .slot-name")).to_have_text("Atlas XL")
    assert page.evaluate("document.activeElement !== document.body")


def test_it_works_without_script(visit: Open, ids: dict[str, int]) -> None:
    page = visit(f"/stack?base={ids['Atlas XL']}", script=False)
    page.get_by_role("button", name="Add Pocket Pixels").click()
    expect(page.locator(".slots .slot-name")).to_have_text("Pocket Pixels")
    page.locator("input[name=weight][type=number]").fill("0.5")
    page.get_by_role("button", name="Apply weights").click()
    page.wait_for_url(re.compile(f"add={ids['Pocket Pixels']}%3A0.5"))
    expect(page.locator("#check-verdict")).to_have_text("This stack fits together.")
    page.get_by_role("button", name="Change base").click()
    expect(page.locator("#stack-add-title")).to_have_text("Choose a base")


def test_links_elsewhere_go_on_with_the_last_stack(visit: Open, shoot: Shoot, ids: dict[str, int]) -> None:
    page = visit(f"/stack?base={ids['Atlas XL']}")
    page.goto(page.url.split("/stack")[0] + f"/model/{ids['Pocket Pixels']}")
    added = page.get_by_role("link", name="Add to stack", exact=True).first
    followed(page, added, f"base={ids['Atlas XL']}&add={ids['Pocket Pixels']}")
    followed(page, page.get_by_role("link", name="Start over"), "/stack$")
    page.goto(page.url.split("/stack")[0] + "/?q=Clearwater")
    settled(page)
    page.locator("#grid .card").first.hover()
    followed(page, page.locator("#grid .card-stack").first, r"/stack\?add=\d+$")


def test_a_picture_opens_as_its_stack(visit: Open, ids: dict[str, int], tmp_path: Path) -> None:
    text = "a cat <lora:pocketPixels_xl:0.6> <lora:nobody:1>\nSteps: 20, Sampler: Euler, Seed: 1, Size: 8x8, "
    picture = tmp_path / "a.png"
    picture.write_bytes(texts_png({"parameters": text + "Model: atlasXL_v1"}))
    page = visit("/stack")
    page.locator(".opener summary").click()
    page.set_input_files(".opener input", picture)
    page.wait_for_url(re.compile(f"base={ids['Atlas XL']}&add={ids['Pocket Pixels']}%3A0.6"))
    expect(page.locator("#stack-form .note")).to_contain_text("Not in the library: nobody")


def test_a_previews_record_opens_as_a_stack(visit: Open, ids: dict[str, int]) -> None:
    page = visit(f"/model/{ids['Pocket Pixels']}")
    page.locator(".record summary").first.click()
    page.get_by_role("link", name="Open as stack").first.click()
    page.wait_for_url(re.compile(rf"/stack\?base=\d+&add={ids['Pocket Pixels']}"))


@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_a_phone(visit: Open, shoot: Shoot, ids: dict[str, int], dark: bool) -> None:
    path = f"/stack?base={ids['Quicksilver Dev']}&add={ids['Three Drum Riso']}&add={ids['Pocket Pixels']}"
    page = visit(path, **NARROW, dark=dark)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    check, search = page.locator("#stack-check"), page.locator(".stack-search")
    assert check.bounding_box()["y"] < search.bounding_box()["y"]  # type: ignore[index]  # both are shown
    shoot(page, f"stack-phone-{'dark' if dark else 'light'}")
