"""Stacks as graphs and texts: every link fits, and our own readers find again what went in. No catalog."""

import json
import tomllib
from dataclasses import replace
from importlib import resources
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.domain.generation import GenerationRecord, UsedModel, model_stem
from indexer.domain.vocabulary import architecture_path, architectures
from indexer.parsers.generation import read_generation
from indexer.parsers.image_chunks import TextChunk
from search.stack_comfyui import comfyui_prompt, comfyui_workflow
from search.stack_infotext import infotext, stem_of
from search.stack_recipe import Ingredient, Recipe, Settings, called_by, prompts_of, settings_of
from search.stack_table import draw_row, node_row, refusal, sampler_id, sampler_name, shipped_part
from tests.search.comfy_signatures import NODES, faults_of

TABLE = tomllib.loads((resources.files("search.data") / "stack_export.toml").read_text("utf-8"))
DRAWN = [id_ for row in TABLE["architecture"] for id_ in row["ids"]]

LOOKING = ("flux_redux", "ip_adapter")
"""Kinds that look at a picture through an image encoder."""

NAME = st.text("abcXYZ019_-. ()é日", min_size=1, max_size=20).map(str.strip).filter(bool)
FOLDER = st.sampled_from(["", "style/", "a b/c.d/"])
WEIGHT = st.floats(-2, 2).map(lambda weight: round(weight, 2))
WORD = st.text("abc xyz_", min_size=1, max_size=15).map(str.strip).filter(bool)


@st.composite
def ingredients(draw: st.DrawFn, kind: str) -> Ingredient:
    name = draw(NAME)
    return Ingredient(
        name,
        kind,
        f"{draw(FOLDER)}{name}x.safetensors",
        weight=draw(WEIGHT),
        triggers=tuple(draw(st.lists(WORD, max_size=3))),
        encoders=draw(st.booleans()),
    )


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    architecture = draw(st.sampled_from(DRAWN))
    row = draw_row(architecture_path(architecture))
    assert row is not None
    bare = bool(row.clip) and draw(st.booleans())
    ending = draw(st.sampled_from([".safetensors", ".gguf"])) if bare else ".safetensors"
    base = Ingredient("Base", "diffusion_model" if bare else "checkpoint", f"sub/base one{ending}")
    count = draw(st.integers(1, 2 if row.clip in ("sdxl", "flux", "hunyuan_video") else 1)) if bare else 0
    if row.clip in ("sdxl", "flux", "hunyuan_video") and bare:
        count = 2
    kinds = draw(
        st.lists(
            st.sampled_from(["lora", "lora", "controlnet", "upscaler", "hypernetwork", *LOOKING]), max_size=5
        )
    )
    drawn = [draw(ingredients(kind)) for kind in kinds]
    drawn += [draw(ingredients("motion_module"))] if draw(st.booleans()) else []
    tower = Ingredient("eye", "clip_vision", "eyes/eye.safetensors")
    drawn = [replace(one, tower=tower) if one.kind in LOOKING else one for one in drawn]
    addons = {model_stem(one.file or ""): one for one in drawn}  # readers know a model by its stem
    vae = Ingredient("own", "vae", "vaes/own.safetensors") if bare or draw(st.booleans()) else None
    positive, negative = prompts_of(addons.values())
    return Recipe(
        base,
        architecture,
        tuple(addons.values()),
        tuple(Ingredient(f"te{n}", "text_encoder", f"te{n}.safetensors") for n in range(count)),
        vae,
        row.clip,
        row.latent,
        settings_of(row, {}),
        positive,
        negative,
        tuple(draw(st.lists(WORD, max_size=1))),
        row.unclip and not bare,
    )


def read(name: str, text: str) -> GenerationRecord:
    found = read_generation([TextChunk(name, text)], None)
    assert found is not None
    return found


def loaded(record: GenerationRecord) -> dict[str, UsedModel]:
    return {model.name or "": model for model in record.models}


def assert_same(record: GenerationRecord, recipe: Recipe) -> None:
    """The same models at the same weights, words and settings."""
    models, settings = loaded(record), recipe.settings
    beside = (*recipe.encoders, *([recipe.vae] if recipe.vae else []))
    towers = [one.tower for one in recipe.addons if one.tower]
    wanted = {one.file: one for one in (recipe.base, *recipe.addons, *beside, *towers)}
    assert models.keys() == wanted.keys()
    for file, one in wanted.items():
        assert models[file or ""].kind == one.kind
        if one.kind in ("lora", "hypernetwork"):
            assert models[file or ""].weight == one.weight
    told = (record.steps, record.cfg, record.sampler, record.scheduler, record.width, record.height)
    assert told == (
        *(settings.steps, settings.cfg, settings.sampler, settings.scheduler),
        *(settings.width, settings.height),
    )
    assert (record.prompt or "", record.negative_prompt or "") == (recipe.positive, recipe.negative)


@settings(max_examples=60)
@given(recipes())
def test_every_link_fits_and_the_graph_reads_back(recipe: Recipe) -> None:
    prompt = comfyui_prompt(recipe)
    assert faults_of(prompt) == []
    assert_same(read("prompt", json.dumps(prompt)), recipe)


@settings(max_examples=60)
@given(recipes())
def test_the_editors_file_reads_back_and_is_whole(recipe: Recipe) -> None:
    workflow = comfyui_workflow(recipe)
    nodes = {node["id"]: node for node in workflow["nodes"]}
    for number, source, slot, target, place, type_ in workflow["links"]:
        assert nodes[source]["outputs"][slot]["type"] == type_ == nodes[target]["inputs"][place]["type"]
        assert number in nodes[source]["outputs"][slot]["links"]
        assert nodes[target]["inputs"][place]["link"] == number
    notes = [node for node in nodes.values() if node["type"] == "Note"]
    assert len(notes) == bool(recipe.notes)
    assert_same(read("workflow", json.dumps(workflow)), recipe)


@settings(max_examples=60)
@given(recipes())
def test_no_two_nodes_lie_on_each_other(recipe: Recipe) -> None:
    boxes = [(*node["pos"], *node["size"]) for node in comfyui_workflow(recipe)["nodes"]]
    for place, (x, y, wide, high) in enumerate(boxes):
        for left, top, width, height in boxes[place + 1 :]:
            assert x + wide <= left or left + width <= x or y + high <= top or top + height <= y


@settings(max_examples=60)
@given(recipes())
def test_the_text_reads_back(recipe: Recipe) -> None:
    text = infotext(recipe)
    found = read("parameters", text)
    tagged = [one for one in recipe.addons if one.kind in ("lora", "hypernetwork")]
    models = {model.name: model for model in found.models}
    for one in tagged:
        stem = stem_of(one.file or "")
        assert f":{stem}:{one.weight:g}>" in text
        assert models[stem].weight == pytest.approx(float(f"{one.weight:g}"))
    settings = recipe.settings
    assert (found.steps, found.cfg) == (settings.steps, settings.cfg)
    assert (found.width, found.height) == (settings.width, settings.height)
    assert sampler_id(f"{found.sampler} {found.scheduler}") == (settings.sampler, settings.scheduler)
    assert models[stem_of(recipe.base.file or "")].kind in ("checkpoint", "diffusion_model")


def test_hashes_stand_where_civitai_looks() -> None:
    hashes = {"AutoV2": "0123456789", "SHA256": "0123456789" + "a" * 54}
    lora = Ingredient("Ink", "lora", "style/ink.safetensors", hashes={"AutoV2": "aaaaaaaaaa"}, weight=0.8)
    base = Ingredient("Base", "checkpoint", "XL/base, v1.safetensors", hashes=hashes)
    row = draw_row(("sdxl",))
    assert row is not None
    recipe = Recipe(base, "sdxl", (lora,), (), None, row.clip, row.latent, settings_of(row, {}), "ink", "")
    text = infotext(recipe)
    assert text.startswith("ink, <lora:ink:0.8>\nSteps: 28, Sampler: DPM++ 2M, Schedule type: Karras")
    assert '"lora:ink": "aaaaaaaaaa"' in text and 'Model: "base, v1"' in text
    models = {model.kind: model for model in read("parameters", text).models}
    assert (models["checkpoint"].name, models["checkpoint"].hash) == ("base, v1", "0123456789")
    assert (models["lora"].name, models["lora"].hash) == ("ink", "aaaaaaaaaa")


# ---------------------------------------------------------------- words and settings


def test_embeddings_are_called_by_name_and_the_bad_ones_from_the_other_side() -> None:
    good = Ingredient("Lace", "textual_inversion", "a/lace.safetensors", weight=0.7)
    bad = Ingredient("Bad", "textual_inversion", "bad.pt", negative=True)
    lora = Ingredient("Ink", "lora", "ink.safetensors", triggers=("ink wash, brush", "brush"))
    assert prompts_of([lora, good, bad]) == ("ink wash, brush, (embedding:a/lace:0.7)", "embedding:bad")


@pytest.mark.parametrize(
    ("spoken", "words"),
    [
        ([], ("a", "b", "c")),
        ([{"word": "b", "share": 0.8}, {"word": "d", "share": 0.5}, {"word": "a", "share": 0.1}], ("b", "d")),
        ([{"word": "a", "share": 0.1}], ("a", "b", "c")),
    ],
)
def test_which_trigger_words_are_said(spoken: list[dict[str, Any]], words: tuple[str, ...]) -> None:
    assert called_by(("a", "b", "c", "d"), spoken) == words


def usage(records: int = 10, share: float = 0.8, **told: Any) -> dict[str, Any]:
    return {
        "records": records,
        "settings": {name: {"value": value, "share": share} for name, value in told.items()},
    }


def set_by(architecture: str, told: dict[str, Any]) -> Settings:
    row = draw_row(architecture_path(architecture))
    assert row is not None
    return settings_of(row, told)


def test_settings_are_those_of_pictures_where_enough_agree() -> None:
    told: dict[str, Any] = {"steps": 30, "cfg": 5, "sampler": "DPM++ 2M SDE Karras"}
    found = set_by("sdxl", usage(**told))
    assert (found.steps, found.cfg, found.sampler, found.scheduler) == (30, 5.0, "dpmpp_2m_sde", "karras")
    assert set(found.told) == {"steps", "cfg", "sampler", "scheduler"}
    assert set_by("sdxl", usage(records=2, **told)).told == ()
    assert set_by("sdxl", usage(share=0.1, **told)).told == ()
    assert set_by("sdxl", usage(sampler="my own", steps=0, cfg=99)).told == ()


def test_guidance_of_distilled_models_is_no_cfg() -> None:
    found = set_by("flux1-dev", usage(cfg=2.5))
    assert (found.cfg, found.guidance) == (1.0, 2.5)
    assert set_by("flux1-dev", usage(cfg=1)).guidance == 3.5


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Euler a", ("euler_ancestral", None)),
        ("euler_ancestral", ("euler_ancestral", None)),
        ("DPM++ 2M Karras", ("dpmpp_2m", "karras")),
        ("dpmpp_2m_sde_karras", ("dpmpp_2m_sde", "karras")),
        ("DPM++ SDE Exponential", ("dpmpp_sde", "exponential")),
        ("", (None, None)),
        ("Karras", (None, None)),
    ],
)
def test_samplers_by_every_spelling(text: str, found: tuple[str | None, str | None]) -> None:
    assert sampler_id(text) == found


# ---------------------------------------------------------------- the table


def test_the_table_knows_what_it_speaks_of() -> None:
    known = architectures()
    for row in (*TABLE["architecture"], *TABLE["refused"]):
        assert set(row["ids"]) <= known.keys() and row["why"]
    assert {row["id"] for row in TABLE["part"]} <= known.keys()
    assert len(DRAWN) == len(set(DRAWN))
    assert {row["package"] for row in TABLE["node"] if "package" in row} == {
        "ComfyUI-GGUF",
        "ComfyUI_IPAdapter_plus",
        "ComfyUI-AnimateDiff-Evolved",
    }
    for group in ("architecture", "refused", "unwired", "part", "sampler", "scheduler", "node"):
        assert all(row["why"] for row in TABLE[group])


def test_our_nodes_are_comfyuis() -> None:
    for row in TABLE["node"]:
        if row["id"] == "Note":
            continue
        inputs, outputs = NODES[row["id"]]
        ours = node_row(row["id"])
        values = set(ours.widgets) - {"control_after_generate", "upload"}
        links = {name: type_ for name, type_ in ours.inputs if name not in ours.optional}
        assert values == {name for name, wanted in inputs.items() if not isinstance(wanted, str)}, row["id"]
        assert links == {name: wanted for name, wanted in inputs.items() if isinstance(wanted, str)}
        assert list(ours.outputs) == outputs


def test_what_works_on_pictures_is_refused_and_says_so() -> None:
    path = architecture_path("sdxl-inpainting")
    assert draw_row(path) is None and "picture" in (refusal(path) or "")
    assert draw_row(architecture_path("sdxl")) is not None and refusal(architecture_path("sdxl")) is None
    assert sampler_name("dpmpp_2m") == "DPM++ 2M" and sampler_name("odd") == "odd"
    assert shipped_part(("nobody", "t5-xxl")) == "t5xxl_fp16.safetensors" and shipped_part(()) is None
