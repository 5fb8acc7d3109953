"""Search by picture in a real Chromium: chosen, pasted and dropped; the picture's own record is read too."""

import base64
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import Page, expect

from tests.web.conftest import Open, Shoot
from tests.web.payloads import PAYLOADS
from tests.web.settling import settled

pytestmark = pytest.mark.browser

PROMPT = "a knight before a castle, <lora:pocketPixels_xl:0.7> <lora:nobodyHasThis:0.5>"
SETTINGS = (
    "Negative prompt: blurry\nSteps: 24, Sampler: Euler a, CFG scale: 6.5, Seed: 7, Size: 64x64, "
    'Model hash: 0123456789, Model: atlasXL_v1, Lora hashes: "nobodyHasThis: fedcba9876ab", Version: f2.0.1v1.10.1'
)


def picture(path: Path, text: str) -> Path:
    info = PngInfo()
    info.add_text("parameters", text)
    Image.effect_noise((64, 64), 80).convert("RGB").save(path, pnginfo=info)
    return path


def choose(page: Page, path: Path) -> None:
    page.click(".picture-tool")
    page.set_input_files("#picture", path)
    settled(page)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    return picture(tmp_path / "made.png", f"{PROMPT}\n{SETTINGS}")


def test_a_picture_says_what_it_was_made_with(visit: Open, shoot: Shoot, made: Path) -> None:
    page = visit("/")
    choose(page, made)
    told = page.locator(".made-with")
    expect(told.locator("h2")).to_contain_text("Made with")
    expect(told.locator("h2")).to_contain_text("you have 2 of 3 models")
    shoot(page, "made-with")
    expect(told.locator(".lack")).to_contain_text("nobodyHasThis")
    expect(told.locator(".lack .hash")).to_have_text("fedcba9876ab")
    told.get_by_label("Copy the prompt").click()
    expect(page.locator("#toast")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == PROMPT
    told.locator("a", has_text="Atlas XL").click()
    expect(page.locator("h1")).to_have_text("Atlas XL")


def test_a_pasted_picture_is_looked_for(visit: Open, made: Path) -> None:
    page = visit("/")
    page.evaluate(
        """(text) => {
            const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0));
            const held = new DataTransfer();
            held.items.add(new File([bytes], "pasted.png", { type: "image/png" }));
            document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: held, bubbles: true }));
        }""",
        base64.b64encode(made.read_bytes()).decode(),
    )
    expect(page.locator("#picture-bar")).to_be_visible()
    expect(page.locator(".made-with")).to_contain_text("you have 2 of 3 models")
    page.click("#picture-clear")
    expect(page.locator(".made-with")).to_have_count(0)


def test_a_picture_that_says_nothing_is_looked_at_alone(visit: Open, tmp_path: Path) -> None:
    path = tmp_path / "silent.png"
    Image.new("RGB", (64, 64), (200, 30, 30)).save(path)
    page = visit("/")
    choose(page, path)
    expect(page.locator("#picture-bar")).to_be_visible()
    expect(page.locator(".made-with")).to_have_count(0)


def test_hostile_records_stay_text(visit: Open, tmp_path: Path) -> None:
    page = visit("/")
    text = " ".join(PAYLOADS)
    choose(
        page,
        picture(tmp_path / "evil.png", f"{text}\nSteps: 1, Model: {PAYLOADS[1]}, Model hash: 0123456789"),
    )
    expect(page.locator(".made-with")).to_contain_text("alert(1)")
    assert page.evaluate("document.querySelectorAll('.made-with img, .made-with script').length") == 0


def test_it_works_without_script(visit: Open, made: Path) -> None:
    page = visit("/", script=False)
    page.click(".picture-tool")
    page.set_input_files("#picture", made)
    page.click("#picture-form button[type=submit]")
    expect(page.locator(".made-with")).to_contain_text("you have 2 of 3 models")
