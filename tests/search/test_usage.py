"""How pictures use a model, as the terminal, the API and the page show it: strangers' names stay text."""

import io
from pathlib import Path

import httpx
import pytest
from rich.console import Console as RichConsole

from indexer.console import Console
from indexer.importing import import_dumps
from indexer.progress import Silent
from indexer.settings import Settings
from search.service import Pinakes
from search.terminal import show_details
from search.terminal_usage import weight_told
from tests.api.serving import serving
from tests.parsers.civitai_items import item, version
from tests.stages.test_generation import dumped

EVIL = "<script>alert(1)</script>\x1b[2J\u202eevil"


@pytest.fixture
def library(settings: Settings, tmp_path: Path) -> Settings:
    """Three pictures use model 3 at 0.6, 0.7 and 0.8, beside a checkpoint that is known and one that is not."""
    image = version()["images"][0]
    shown = [
        image
        | {
            "url": f"https://image.civitai.com/x/{place}.jpeg",
            "meta": {
                "prompt": "inkwash",
                "sampler": EVIL,
                "resources": [{"type": "model", "name": EVIL}],
                "civitaiResources": [
                    {"type": "lora", "modelVersionId": 7, "weight": weight},
                    {"type": "checkpoint", "modelVersionId": 9},
                ],
            },
        }
        for place, weight in enumerate((0.6, 0.7, 0.8))
    ]
    lora = item(3, modelVersions=[version(7, images=shown)])
    base = item(4, name="Harbour Base", type="Checkpoint", modelVersions=[version(9, images=[], files=[])])
    import_dumps([dumped(tmp_path / "d", lora, base)], settings, Silent())
    return settings


def test_the_terminal_tells_weights_and_partners(library: Settings) -> None:
    console, out = Console(), io.StringIO()
    console.out = RichConsole(file=out, width=200)
    with Pinakes(library) as pinakes:
        details = pinakes.show(pinakes.find("Ink Wash").id)
    assert details is not None
    show_details(console, details.to_json())
    said = out.getvalue()
    assert "Use in 3 pictures" in said and "Harbour Base" in said
    assert "0.7 (0.62 to 0.78)" in said and "inkwash 100%" in said
    assert "\x1b" not in said and "\u202e" not in said


def test_the_api_and_the_page_tell_them_too(library: Settings) -> None:
    with Pinakes(library) as pinakes:
        id_, base = pinakes.find("Ink Wash").id, pinakes.find("Harbour Base").id
    with serving(library) as address:
        usage = httpx.get(f"{address}/api/models/{id_}", timeout=60, trust_env=False).json()["usage"]
        page = httpx.get(f"{address}/model/{id_}", timeout=60, trust_env=False).text
        empty = httpx.get(f"{address}/model/{base}", timeout=60, trust_env=False).text
    assert usage["weight"] == {"median": 0.7, "low": 0.62, "high": 0.78, "records": 3}
    assert usage["together"][0]["name"] == "Harbour Base"
    assert "Used with" in page and f'href="/model/{base}"' in page
    assert "<script>alert" not in page and "\x1b" not in page and "\u202e" not in page
    assert "Ink Wash" in empty, "a checkpoint shows its LoRAs"


def test_weights_in_words() -> None:
    assert weight_told(None) == ""
    assert weight_told({"median": 0.8, "low": 0.8, "high": 0.8}) == "0.8"
    assert weight_told({"median": 0.8, "low": 0.5, "high": 1.0}) == "0.8 (0.5 to 1)"
