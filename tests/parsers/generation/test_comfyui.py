"""The sampler that made the picture, its texts and its models, through every sort of node between."""

from typing import Any

import pytest

from tests.parsers.generation.graphs import basic, models, node, read


def test_the_default_graph() -> None:
    made = read({"prompt": basic()})
    assert (made.generator, made.prompt, made.negative_prompt) == ("comfyui", "a harbour", "fog")
    assert (made.seed, made.steps, made.sampler, made.scheduler, made.cfg) == (
        "7",
        20,
        "euler",
        "normal",
        8.0,
    )
    assert (made.width, made.height) == (512, 768)
    assert models(made) == {("checkpoint", "base.safetensors", None)}
    assert made.raw["texts"]["prompt"]


def test_the_base_pass_gives_the_settings_and_all_passes_are_kept() -> None:
    second = {"seed": 9, "steps": 8, "cfg": 5.0, "sampler_name": "lcm", "scheduler": "simple", "denoise": 0.4}
    links = {"model": ["4", 0], "positive": ["12", 0], "negative": ["7", 0], "latent_image": ["10", 0]}
    made = read(
        {
            "prompt": basic(
                **{
                    "8": node("VAEDecode", samples=["11", 0], vae=["4", 2]),
                    "10": node("LatentUpscale", samples=["3", 0], width=1024, height=1536),
                    "11": node("KSampler", **second, **links),
                    "12": node("CLIPTextEncode", text="a detailed harbour", clip=["4", 1]),
                }
            )
        }
    )
    assert (made.prompt, made.seed, made.steps, made.width) == ("a harbour", "7", 20, 512)
    assert [(told["prompt"], told["seed"], told["denoise"]) for told in made.raw["passes"]] == [
        ("a detailed harbour", "9", 0.4),
        ("a harbour", "7", 1.0),
    ]


def test_base_and_refiner() -> None:
    def advanced(noise: str, seed: int, model: str, latent: str) -> dict[str, Any]:
        links = {"model": [model, 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": [latent, 0]}
        return node(
            "KSamplerAdvanced",
            add_noise=noise,
            noise_seed=seed,
            steps=25,
            cfg=8,
            sampler_name="euler",
            scheduler="normal",
            **links,
        )

    graph = basic(
        **{
            "3": advanced("disable", 0, "12", "11"),
            "11": advanced("enable", 7, "4", "5"),
            "12": node("CheckpointLoaderSimple", ckpt_name="refiner.safetensors"),
        }
    )
    made = read({"prompt": graph})
    assert made.seed == "7"
    assert models(made) == {
        ("checkpoint", "base.safetensors", None),
        ("checkpoint", "refiner.safetensors", None),
    }


def test_custom_sampling_and_split_models() -> None:
    graph = {
        "1": node("UNETLoader", unet_name="flux.safetensors", weight_dtype="default"),
        "2": node("DualCLIPLoader", clip_name1="l.safetensors", clip_name2="t5.safetensors", type="flux"),
        "3": node("VAELoader", vae_name="ae.safetensors"),
        "4": node(
            "CLIPTextEncodeFlux", clip_l="harbour", t5xxl="a wide harbour", guidance=3.5, clip=["2", 0]
        ),
        "5": node("BasicGuider", model=["10", 0], conditioning=["4", 0]),
        "6": node("RandomNoise", noise_seed=2**64 - 1),
        "7": node("KSamplerSelect", sampler_name="euler"),
        "8": node("BasicScheduler", scheduler="simple", steps=20, denoise=1, model=["10", 0]),
        "9": node("EmptySD3LatentImage", width=1024, height=1024, batch_size=1),
        "10": node("LoraLoaderModelOnly", lora_name="ink.safetensors", strength_model=0.7, model=["1", 0]),
        "11": node(
            "SamplerCustomAdvanced",
            noise=["6", 0],
            guider=["5", 0],
            sampler=["7", 0],
            sigmas=["8", 0],
            latent_image=["9", 0],
        ),
        "12": node("VAEDecode", samples=["11", 0], vae=["3", 0]),
        "13": node("SaveImage", images=["12", 0]),
    }
    made = read({"prompt": graph})
    assert (made.prompt, made.negative_prompt) == ("harbour\na wide harbour", None)
    assert (made.seed, made.steps, made.sampler, made.scheduler, made.cfg) == (
        str(2**64 - 1),
        20,
        "euler",
        "simple",
        3.5,
    )
    assert models(made) == {
        ("diffusion_model", "flux.safetensors", None),
        ("text_encoder", "l.safetensors", None),
        ("text_encoder", "t5.safetensors", None),
        ("vae", "ae.safetensors", None),
        ("lora", "ink.safetensors", 0.7),
    }


def test_conditionings_are_followed_through_areas_controlnets_and_combinations() -> None:
    graph = basic(
        **{
            "20": node("CLIPTextEncode", text="left", clip=["4", 1]),
            "21": node(
                "ConditioningSetArea", conditioning=["20", 0], width=64, height=64, x=0, y=0, strength=1
            ),
            "22": node("ConditioningCombine", conditioning_1=["21", 0], conditioning_2=["6", 0]),
            "23": node("ControlNetLoader", control_net_name="canny.safetensors"),
            "24": node(
                "ControlNetApplyAdvanced",
                positive=["22", 0],
                negative=["7", 0],
                control_net=["23", 0],
                strength=1,
            ),
        }
    )
    graph["3"]["inputs"] |= {"positive": ["24", 0], "negative": ["24", 1]}
    made = read({"prompt": graph})
    assert (made.prompt, made.negative_prompt) == ("left\na harbour", "fog")
    assert ("controlnet", "canny.safetensors", None) in models(made)


def test_a_zeroed_conditioning_says_nothing() -> None:
    graph = basic(**{"7": node("ConditioningZeroOut", conditioning=["6", 0])})
    assert read({"prompt": graph}).negative_prompt is None


@pytest.mark.parametrize(
    ("nodes", "text"),
    [
        ({"30": node("PrimitiveStringMultiline", value="from far")}, "from far"),
        (
            {
                "30": node("StringConcatenate", string_a=["31", 0], string_b="a bridge", delimiter=", "),
                "31": node("String Literal", string="from far"),
            },
            "from far, a bridge",
        ),
        (
            {
                "30": node(
                    "Text Concatenate",
                    delimiter=" ",
                    clean_whitespace="true",
                    text_a=["31", 0],
                    text_b="a bridge",
                ),
                "31": node("Text Multiline", text="from far"),
            },
            "from far a bridge",
        ),
        (
            {
                "30": node("ShowText|pysssss", text=["31", 0], text_0="shown"),
                "31": node("Text Multiline", text="far"),
            },
            "shown",
        ),
        (
            {"30": node("ImpactWildcardProcessor", wildcard_text="__far__", populated_text="from far")},
            "from far",
        ),
        (
            {
                "30": node("ComfySwitchNode", switch=["33", 0], on_false=["31", 0], on_true=["32", 0]),
                "31": node("PrimitiveString", value="no"),
                "32": node("PrimitiveString", value="yes"),
                "33": node("PrimitiveBoolean", value=True),
            },
            "yes",
        ),
    ],
)
def test_texts_made_of_texts(nodes: dict[str, Any], text: str) -> None:
    graph = basic(**nodes)
    graph["6"]["inputs"]["text"] = ["30", 0]
    assert read({"prompt": graph}).prompt == text


def test_a_text_chosen_at_random_is_left_out_and_told() -> None:
    graph = basic(
        **{
            "30": node("Text Concat", text1="by", text2=["31", 0], delimiter=" "),
            "31": node("CR Text Cycler", text="one\ntwo", repeats=1, loops=1),
        }
    )
    graph["6"]["inputs"]["text"] = ["30", 0]
    made = read({"prompt": graph})
    assert made.prompt == "by"
    assert [warning.code for warning in made.warnings] == ["prompt_partial"]


def test_settings_behind_links() -> None:
    graph = basic(**{"30": node("Seed (rgthree)", seed=99), "31": node("PrimitiveInt", value=33)})
    graph["3"]["inputs"] |= {"seed": ["30", 0], "steps": ["31", 0]}
    made = read({"prompt": graph})
    assert (made.seed, made.steps) == ("99", 33)


def test_loaders_that_hold_the_prompts() -> None:
    loader = node(
        "Efficient Loader",
        ckpt_name="base.ckpt",
        vae_name="Baked VAE",
        lora_name="ink.safetensors",
        lora_model_strength=0.5,
        positive="a harbour",
        negative="fog",
        empty_latent_width=512,
        empty_latent_height=640,
    )
    sampler = node(
        "KSampler (Efficient)",
        seed=7,
        steps=20,
        cfg=7,
        sampler_name="euler",
        scheduler="normal",
        denoise=1,
        model=["1", 0],
        positive=["1", 1],
        negative=["1", 2],
        latent_image=["1", 3],
    )
    made = read({"prompt": {"1": loader, "2": sampler, "3": node("SaveImage", images=["2", 5])}})
    assert (made.prompt, made.negative_prompt, made.width, made.height) == ("a harbour", "fog", 512, 640)
    assert models(made) == {("checkpoint", "base.ckpt", None), ("lora", "ink.safetensors", 0.5)}


def test_pipes() -> None:
    loader = node(
        "easy fullLoader",
        ckpt_name="base.ckpt",
        positive="a harbour",
        negative="fog",
        lora_name="None",
        empty_latent_width=512,
        empty_latent_height=640,
    )
    sampler = node(
        "easy fullkSampler",
        pipe=["1", 0],
        steps=20,
        cfg=7,
        sampler_name="euler",
        scheduler="normal",
        denoise=1,
        seed=7,
    )
    made = read({"prompt": {"1": loader, "2": sampler, "3": node("PreviewImage", images=["2", 1])}})
    assert (made.prompt, made.negative_prompt, made.seed) == ("a harbour", "fog", "7")


def test_stacks_of_loras() -> None:
    power = {"on": True, "lora": "one.safetensors", "strength": 0.8}
    graph = basic(
        **{
            "4": node(
                "Power Lora Loader (rgthree)",
                lora_1=power,
                lora_2=power | {"on": False, "lora": "off.safetensors"},
                model=["40", 0],
                clip=["40", 1],
            ),
            "40": node("CR Apply LoRA Stack", model=["41", 0], clip=["41", 1], lora_stack=["42", 0]),
            "41": node("CheckpointLoader|pysssss", ckpt_name={"content": "base.safetensors", "image": None}),
            "42": node(
                "CR LoRA Stack",
                switch_1="On",
                lora_name_1="two.safetensors",
                model_weight_1=0.4,
                clip_weight_1=1,
                switch_2="Off",
                lora_name_2="three.safetensors",
                model_weight_2=1,
                lora_stack=["43", 0],
            ),
            "43": node(
                "LoRA Stacker",
                lora_count=1,
                lora_name_1="four.safetensors",
                lora_wt_1=0.3,
                lora_name_2="five.safetensors",
                lora_wt_2=1,
                lora_stack=["44", 0],
            ),
            "44": node(
                "Lora Stacker (LoraManager)",
                text="<lora:six:0.2>",
                loras={
                    "__value__": [
                        {"name": "seven", "strength": 0.1, "active": True},
                        {"name": "off", "strength": 1, "active": False},
                    ]
                },
            ),
        }
    )
    assert models(read({"prompt": graph})) == {
        ("lora", "one.safetensors", 0.8),
        ("checkpoint", "base.safetensors", None),
        ("lora", "two.safetensors", 0.4),
        ("lora", "four.safetensors", 0.3),
        ("lora", "six", 0.2),
        ("lora", "seven", 0.1),
    }


@pytest.mark.parametrize(
    ("loader", "kind"),
    [
        (node("UnetLoaderGGUF", unet_name="m.gguf"), "diffusion_model"),
        (node("NunchakuFluxDiTLoader", model_path="m.safetensors"), "diffusion_model"),
        (node("ImageOnlyCheckpointLoader", ckpt_name="m.safetensors"), "checkpoint"),
        (node("CLIPVisionLoader", clip_name="m.safetensors"), "clip_vision"),
        (node("IPAdapterModelLoader", ipadapter_file="m.safetensors"), "ip_adapter"),
        (node("UpscaleModelLoader", model_name="m.pth"), "upscaler"),
        (node("StyleModelLoader", style_model_name="m.safetensors"), "flux_redux"),
        (node("ADE_LoadAnimateDiffModel", model_name="m.ckpt"), "motion_module"),
        (node("LoadWanVideoT5TextEncoder", model_name="m.safetensors"), "text_encoder"),
        (node("QuadrupleCLIPLoader", clip_name1="m.safetensors"), "text_encoder"),
        (node("DiffControlNetLoader", control_net_name="m.safetensors"), "controlnet"),
        (node("HypernetworkLoader", hypernetwork_name="m.pt"), "hypernetwork"),
        (node("SomethingNew", weights="m.safetensors"), "unknown"),
        (node("CheckpointLoaderSimple", ckpt_name="urn:air:sdxl:lora:civitai:12@34"), "lora"),
    ],
)
def test_kinds_of_loaders(loader: dict[str, Any], kind: str) -> None:
    graph = basic(**{"50": loader})
    graph["3"]["inputs"]["extra"] = ["50", 0]
    found = [model for model in read({"prompt": graph}).models if model.name != "base.safetensors"]
    assert [model.kind for model in found] == [kind]


def test_models_that_do_not_feed_the_picture_do_not_count() -> None:
    graph = basic(
        **{
            "60": node(
                "LoraLoader", lora_name="idle.safetensors", strength_model=1, model=["4", 0], clip=["4", 1]
            )
        }
    )
    assert models(read({"prompt": graph})) == {("checkpoint", "base.safetensors", None)}


def test_of_two_saved_pictures_the_size_tells_which_it_is() -> None:
    graph = basic(
        **{
            "70": node("LatentUpscale", samples=["3", 0], width=1024, height=1536),
            "71": node("KSampler", **graph_inputs(seed=8, latent_image=["70", 0])),
            "72": node("VAEDecode", samples=["71", 0], vae=["4", 2]),
            "73": node("SaveImage", images=["72", 0]),
        }
    )
    assert len(read({"prompt": graph}, (512, 768)).raw["passes"]) == 1
    assert len(read({"prompt": graph}, (1024, 1536)).raw["passes"]) == 2


def graph_inputs(**changed: Any) -> dict[str, Any]:
    inputs: dict[str, Any] = basic()["3"]["inputs"]
    return inputs | changed


def test_embeddings_named_in_prompts() -> None:
    graph = basic(**{"6": node("CLIPTextEncode", text="(embedding:soft.pt:1.2), a harbour", clip=["4", 1])})
    assert ("textual_inversion", "soft.pt", None) in models(read({"prompt": graph}))


def test_a_service_node_has_its_prompt_at_itself() -> None:
    graph = {
        "1": node("GeminiImageNode", prompt="a harbour", model="gemini", seed=5),
        "2": node("SaveImage", images=["1", 0]),
    }
    made = read({"prompt": graph})
    assert (made.prompt, made.seed) == ("a harbour", "5")


def test_a_graph_beside_the_words_of_another_tool_only_fills_in() -> None:
    text = "another prompt\nSteps: 5, Sampler: Euler, CFG scale: 7, Seed: 1, Size: 64x64, Model: base, Version: ComfyUI"
    made = read({"parameters": text, "prompt": basic()})
    assert (made.prompt, made.steps, made.scheduler, made.negative_prompt) == (
        "another prompt",
        5,
        "normal",
        "fog",
    )
    assert models(made) == {("checkpoint", "base", None)}


def test_a_wrapper_that_encodes_both_prompts_at_once() -> None:
    graph = {
        "1": node("WanVideoModelLoader", model="wan.safetensors", lora=["2", 0]),
        "2": node("WanVideoLoraSelect", lora="ink.safetensors", strength=0.5),
        "3": node("WanVideoTextEncode", positive_prompt="a harbour", negative_prompt="fog", t5=["4", 0]),
        "4": node("LoadWanVideoT5TextEncoder", model_name="t5.safetensors"),
        "5": node(
            "WanVideoSampler",
            model=["1", 0],
            text_embeds=["3", 0],
            steps=20,
            cfg=6,
            seed=7,
            scheduler="unipc",
        ),
        "6": node("WanVideoDecode", samples=["5", 0], vae=["7", 0]),
        "7": node("WanVideoVAELoader", model_name="vae.safetensors"),
        "8": node("VHS_VideoCombine", images=["6", 0], frame_rate=16),
    }
    made = read({"prompt": graph})
    assert (made.prompt, made.negative_prompt, made.seed, made.scheduler) == (
        "a harbour",
        "fog",
        "7",
        "unipc",
    )
    assert models(made) == {
        ("diffusion_model", "wan.safetensors", None),
        ("lora", "ink.safetensors", 0.5),
        ("text_encoder", "t5.safetensors", None),
        ("vae", "vae.safetensors", None),
    }


def test_a_styler_makes_a_text_for_each_side() -> None:
    graph = basic(
        **{"30": node("SDXLPromptStyler", text_positive="a harbour", text_negative="fog", style="ink")}
    )
    graph["6"]["inputs"]["text"], graph["7"]["inputs"]["text"] = ["30", 0], ["30", 1]
    made = read({"prompt": graph})
    assert (made.prompt, made.negative_prompt) == ("a harbour", "fog")


def test_wildcards_count_as_what_they_became() -> None:
    encoder = node(
        "ImpactWildcardEncode",
        wildcard_text="__place__ <lora:ink:0.4>",
        populated_text="a harbour <lora:ink:0.4>",
        model=["4", 0],
        clip=["4", 1],
    )
    made = read({"prompt": basic(**{"6": encoder})})
    assert made.prompt == "a harbour <lora:ink:0.4>"
    assert ("lora", "ink", 0.4) in models(made)


def test_detailers_and_upscalers_are_later_passes() -> None:
    settings = {"seed": 9, "steps": 5, "cfg": 3, "sampler_name": "lcm", "scheduler": "simple", "denoise": 0.3}
    links = {"model": ["4", 0], "clip": ["4", 1], "vae": ["4", 2], "positive": ["6", 0], "negative": ["7", 0]}
    graph = basic(
        **{
            "9": node("Image Saver", images=["31", 0], filename="%time"),
            "30": node("FaceDetailer", image=["8", 0], bbox_detector=["32", 0], **settings, **links),
            "31": node("UltimateSDUpscale", image=["30", 0], upscale_model=["33", 0], **settings, **links),
            "32": node("UltralyticsDetectorProvider", model_name="bbox/face_yolov8m.pt"),
            "33": node("UpscaleModelLoader", model_name="4x.pth"),
        }
    )
    made = read({"prompt": graph})
    assert [told["node"] for told in made.raw["passes"]] == ["UltimateSDUpscale", "FaceDetailer", "KSampler"]
    assert made.seed == "7"
    assert models(made) == {
        ("checkpoint", "base.safetensors", None),
        ("unknown", "bbox/face_yolov8m.pt", None),
        ("upscaler", "4x.pth", None),
    }


def test_contexts_and_switches() -> None:
    graph = basic(
        **{
            "30": node("Context (rgthree)", base_ctx=["31", 0]),
            "31": node("Context Big (rgthree)", positive=["6", 0], negative=["7", 0], model=["4", 0]),
            "32": node(
                "CR Conditioning Input Switch", Input=2, conditioning1=["7", 0], conditioning2=["30", 4]
            ),
        }
    )
    graph["3"]["inputs"] |= {"positive": ["32", 0], "negative": ["30", 5]}
    made = read({"prompt": graph})
    assert (made.prompt, made.negative_prompt) == ("a harbour", "fog")
