"""Relatives of a model: merges, circles, what the library lacks; by a real index over real files."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from indexer.pipeline import index_folders
from indexer.progress import Silent
from indexer.settings import Settings
from search.lineage import Kin, trace_lineage
from search.service import Pinakes
from tests.api.serving import serving
from tests.models import write_safetensors

A, B = "a" * 64, "b" * 64


def adapter(folder: Path, name: str, rank: int = 4, **metadata: str) -> None:
    tensors = {
        "lora_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_q.lora_down.weight": [rank, 320],
        "lora_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_q.lora_up.weight": [320, rank],
    }
    write_safetensors(folder / f"{name}.safetensors", tensors, metadata=metadata)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("kin") / "models"
    recipe = f'{{"{A}": {{"name": "grandmother.safetensors"}}, "{B}": {{"name": "great aunt.ckpt"}}}}'
    adapter(folder, "grandmother", 3)
    adapter(folder, "mother", 4, sd_merge_models=recipe)
    adapter(folder, "daughter", 5, **{"modelspec.merged_from": "mother"})
    adapter(folder, "egg", 6, **{"modelspec.merged_from": "hen"})
    adapter(folder, "hen", 7, **{"modelspec.merged_from": "egg"})
    adapter(folder, "orphan", 8)
    adapter(folder, "pupil", 9, ss_sd_model_name="school.safetensors", ss_sd_model_hash="01234567")
    home = tmp_path_factory.mktemp("kin-home")
    index_folders([folder], Settings(home=home, decode_workers=1), Silent())
    return Settings(home=home, decode_workers=1)


@pytest.fixture(scope="module")
def library(settings: Settings) -> Iterator[Pinakes]:
    with Pinakes(settings) as pinakes:
        yield pinakes


def names(kin: list[Kin]) -> dict[str, object]:
    return {one.name: names(one.kin) for one in kin}


def test_a_family(library: Pinakes) -> None:
    found = trace_lineage(library, "mother")
    assert names(list(found.ancestors)) == {"grandmother": {}, "great aunt": {}}
    assert names(list(found.descendants)) == {"daughter": {}}
    known, lost = found.ancestors
    assert (known.id is not None, known.relation, known.source) == (True, "merged_from", "header:merger")
    assert (lost.id, lost.hash) == (None, B)
    assert names(list(trace_lineage(library, "daughter").ancestors)) == {
        "mother": {"grandmother": {}, "great aunt": {}}
    }
    assert names(list(trace_lineage(library, "grandmother", depth=1).descendants)) == {"mother": {}}
    assert names(list(trace_lineage(library, "grandmother").descendants)) == {"mother": {"daughter": {}}}


def test_circles_end(library: Pinakes) -> None:
    found = trace_lineage(library, "hen", depth=6)
    (egg,) = found.ancestors
    assert [(one.name, one.again) for one in egg.kin] == [("hen", True)]


def test_what_the_library_lacks_is_named_by_what_is_known(library: Pinakes) -> None:
    (school,) = trace_lineage(library, "pupil").ancestors
    assert (school.name, school.id, school.hash) == ("school.safetensors", None, "01234567")
    assert "says header:kohya" in school.told


def test_nothing_is_told_of_an_orphan(library: Pinakes) -> None:
    found = trace_lineage(library, "orphan")
    assert not found.ancestors and not found.descendants and not found.siblings


def test_the_api_answers_the_same(settings: Settings, library: Pinakes) -> None:
    entry = library.find("mother")
    with serving(settings) as address, httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
        answer = client.get(f"/api/models/{entry.id}/lineage")
        assert answer.json() == trace_lineage(library, entry.id).to_json()
        assert client.get("/api/models/999999/lineage").status_code == 404
        assert client.get(f"/api/models/{entry.id}/lineage?depth=7").status_code == 400
