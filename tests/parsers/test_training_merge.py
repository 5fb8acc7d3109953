"""Merge recipes of five sorts."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.parsers.training import parse_metadata
from indexer.parsers.training_merge import read_merge

A, B, C = "a" * 64, "b" * 64, "c" * 64

GRAPH = {
    "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "xl/first.safetensors"}},
    "2": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "xl\\second.safetensors"}},
    "3": {"class_type": "ModelMergeSimple", "inputs": {"model1": ["1", 0], "model2": ["4", 0], "ratio": 0.5}},
    "4": {
        "class_type": "LoraLoader",
        "inputs": {"model": ["2", 0], "lora_name": "ink.safetensors", "strength_model": 0.7},
    },
    "5": {"class_type": "CheckpointSave", "inputs": {"model": ["3", 0], "filename_prefix": "mix"}},
    "6": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "unused.safetensors"}},
}


def merge(metadata: dict[str, Any]) -> Any:
    texts = {key: text if isinstance(text, str) else json.dumps(text) for key, text in metadata.items()}
    return parse_metadata(texts)[0].merge


def test_the_checkpoint_merger() -> None:
    found = merge(
        {
            "sd_merge_recipe": {
                "type": "webui",
                "primary_model_hash": A,
                "secondary_model_hash": B,
                "tertiary_model_hash": None,
                "interp_method": "Weighted sum",
                "multiplier": 0.3,
            },
            "sd_merge_models": {
                C: {"name": "grandparent"},
                B: {"name": "models/second.safetensors [bbbbbbbbbb]", "legacy_hash": "1234abcd"},
                A: {"name": "first.ckpt"},
            },
        }
    )
    assert found == {
        "source": "a1111",
        "method": "Weighted sum",
        "models": [
            {"name": "first", "hash": A},
            {"name": "second", "hash": B},
            {"name": "grandparent", "hash": C},
        ],
    }


def test_supermerger_names_models_by_hash() -> None:
    found = merge(
        {"sd_merge_recipe": {"type": "sd-webui-supermerger", "model_a": A, "model_b": B, "mode": "Add"}}
    )
    assert (found["method"], found["models"]) == ("Add", [{"hash": A}, {"hash": B}])


def test_mecha_recipes() -> None:
    text = 'version 0.1.0\nmodel "xl/a b.safetensors" model_config="sdxl"\nmodel "c.safetensors"\nmerge "weighted_sum" &0 &1 alpha=0.5'
    assert merge({"mecha_recipe": text}) == {
        "source": "sd-mecha",
        "method": "weighted_sum",
        "models": [{"name": "a b"}, {"name": "c"}],
    }


def test_a_queued_graph_is_followed_from_its_save_node() -> None:
    found = merge({"prompt": GRAPH})
    assert (found["source"], found["method"]) == ("comfyui", "ModelMergeSimple")
    assert {(model["name"], model["kind"]) for model in found["models"]} == {
        ("first", "checkpoint"),
        ("second", "checkpoint"),
        ("ink", "lora"),
    }
    assert next(model for model in found["models"] if model["kind"] == "lora")["weight"] == 0.7


def test_graphs_that_save_no_model_are_no_recipe() -> None:
    assert merge({"prompt": {key: node for key, node in GRAPH.items() if key != "5"}}) == {}
    assert merge({"prompt": "a cat, masterpiece"}) == {}
    looped = {"1": {"class_type": "CheckpointSave", "inputs": {"model": ["1", 0]}}}
    assert merge({"prompt": looped}) == {}


def test_the_editors_graph() -> None:
    nodes = [
        {"type": "CheckpointLoaderSimple", "widgets_values": ["a.safetensors"]},
        {"type": "ModelMergeBlocks", "widgets_values": [1]},
        {"type": "CheckpointSave", "widgets_values": ["out"]},
    ]
    found = merge({"workflow": {"nodes": nodes}})
    assert (found["method"], found["models"]) == ("ModelMergeBlocks", [{"name": "a", "kind": "checkpoint"}])


def test_modelspec_lists_parents() -> None:
    assert merge({"modelspec.merged_from": "one.safetensors, two"})["models"] == [
        {"name": "one"},
        {"name": "two"},
    ]
    assert merge({}) == {}


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from([A, "CheckpointSave", "1"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["1", "2", "class_type", "inputs", "nodes", "type", "ckpt_name", "name", "model_a", "mode", A]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(
    st.dictionaries(
        st.sampled_from(["merge_recipe", "merge_models", "graph", "editor_graph", "mecha_recipe"]),
        json_values,
    )
)
def test_no_recipe_stops_the_reader(values: dict[str, Any]) -> None:
    found = read_merge(values)
    if found:
        assert found["models"] and all(model.get("name") or model.get("hash") for model in found["models"])
        json.dumps(found)


@pytest.mark.parametrize("size", [200_000])
def test_long_recipes_are_read_in_time(size: int) -> None:
    assert read_merge({"mecha_recipe": '\nmodel "' * (size // 8)}) is not None
    assert read_merge({"mecha_recipe": "model " + '"\\' * (size // 2)}) is None
