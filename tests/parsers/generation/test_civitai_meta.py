"""The ``meta`` of images in Civitai's API, old and new."""

import json

import pytest

from indexer.domain.generation import UsedModel
from indexer.parsers.generation import record_of_civitai
from tests.parsers.generation.graphs import basic

META = {
    "prompt": "a harbour <lora:ink:0.6>",
    "negativePrompt": "fog",
    "seed": 7,
    "steps": 20,
    "sampler": "Euler a",
    "cfgScale": 7.5,
    "Size": "512x768",
    "Model": "base",
    "Model hash": "e96852ac4a",
    "Clip skip": "2",
    "hashes": {"model": "e96852ac4a", "lora:ink": "0123456789"},
    "resources": [
        {"name": "base", "type": "model", "hash": "e96852ac4a"},
        {"name": "ink", "type": "lora", "weight": 0.6},
    ],
}


@pytest.mark.parametrize("meta", [META, {"id": 5, "meta": META}])
def test_both_shapes(meta: dict[str, object]) -> None:
    made = record_of_civitai(meta)
    assert made is not None
    assert (made.prompt, made.negative_prompt) == ("a harbour <lora:ink:0.6>", "fog")
    assert (made.seed, made.steps, made.sampler, made.cfg) == ("7", 20, "Euler a", 7.5)
    assert (made.width, made.height) == (512, 768)
    assert set(made.models) == {
        UsedModel("checkpoint", "base", "e96852ac4a"),
        UsedModel("lora", "ink", "0123456789", None, 0.6),
    }
    assert made.raw == {"settings": {"Clip skip": "2"}}


def test_numbers_of_versions() -> None:
    resources = [
        {"type": "checkpoint", "modelVersionId": 11},
        {"type": "lora", "weight": 0.8, "modelVersionId": 12},
    ]
    made = record_of_civitai(
        {"prompt": "a", "seed": 7, "civitaiResources": resources, "baseModel": "SDXL 1.0"}
    )
    assert made is not None
    assert made.generator == "civitai"
    assert set(made.models) == {
        UsedModel("checkpoint", None, None, "11"),
        UsedModel("lora", None, None, "12", 0.8),
    }


def test_a_graph_within() -> None:
    made = record_of_civitai({"comfy": json.dumps({"prompt": basic(), "workflow": {}})})
    assert made is not None
    assert (made.prompt, made.seed) == ("a harbour", "7")


def test_a_control_unit_cut_at_its_commas() -> None:
    meta = META | {'"preprocessor': "canny", "model": "control_canny [ebff9138]", "weight": "1"}
    made = record_of_civitai(meta)
    assert made is not None
    assert UsedModel("controlnet", "control_canny", "ebff9138", None, 1.0) in made.models


@pytest.mark.parametrize("meta", [None, {}, [], "text", 5, {"id": 5}, {"meta": None}])
def test_nothing_told(meta: object) -> None:
    assert record_of_civitai(meta) is None
