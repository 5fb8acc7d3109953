"""The other tools' own forms, as their public sources write them."""

import json
from typing import Any

import pytest

from indexer.domain.generation import GenerationRecord
from indexer.parsers.generation import read_generation
from indexer.parsers.image_chunks import TextChunk
from tests.parsers.generation.graphs import basic, read

Named = set[tuple[str, str | None, str | None, str | None, float | None]]


def named(made: GenerationRecord) -> Named:
    return {(m.kind, m.name, m.hash, m.version_id, m.weight) for m in made.models}


def settings(made: GenerationRecord) -> tuple[Any, ...]:
    return (
        made.prompt,
        made.negative_prompt,
        made.seed,
        made.steps,
        made.sampler,
        made.cfg,
        made.width,
        made.height,
    )


def test_swarmui() -> None:
    value = {
        "sui_image_params": {
            "prompt": "a harbour <lora:tagged:0.2>",
            "negativeprompt": "fog",
            "model": "OfficialInk/base",
            "seed": 7,
            "steps": 20,
            "cfgscale": 7.5,
            "width": 512,
            "height": 768,
            "sampler": "euler",
            "scheduler": "karras",
            "loras": ["ink", "wash"],
            "loraweights": ["0.8", "1"],
            "vae": "soft.safetensors",
            "refinerupscalemethod": "model-4x.pth",
            "swarm_version": "0.9.7",
        },
        "sui_models": [
            {"name": "OfficialInk/base.safetensors", "param": "model", "hash": "0x" + "ab" * 32},
            {"name": "ink.safetensors", "param": "loras", "hash": "0x" + "cd" * 32},
        ],
        "sui_extra_data": {"date": "2026-01-03"},
    }
    for keyword in ("parameters", "UserComment"):
        made = read({keyword: value, "prompt": basic()})
        assert (made.generator, made.version, made.scheduler) == ("swarmui", "0.9.7", "karras")
        assert settings(made) == ("a harbour <lora:tagged:0.2>", "fog", "7", 20, "euler", 7.5, 512, 768)
        assert named(made) == {
            ("checkpoint", "OfficialInk/base", "ab" * 32, None, None),
            ("lora", "ink", "cd" * 32, None, 0.8),
            ("lora", "wash", None, None, 1.0),
            ("lora", "tagged", None, None, 0.2),
            ("vae", "soft.safetensors", None, None, None),
            ("upscaler", "4x.pth", None, None, None),
            ("checkpoint", "base.safetensors", None, None, None),
        } - {("checkpoint", "base.safetensors", None, None, None)}


def test_invokeai_today() -> None:
    model = {"key": "k", "hash": "blake3:" + "ab" * 32, "name": "base", "base": "sdxl", "type": "main"}
    value = {
        "app_version": "6.10.0",
        "generation_mode": "sdxl_txt2img",
        "positive_prompt": "a harbour",
        "negative_prompt": "fog",
        "seed": 7,
        "steps": 20,
        "scheduler": "euler_a",
        "cfg_scale": 7.5,
        "width": 512,
        "height": 768,
        "model": model,
        "vae": model | {"name": "soft", "type": "vae"},
        "loras": [
            {"model": model | {"name": "ink", "type": "lora", "hash": "blake3:" + "cd" * 32}, "weight": 0.75}
        ],
        "controlnets": [
            {"control_model": model | {"name": "canny", "type": "controlnet"}, "control_weight": 1}
        ],
        "t5_encoder": model | {"name": "t5", "type": "t5_encoder"},
    }
    made = read({"invokeai_metadata": value, "invokeai_graph": '{"nodes": {}, "edges": []}'})
    assert (made.generator, made.version) == ("invokeai", "6.10.0")
    assert settings(made) == ("a harbour", "fog", "7", 20, "euler_a", 7.5, 512, 768)
    assert {row[:2] + row[4:] for row in named(made)} == {
        ("checkpoint", "base", None),
        ("vae", "soft", None),
        ("lora", "ink", 0.75),
        ("controlnet", "canny", None),
        ("text_encoder", "t5", None),
    }


def test_invokeai_before_four() -> None:
    value = {
        "app_version": "3.4.0",
        "generation_mode": "txt2img",
        "positive_prompt": "a harbour",
        "negative_prompt": "fog",
        "seed": 7,
        "steps": 20,
        "scheduler": "euler",
        "cfg_scale": 7,
        "width": 512,
        "height": 768,
        "model": {"model_name": "base", "base_model": "sd-1", "model_type": "main"},
        "loras": [{"lora": {"model_name": "ink", "base_model": "sd-1"}, "weight": 0.5}],
    }
    made = read({"invokeai_metadata": value})
    assert named(made) == {("checkpoint", "base", None, None, None), ("lora", "ink", None, None, 0.5)}


def test_invokeai_two() -> None:
    image = {
        "prompt": [{"prompt": "a harbour [fog]", "weight": 1.0}],
        "steps": 20,
        "cfg_scale": 7.5,
        "height": 768,
        "width": 512,
        "seed": 7,
        "sampler": "k_lms",
    }
    made = read(
        {
            "sd-metadata": {
                "model": "stable diffusion",
                "model_weights": "base-1.4",
                "app_id": "x",
                "image": image,
            }
        }
    )
    assert made.generator == "invokeai"
    assert settings(made) == ("a harbour", "fog", "7", 20, "k_lms", 7.5, 512, 768)
    assert named(made) == {("checkpoint", "base-1.4", None, None, None)}


def test_invokeai_one() -> None:
    made = read({"Dream": '"a harbour [fog]" -s 20 -S 7 -W 512 -H 768 -C 7.5 -A k_lms'})
    assert settings(made) == ("a harbour", "fog", "7", 20, "k_lms", 7.5, 512, 768)


def test_fooocus() -> None:
    value = {
        "base_model": "base",
        "base_model_hash": "aeb7e9e689",
        "guidance_scale": 4,
        "loras": [["ink", "0123456789", 0.25], ["None", 1]],
        "metadata_scheme": "fooocus",
        "negative_prompt": "fog",
        "performance": "Speed",
        "prompt": "a harbour",
        "refiner_model": "None",
        "resolution": "(512, 768)",
        "sampler": "dpmpp_2m_sde_gpu",
        "scheduler": "karras",
        "seed": "7",
        "sharpness": 2,
        "steps": 30,
        "styles": "['Fooocus V2']",
        "vae": "Default (model)",
        "version": "Fooocus v2.5.5",
    }
    made = read({"parameters": value, "fooocus_scheme": "fooocus"})
    assert (made.generator, made.version) == ("fooocus", "Fooocus v2.5.5")
    assert settings(made) == ("a harbour", "fog", "7", 30, "dpmpp_2m_sde_gpu", 4.0, 512, 768)
    assert named(made) == {
        ("checkpoint", "base", "aeb7e9e689", None, None),
        ("lora", "ink", "0123456789", None, 0.25),
    }


def test_fooocus_log() -> None:
    value = {
        "Prompt": "a harbour",
        "Negative Prompt": "fog",
        "Styles": "[]",
        "Performance": "Speed",
        "Resolution": "(512, 768)",
        "Guidance Scale": 4,
        "Base Model": "base.safetensors",
        "Sampler": "euler",
        "Seed": 7,
        "LoRA 1": "ink.safetensors : 0.1",
        "lora_combined_2": "True : wash.safetensors : 0.2",
        "lora_combined_3": "False : off.safetensors : 1",
        "Version": "v2.1.8",
    }
    made = read({"UserComment": value})
    assert made.generator == "fooocus"
    assert {row[:2] + row[4:] for row in named(made)} == {
        ("checkpoint", "base.safetensors", None),
        ("lora", "ink.safetensors", 0.1),
        ("lora", "wash.safetensors", 0.2),
    }


def test_ruined_fooocus() -> None:
    value = {
        "Prompt": "a harbour",
        "Negative": "fog",
        "steps": 30,
        "cfg": 8,
        "width": 512,
        "height": 768,
        "seed": 7,
        "sampler_name": "euler",
        "scheduler": "karras",
        "base_model_name": "base.safetensors",
        "base_model_hash": "AB" * 32,
        "loras": [["ink.safetensors", 0.5], {"name": "wash.safetensors", "weight": 0.25}],
        "software": "RuinedFooocus",
    }
    made = read({"parameters": value})
    assert made.generator == "ruinedfooocus"
    assert settings(made) == ("a harbour", "fog", "7", 30, "euler", 8.0, 512, 768)
    assert named(made) == {
        ("checkpoint", "base.safetensors", "AB" * 32, None, None),
        ("lora", "ink.safetensors", None, None, 0.5),
        ("lora", "wash.safetensors", None, None, 0.25),
    }


NOVELAI = {
    "prompt": "a harbour",
    "uc": "fog",
    "steps": 28,
    "scale": 5.0,
    "seed": 7,
    "sampler": "k_euler",
    "noise_schedule": "karras",
    "width": 512,
    "height": 768,
    "v4_prompt": {"caption": {"base_caption": "a harbour", "char_captions": [{"char_caption": "a gull"}]}},
}


def test_novelai() -> None:
    texts = {
        "Title": "NovelAI generated image",
        "Description": "a harbour",
        "Software": "NovelAI",
        "Source": "NovelAI Diffusion V4.5 C02D4F98",
        "Comment": json.dumps(NOVELAI),
    }
    for written in (texts, {"UserComment": texts}):
        made = read(written)
        assert (made.generator, made.scheduler) == ("novelai", "karras")
        assert settings(made) == ("a harbour\na gull", "fog", "7", 28, "k_euler", 5.0, 512, 768)
        assert named(made) == {("checkpoint", "NovelAI Diffusion V4.5", "C02D4F98", None, None)}


def test_draw_things() -> None:
    value = {
        "c": "a harbour",
        "uc": "fog",
        "model": "base_f16.ckpt",
        "sampler": "Euler A",
        "scale": 2,
        "seed": 7,
        "seed_mode": "Scale Alike",
        "size": "512x768",
        "steps": 12,
        "lora": [{"model": "ink_f16.ckpt", "weight": 0.6}],
        "v2": {
            "loras": [{"file": "ink_f16.ckpt", "weight": 0.6}],
            "controls": [{"file": "canny.ckpt", "weight": 1}],
            "upscaler": "esrgan.ckpt",
            "refinerModel": "",
        },
    }
    made = read({"xmp:UserComment": value, "xmp:CreatorTool": "Draw Things"})
    assert made.generator == "drawthings"
    assert settings(made) == ("a harbour", "fog", "7", 12, "Euler A", 2.0, 512, 768)
    assert {row[:2] + row[4:] for row in named(made)} == {
        ("checkpoint", "base_f16.ckpt", None),
        ("lora", "ink_f16.ckpt", 0.6),
        ("controlnet", "canny.ckpt", 1.0),
        ("upscaler", "esrgan.ckpt", None),
    }


def test_stability_matrix() -> None:
    parameters = {
        "PositivePrompt": "a harbour",
        "NegativePrompt": "fog",
        "Steps": 20,
        "Sampler": "Euler",
        "CfgScale": 5,
        "Seed": 7,
        "Height": 768,
        "Width": 512,
        "ModelHash": "AB" * 32,
        "ModelName": "base.safetensors",
        "ModelVersionId": 12,
        "ExtraNetworkModelVersionIds": [13],
    }
    card = {
        "SelectedModelName": "base.safetensors",
        "SelectedVaeName": "off.safetensors",
        "IsVaeSelectionEnabled": False,
        "IsExtraNetworksEnabled": True,
        "ExtraNetworks": {"$values": [{"SelectedModelName": "ink.safetensors", "ModelWeight": 0.5}]},
    }
    project = {"Version": 2, "ProjectType": "TextToImage", "State": {"Model": card}}
    made = read({"parameters-json": parameters, "smproj": project, "prompt": basic()})
    assert made.generator == "stability-matrix"
    assert settings(made) == ("a harbour", "fog", "7", 20, "Euler", 5.0, 512, 768)
    assert named(made) == {
        ("checkpoint", "base.safetensors", "AB" * 32, "12", None),
        ("lora", None, None, "13", None),
        ("lora", "ink.safetensors", None, None, 0.5),
    }


def test_tensor_art() -> None:
    value = {
        "prompt": "a harbour",
        "negativePrompt": "fog",
        "width": 512,
        "height": 768,
        "samplerName": "Euler a",
        "steps": 20,
        "cfgScale": 7,
        "seed": "7",
        "baseModel": {"label": "Ink", "type": "BASE_MODEL", "modelFileName": "base", "hash": "AB" * 32},
        "models": [
            {"label": "Wash", "type": "LORA", "modelFileName": "wash", "weight": 0.5, "hash": "CD" * 32}
        ],
    }
    made = read({"generation_data": json.dumps(value) + "\0"})
    assert made.generator == "tensorart"
    assert settings(made) == ("a harbour", "fog", "7", 20, "Euler a", 7.0, 512, 768)
    assert named(made) == {
        ("checkpoint", "base", "AB" * 32, None, None),
        ("lora", "wash", "CD" * 32, None, 0.5),
    }


def test_easy_diffusion() -> None:
    value = {
        "prompt": "a harbour",
        "negative_prompt": "fog",
        "seed": 7,
        "num_inference_steps": 20,
        "sampler_name": "euler",
        "guidance_scale": 7.5,
        "width": 512,
        "height": 768,
        "use_stable_diffusion_model": "base.safetensors",
        "use_lora_model": ["ink"],
        "use_vae_model": "None",
    }
    single = {key: str(item) for key, item in value.items() if not isinstance(item, list)}
    for texts in ({"UserComment": value}, single):
        made = read(texts)
        assert settings(made) == ("a harbour", "fog", "7", 20, "euler", 7.5, 512, 768)
        assert ("checkpoint", "base.safetensors", None, None, None) in named(made)


def test_spaces() -> None:
    value = {
        "prompt": "a harbour",
        "negative_prompt": "fog",
        "resolution": "512 x 768",
        "guidance_scale": 7.5,
        "num_inference_steps": 20,
        "seed": 7,
        "sampler": "Euler a",
        "Model": {"Model": "Ink XL", "Model hash": "0123456789"},
    }
    made = read({"parameters": value})
    assert settings(made) == ("a harbour", "fog", "7", 20, "Euler a", 7.5, 512, 768)
    assert named(made) == {("checkpoint", "Ink XL", "0123456789", None, None)}


def test_civitais_own_generator() -> None:
    request = {
        "prompt": "a wide harbour",
        "steps": 25,
        "seed": 9,
        "baseModel": "SDXL 1.0",
        "resources": [{"modelVersionId": 34, "strength": 0.5}],
    }
    graph: dict[str, Any] = basic()
    graph["4"]["inputs"]["ckpt_name"] = "urn:air:sdxl:checkpoint:civitai:12@34"
    made = read({"UserComment": graph | {"extra": {"airs": []}, "extraMetadata": json.dumps(request)}})
    assert (made.generator, made.prompt, made.seed, made.sampler) == (
        "civitai",
        "a wide harbour",
        "9",
        "euler",
    )
    assert named(made) == {("checkpoint", "urn:air:sdxl:checkpoint:civitai:12@34", None, "34", 0.5)}


def test_both_graphs_in_one_text() -> None:
    made = read({"UserComment": {"prompt": basic(), "workflow": {"nodes": [], "links": []}}})
    assert (made.generator, made.prompt) == ("comfyui", "a harbour")


def test_a_prompt_that_is_an_object_itself() -> None:
    text = '{\n "scene": "a harbour"\n}\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 7, Size: 64x64'
    assert read({"UserComment": text}).prompt == '{\n "scene": "a harbour"\n}'


@pytest.mark.parametrize("keyword", ["parameters", "prompt"])
def test_plain_words_where_a_prompt_is_kept(keyword: str) -> None:
    made = read({keyword: "a harbour"})
    assert (made.generator, made.prompt) == ("unknown", "a harbour")


@pytest.mark.parametrize("keyword", ["Comment", "ImageDescription", "Software", "xmp:description"])
def test_other_words_are_no_generation(keyword: str) -> None:
    assert read_generation([TextChunk(keyword, "saved by an editor")]) is None


def test_what_is_not_understood_is_kept() -> None:
    made = read({"parameters": "a\nSteps: 20, Seed: 1, Size: 1x1, New thing: 5", "Author": "somebody"})
    assert made.raw == {"settings": {"New thing": "5"}, "texts": {"Author": "somebody"}}
