"""What a model's page says of what it works with."""

from collections.abc import Iterator

import pytest

from indexer.domain.vocabulary import architecture_path
from indexer.settings import Settings
from search.service import Pinakes
from search.web.works_with import works_with, works_with_row


@pytest.fixture(scope="module")
def library(demo_home: Settings) -> Iterator[Pinakes]:
    with Pinakes(demo_home) as pinakes:
        yield pinakes


@pytest.mark.parametrize(("name", "root"), [("Atlas XL", "sdxl"), ("Lumen Painter", "sd1")])
def test_a_base_shows_what_loads_on_it(library: Pinakes, name: str, root: str) -> None:
    shown = works_with_row(library, library.find(name).id)["cards"]
    assert len(shown) > 3
    for card in shown:
        assert architecture_path(card.document.architecture or "")[0] == root
        assert card.document.kind not in ("checkpoint", "diffusion_model")


def test_an_adapter_shows_bases(library: Pinakes) -> None:
    shown = works_with_row(library, library.find("Every Teapot").id)["cards"]
    assert {card.document.name for card in shown} >= {"Atlas XL", "Aurora Ink"}
    assert {card.document.architecture for card in shown} == {"sdxl"}


def test_what_goes_with_everything_shows_no_row(library: Pinakes) -> None:
    upscaler = library.find("4x_grainKeeper")
    assert works_with(upscaler) is None
    assert works_with_row(library, upscaler.id)["cards"] == []
    assert works_with_row(library, 999_999)["cards"] == []


def test_the_row_leads_to_the_whole(library: Pinakes) -> None:
    entry = library.find("Atlas XL")
    asked = works_with(entry)
    assert asked is not None and asked.url.startswith("/?fits=sdxl&type=lora")
    assert library.search(asked.query).total >= len(works_with_row(library, entry.id)["cards"])
