"""Nothing written in an image raises, hangs, or leaves a record that JSON cannot hold."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.parsers.generation import read_generation, record_of_civitai
from indexer.parsers.image_chunks import TextChunk
from tests.clocks import in_time
from tests.parsers.generation.graphs import basic, node, read


def codes(texts: dict[str, Any]) -> set[str]:
    return {warning.code for warning in read(texts).warnings}


def test_nan_is_told_and_the_rest_is_read() -> None:
    text = json.dumps(basic(**{"50": node("IsChanged", is_changed=float("nan"))}))
    made = read({"prompt": text})
    assert [warning.code for warning in made.warnings] == ["json_nan"]
    assert made.prompt == "a harbour"
    assert made.raw["texts"]["prompt"] == text


@pytest.mark.parametrize(
    "text", ['{"nodes": [', "[" * 100_000, "[1, 2]", "null and void", '{"nodes": 5}', "{}"]
)
def test_broken_graphs_are_told_and_kept(text: str) -> None:
    made = read({"workflow": text, "prompt": basic()})
    assert made.prompt == "a harbour"
    assert made.raw["texts"]["workflow"] == text[: 1 << 20]
    assert {warning.code for warning in made.warnings} <= {"workflow_json"}


def test_a_broken_graph_alone_is_a_record_with_a_warning() -> None:
    assert codes({"workflow": '{"nodes": ['}) == {"workflow_json"}
    assert codes({"prompt": '{"1": {"class_type": '}) == {"workflow_json"}


@pytest.mark.parametrize("digits", [str(2**64 - 1), str(2**64), "1" + "0" * 4999, "-1"], ids=len)
def test_seeds_of_any_length_are_text(digits: str) -> None:
    text = json.dumps(basic()).replace('"seed": 7', f'"seed": {digits}')
    assert read({"prompt": text}).seed == digits
    line = f"a\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: {digits}, Size: 64x64"
    assert read({"parameters": line}).seed == digits


def test_numbers_no_record_can_hold_are_left_out() -> None:
    line = f"a\nSteps: {'9' * 5000}, Sampler: Euler, CFG scale: 1e999, Seed: 1, Size: 99999999999x1"
    made = read({"parameters": line})
    assert (made.steps, made.cfg, made.width) == (None, None, None)


@pytest.mark.no_cover
def test_a_million_characters() -> None:
    text = "a harbour, " * 90_910
    line = text + "\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 1, Size: 64x64"
    made = in_time(2.5, lambda: read({"parameters": line}))
    assert len(made.prompt or "") > 999_000
    graph = basic(**{"6": node("CLIPTextEncode", text=text, clip=["4", 1])})
    assert in_time(2.5, lambda: read({"prompt": graph})).prompt == text.strip()


def test_cycles_end() -> None:
    graph = basic(
        **{
            "6": node("CLIPTextEncode", text=["30", 0], clip=["4", 1]),
            "30": node("StringConcatenate", string_a=["31", 0], string_b="x"),
            "31": node("StringConcatenate", string_a=["30", 0], string_b="y"),
            "5": node("VAEEncode", pixels=["8", 0], vae=["4", 2]),
            "7": node("ConditioningCombine", conditioning_1=["7", 0], conditioning_2=["7", 0]),
        }
    )
    graph["3"]["inputs"]["seed"] = ["40", 0]
    graph["40"] = node("Reroute", value=["40", 0])
    assert read({"prompt": graph}).steps == 20


def test_texts_that_double_at_each_node_stay_bounded() -> None:
    nodes = {
        str(n): node("StringConcatenate", string_a=[str(n + 1), 0], string_b=[str(n + 1), 0])
        for n in range(100, 160)
    }
    graph = basic(**nodes, **{"160": node("PrimitiveString", value="x" * 1000)})
    graph["6"]["inputs"]["text"] = ["100", 0]
    assert len(in_time(3, lambda: read({"prompt": graph})).prompt or "") <= 1 << 20


def test_long_chains_are_walked_without_recursion_faults() -> None:
    chain = {str(n): node("ConditioningSetArea", conditioning=[str(n + 1), 0]) for n in range(100, 9_000)}
    latents = {f"l{n}": node("LatentFlip", samples=[f"l{n + 1}", 0]) for n in range(9_000)}
    graph = basic(**chain, **latents)
    graph["3"]["inputs"] |= {"positive": ["100", 0], "latent_image": ["l0", 0]}
    read({"prompt": graph})


def test_scripts_in_titles_stay_text() -> None:
    graph = basic(**{"6": node("CLIPTextEncode", text="<script>alert(1)</script>", clip=["4", 1])})
    assert read({"prompt": graph}).prompt == "<script>alert(1)</script>"


def test_more_models_than_anybody_uses() -> None:
    made = read(
        {"parameters": "<lora:a{}:1>".join(map(str, range(3_000))) + "\nSteps: 1, Seed: 1, Size: 1x1"}
    )
    assert len(made.models) <= 1_000


IDS = st.sampled_from(["1", "2", "3", "4", "5", "6"])
LINK = st.tuples(IDS, st.integers(0, 3)).map(list)
NAMES = st.sampled_from(
    [
        "positive",
        "negative",
        "model",
        "latent_image",
        "samples",
        "images",
        "text",
        "conditioning",
        "seed",
        "steps",
        "value",
        "pipe",
        "guider",
        "sigmas",
        "switch",
        "on_true",
        "on_false",
        "select",
        "input1",
        "lora_name",
        "stage_c",
    ]
)
CLASSES = st.sampled_from(
    [
        "KSampler",
        "SaveImage",
        "CLIPTextEncode",
        "ConditioningCombine",
        "Reroute",
        "StringConcatenate",
        "SetNode",
        "GetNode",
        "PrimitiveNode",
        "ComfySwitchNode",
        "SamplerCustomAdvanced",
        "CheckpointLoaderSimple",
        "uuid",
        "",
    ]
)
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
GRAPHS = st.dictionaries(
    IDS,
    st.fixed_dictionaries(
        {"class_type": CLASSES, "inputs": st.dictionaries(NAMES, st.one_of(LINK, ANYTHING), max_size=6)}
    ),
    min_size=1,
)
NODES = st.fixed_dictionaries(
    {
        "id": IDS,
        "type": CLASSES,
        "mode": st.sampled_from([0, 2, 4, None, "x"]),
        "widgets_values": st.one_of(st.lists(ANYTHING, max_size=4), ANYTHING),
        "inputs": st.lists(
            st.fixed_dictionaries({"name": NAMES, "link": st.integers(0, 5), "type": st.just("MODEL")}),
            max_size=4,
        ),
    }
)
EDITOR_LINKS = st.lists(
    st.tuples(st.integers(0, 5), IDS, st.integers(0, 2), IDS, st.integers(0, 2), st.just("MODEL"))
)
WORKFLOWS = st.fixed_dictionaries(
    {
        "nodes": st.lists(NODES, max_size=6),
        "links": EDITOR_LINKS.map(lambda rows: [list(row) for row in rows]),
        "definitions": st.one_of(
            ANYTHING,
            st.fixed_dictionaries(
                {
                    "subgraphs": st.lists(
                        st.fixed_dictionaries(
                            {"id": st.just("uuid"), "nodes": st.lists(NODES, max_size=3), "links": ANYTHING}
                        ),
                        max_size=2,
                    )
                }
            ),
        ),
    }
)


@given(GRAPHS)
def test_any_graph_ends(graph: dict[str, Any]) -> None:
    read({"prompt": graph}, (64, 64))


@given(WORKFLOWS)
def test_any_workflow_ends(graph: dict[str, Any]) -> None:
    read({"workflow": graph})


KEYS = st.sampled_from(
    [
        "prompt",
        "Comment",
        "sui_image_params",
        "sui_models",
        "loras",
        "model",
        "c",
        "uc",
        "v2",
        "resources",
        "hashes",
        "civitaiResources",
        "seed",
        "steps",
        "cfg_scale",
        "sampler",
        "State",
        "ProjectType",
        "positive_prompt",
        "image",
        "generation_mode",
        "app_version",
        "extraMetadata",
        "meta",
        "comfy",
        "v4_prompt",
        "Source",
        "Software",
        "PositivePrompt",
        "ModelName",
        "baseModel",
        "performance",
        "styles",
        "model_weights",
        "metadata_scheme",
        "loraweights",
        "size",
    ]
)


@given(
    st.dictionaries(KEYS, ANYTHING, max_size=8),
    st.sampled_from(["parameters", "Comment", "UserComment", "prompt", "Dream", "stealth"]),
)
def test_no_object_raises(value: dict[str, Any], keyword: str) -> None:
    text = json.dumps(value)
    for made in (read_generation([TextChunk(keyword, text)]), record_of_civitai(json.loads(text))):
        if made is not None:
            made.told()


@given(
    st.dictionaries(
        st.sampled_from(["prompt", "parameters", "Dream", "Comment", "Source", "seed", "steps", "Software"]),
        st.text(max_size=40),
        max_size=6,
    )
)
def test_no_text_raises(texts: dict[str, str]) -> None:
    read_generation([TextChunk(key, text) for key, text in texts.items()])
