"""A model is found by what people paste: addresses, AIRs, hashes of any kind. On both databases."""

from pathlib import Path

import pytest

from indexer.catalog.database import open_catalog
from indexer.errors import UsageError
from indexer.finding import find_meant
from indexer.indexes.text_tantivy import TantivyIndex
from indexer.pipeline import index_folders
from indexer.progress import Silent
from indexer.settings import Settings
from tests.models import write_library

PAGE = "https://civitai.com/models/7/ink"


@pytest.fixture
def library(tmp_path: Path, both: Settings) -> Settings:
    folder = write_library(tmp_path / "models", 3, pictures=False)
    for number, version in ((0, 70), (1, 71)):
        sidecar = f'{{"id": {version}, "modelId": 7, "model": {{"name": "Ink {number}"}}}}'
        stem = folder / "loras" / f"set{number}" / f"model00{number}"
        stem.with_suffix(".civitai.info").write_text(sidecar)
    index_folders([folder], both, Silent())
    return both


@pytest.mark.parametrize(
    "what",
    [
        f"{PAGE}?modelVersionId=70",
        "civitai.red/models/7?modelVersionId=70",
        "https://civitai.com/api/download/models/70",
        "urn:air:sdxl:lora:civitai:7@70",
        "D:\\elsewhere\\model000.safetensors",
    ],
)
def test_one_version_is_meant(library: Settings, what: str) -> None:
    catalog = open_catalog(library)
    assert find_meant(catalog, TantivyIndex(library.text_folder), what).document.name == "Ink 0"
    catalog.close()


def test_a_model_of_several_versions_is_asked_back(library: Settings) -> None:
    catalog = open_catalog(library)
    index = TantivyIndex(library.text_folder)
    with pytest.raises(UsageError, match=r"several models: .*Ink 0") as told:
        find_meant(catalog, index, PAGE)
    assert told.value.code == "ambiguous"
    with pytest.raises(UsageError) as told:
        find_meant(catalog, index, "https://civitai.com/models/8")
    assert told.value.code == "unknown_model"
    catalog.close()
