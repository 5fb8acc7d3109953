"""The page of the library's health and what a model's page tells of decisions, without a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.catalog.crawls import open_crawl, pause_crawl
from indexer.overriding import change_overrides
from indexer.pipeline import index_folders
from indexer.progress import Silent
from indexer.settings import Settings
from indexer.under_way import telling
from search.service import Pinakes
from search.web.health import health_view
from search.web.model import model_view
from search.web.templating import render
from tests.models import write_safetensors

WRONG = {
    "ss_base_model_version": "sd_v1",
    "ss_network_module": "networks.lora",
    "ss_output_name": "Odd <b>one</b>",
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("library")
    write_safetensors(folder / "models" / "checkpoints" / "odd.safetensors", metadata=WRONG)
    write_safetensors(
        folder / "models" / "loras" / "fine.safetensors", metadata={"ss_num_train_images": "40"}
    )
    settings = Settings(home=folder / "home", decode_workers=1)
    index_folders([folder / "models"], settings, Silent())
    return settings


@pytest.fixture
def pinakes(settings: Settings) -> Iterator[Pinakes]:
    with Pinakes(settings) as opened:
        yield opened


def test_what_is_mislabelled_is_told_with_a_way_to_it(pinakes: Pinakes) -> None:
    text = render("health.html", **health_view(pinakes))
    section = text.split('id="mislabelled"')[1].split('id="refused"')[0]
    (item,) = pinakes.mislabelled().items
    assert f'href="/model/{item["id"]}"' in section
    assert "Odd &lt;b&gt;one&lt;/b&gt;" in section, "text of strangers is escaped"
    assert "sd_v1" in section and "folder:checkpoints" in section
    assert "fine.safetensors" not in section


def test_an_empty_library_has_nothing_to_tell(tmp_path: Path) -> None:
    with Pinakes(Settings(home=tmp_path)) as opened:
        assert "No claim contradicts" in render("health.html", **health_view(opened))


def test_a_models_page_tells_training_and_a_persons_word(settings: Settings, pinakes: Pinakes) -> None:
    id_ = pinakes.find("fine").id
    change_overrides(str(id_), settings, Silent(), {"category": "style", "kind": "vae"})
    view = model_view(pinakes, id_)
    assert view is not None
    text = render("model.html", **view)
    assert "Your word</strong>: kind <bdi>vae" in text
    assert "found: <bdi>lora" in text
    assert "train images" in text and "<bdi>40</bdi>" in text


def test_hubs_newer_versions_and_work_are_told(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    question = {"query": "<ink>", "sort": "Newest"}
    with Pinakes(settings) as opened, telling(settings, "Indexing folders", Silent()) as progress:
        with opened.catalog.write() as session:
            crawl = open_crawl(session, "civitai", "https://hub.example", question, afresh=False)
            pause_crawl(session, crawl.id, "failed", "http_500", "The hub is broken.")
        with progress.stage("Files", "files", 12) as stage:
            stage.advance(3)
            text = render("health.html", **health_view(opened))
    assert "query=&lt;ink&gt;" in text and "The hub is broken." in text
    assert "Indexing folders" in text and 'max="12"' in text
