"""A1111's text in the hands of all that write it."""

import pytest

from indexer.domain.generation import GenerationRecord, UsedModel
from indexer.parsers.generation.a1111 import read_infotext


def record(text: str) -> GenerationRecord:
    draft = read_infotext(text)
    assert draft is not None
    return draft.record()


def named(text: str) -> set[tuple[str, str | None, str | None, float | None]]:
    return {(model.kind, model.name, model.hash, model.weight) for model in record(text).models}


LINE = "Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 6.5, Seed: 7, Size: 512x768"


def test_prompt_settings_and_model() -> None:
    made = record(
        f"a harbour,\nsecond line\nNegative prompt: fog,\nrain\n{LINE}, Model hash: 45a21ea00a, Model: inkwash_v2,"
        " Clip skip: 2, Version: v1.9.4"
    )
    assert made.told() | {"raw": None} == {
        "generator": "a1111",
        "version": "v1.9.4",
        "prompt": "a harbour,\nsecond line",
        "negative_prompt": "fog,\nrain",
        "seed": "7",
        "steps": 20,
        "sampler": "DPM++ 2M",
        "scheduler": "Karras",
        "cfg": 6.5,
        "width": 512,
        "height": 768,
        "models": [
            {
                "kind": "checkpoint",
                "name": "inkwash_v2",
                "hash": "45a21ea00a",
                "version_id": None,
                "weight": None,
            }
        ],
        "raw": None,
    }
    assert made.raw == {"settings": {"Clip skip": "2"}}


@pytest.mark.parametrize(
    ("settings", "generator"),
    [
        ("Version: f2.0.1v1.10.1-previous-669-gdfdcbab6", "forge"),
        ("Version: neo-2.28", "forge"),
        ("Version: classic", "forge"),
        ("Version: f1.0.0v2-v1.10.1RC-latest-2498-g5120e679", "reforge"),
        ("App: SD.Next, Version: 56a8aea", "sdnext"),
        ("Version: 0a083c2, Parser: Full parser", "sdnext"),
        ("Version: Fooocus v2.5.5", "fooocus"),
        ("Version: ComfyUI", "comfyui"),
        ("Version: 1.10.1", "a1111"),
        ('Civitai resources: [{"type":"checkpoint","modelVersionId":1}]', "civitai"),
        ("Seed Mode: Scale Alike", "drawthings"),
        ("Clip skip: 2", "unknown"),
    ],
)
def test_who_wrote_it(settings: str, generator: str) -> None:
    assert record(f"a\n{LINE}, {settings}").generator == generator


def test_tags_and_hash_lists_are_one_model_each() -> None:
    text = (
        f"<lora:ink:0.8> <lora:lines:0.5:0.2:lbw=ALL> <lyco:wash:te=1:unet=0.4> a\n{LINE}, "
        'Lora hashes: "ink: 0123456789ab, lines: ffff00001111", TI hashes: "soft: aabbccddee, soft: aabbccddee"'
    )
    assert named(text) == {
        ("lora", "ink", "0123456789ab", 0.8),
        ("lora", "lines", "ffff00001111", 0.5),
        ("lora", "wash", None, 1.0),
        ("textual_inversion", "soft", "aabbccddee", None),
    }


def test_hashes_as_an_object() -> None:
    text = f'a <lora:ink:1>\n{LINE}, Model: base, VAE: soft.vae.pt, Hashes: {{"model": "0123456789", "vae": "1111111111", "lora:ink": "2222222222", "embed:old": "3333333333"}}'
    assert named(text) == {
        ("checkpoint", "base", "0123456789", None),
        ("vae", "soft.vae.pt", "1111111111", None),
        ("lora", "ink", "2222222222", 1.0),
        ("textual_inversion", "old", "3333333333", None),
    }


def test_civitai_resources() -> None:
    made = record(
        f"a\n{LINE}, Civitai resources: "
        '[{"type":"checkpoint","modelVersionId":11,"modelName":"Ink, or so","modelVersionName":"v1"},'
        '{"type":"lora","weight":0.7,"modelVersionId":12,"air":"urn:air:sdxl:lora:civitai:5@12"}], Civitai metadata: {}'
    )
    assert made.models == (
        UsedModel("checkpoint", "Ink, or so", None, "11"),
        UsedModel("lora", "urn:air:sdxl:lora:civitai:5@12", None, "12", 0.7),
    ) or made.models[1] == UsedModel("lora", None, None, "12", 0.7)


def test_extensions_name_models_too() -> None:
    text = (
        f"a\n{LINE}, Hires upscaler: 4x-Sharp, Hires checkpoint: other [0011223344], Refiner: fine [aabbccddee], "
        'ControlNet 0: "Module: canny, Model: control_canny [e3fe7712], Weight: 0.6, Control Mode: Balanced", '
        'ADetailer model: face_yolov8n.pt, ADetailer prompt: "a face, \\"smiling\\"", AddNet Model 1: old(aaaabbbb), '
        "AddNet Weight 1: 0.5, Module 1: clip_l, Hypernet: hyper, Hypernet strength: 0.3"
    )
    assert named(text) == {
        ("upscaler", "4x-Sharp", None, None),
        ("checkpoint", "other", "0011223344", None),
        ("checkpoint", "fine", "aabbccddee", None),
        ("controlnet", "control_canny", "e3fe7712", 0.6),
        ("unknown", "face_yolov8n.pt", None, None),
        ("lora", "old", "aaaabbbb", 0.5),
        ("text_encoder", "clip_l", None, None),
        ("hypernetwork", "hyper", None, 0.3),
    }
    assert record(text).raw["settings"]["ADetailer prompt"] == 'a face, "smiling"'


@pytest.mark.parametrize(
    "word", ["Latent (nearest-exact)", "None", "Lanczos", "Automatic", "Use same upscaler"]
)
def test_words_for_no_model(word: str) -> None:
    assert named(f"a\n{LINE}, Hires upscaler: {word}, VAE: {word}") == set()


def test_a_hash_without_a_name_is_a_model() -> None:
    assert named(f"a\n{LINE}, Model hash: 45a21ea00a") == {("checkpoint", None, "45a21ea00a", None)}


def test_sdnext_puts_templates_before_the_settings() -> None:
    made = record(
        "a harbour\nNegative prompt: fog\nTemplate: a\nlong one\nSteps: 4, Size: 64x64, "
        "Scheduler: FlowMatchEulerDiscreteScheduler, Seed: 7, CFG scale: 1, App: SD.Next, Model: base"
    )
    assert (made.prompt, made.negative_prompt) == ("a harbour", "fog")
    assert made.raw["settings"]["Template"] == "a\nlong one"
    assert made.sampler == "FlowMatchEulerDiscreteScheduler"


def test_draw_things_marks_its_negative_prompt_with_a_dash() -> None:
    made = record(
        "a\nb\n-fog\nSteps: 4, Sampler: Euler A, Guidance Scale: 2.0, Seed: 7, Size: 64x32, Model: ink.ckpt"
    )
    assert (made.prompt, made.negative_prompt, made.cfg) == ("a\nb", "fog", 2.0)


def test_fooocus_in_this_form() -> None:
    text = (
        "a\nNegative prompt: fog\nSteps: 30, Sampler: DPM++ 2M SDE Karras, Seed: 7, Size: 64x32, CFG scale: 4, "
        "Sharpness: 2, ADM Guidance: (1.5, 0.8, 0.3), Performance: Speed, Model: base, Model hash: 0123456789, "
        'Lora hashes: "ink: aabbccddee", Lora weights: "ink: 0.25", Version: Fooocus v2.5.5'
    )
    assert named(text) == {("checkpoint", "base", "0123456789", None), ("lora", "ink", "aabbccddee", 0.25)}
    assert record(text).raw["settings"]["ADM Guidance"] == "(1.5, 0.8, 0.3)"


def test_saveimagewithmetadata_numbers_its_loras() -> None:
    text = f"a\n{LINE}, Lora_0 Model name: ink.safetensors, Lora_0 Model hash: 0123456789, Lora_0 Strength model: 0.6"
    assert named(text) == {("lora", "ink.safetensors", "0123456789", 0.6)}


@pytest.mark.parametrize(
    ("text", "prompt", "negative"),
    [
        (f"{LINE}", "", None),
        (f"Negative prompt: fog\n{LINE}", "", "fog"),
        (f"a\r\nNegative prompt: fog\r\n{LINE}", "a", "fog"),
        ("a harbour Steps: 20, Sampler: Euler, CFG scale: 7, Seed: 7, Size: 64x64", "a harbour", None),
        (f"Steps: 3 to heaven\n{LINE}", "Steps: 3 to heaven", None),
        ("a\nSampler: Euler, CFG scale: 7, Seed: 7", "a", None),
    ],
)
def test_where_the_settings_begin(text: str, prompt: str, negative: str | None) -> None:
    made = record(text)
    assert (made.prompt, made.negative_prompt, made.seed) == (prompt, negative, "7")


@pytest.mark.parametrize("text", ["", "a harbour", "Steps to take: none", "Model: none, Size: small"])
def test_other_texts_are_not_in_this_form(text: str) -> None:
    assert read_infotext(text) is None
