"""VAEs, encoders, embeddings, control models and image adapters on bases."""

import pytest

from indexer.checking import Side
from indexer.domain.fit import FitProfile, Subject
from indexer.domain.layouts import load_layout
from tests.rules.builders import Shapes, prefixed
from tests.rules.fit_builders import check


def inversion(**vectors: int) -> Shapes:
    return {name: (4, width) for name, width in vectors.items()}


def ip_adapter(width: int, heights: list[int], tower: int = 1280) -> Shapes:
    keys = {
        f"ip_adapter.{2 * n + 1}.to_{part}_ip.weight": (height, width)
        for n, height in enumerate(heights)
        for part in "kv"
    }
    return {
        **keys,
        "image_proj.latents": (1, 16, 768),
        "image_proj.proj_in.weight": (768, tower),
        "image_proj.proj_out.weight": (width, 768),
    }


SD1_HEIGHTS = [320, 320, 640, 640, 1280, 1280, 1280, 1280, 1280, 640, 640, 640, 320, 320, 320, 1280]


def control(layout: str) -> Shapes:
    """A ControlNet repeats the encoder of its UNet."""
    kept = ("time_embed", "input_blocks", "middle_block", "label_emb")
    copied = {name: shape for name, shape in load_layout(layout).items() if name.startswith(kept)}
    hints = {"input_hint_block.0.weight": (16, 3, 3, 3), "zero_convs.0.0.weight": (320, 320, 1, 1)}
    return prefixed("control_model.", {**copied, **hints})


def test_vae() -> None:
    vae = load_layout("vae-kl-f8")
    assert check(vae, "sdxl").verdict == "compatible"
    assert check(vae, "auraflow").verdict == "compatible"
    verdict = check(vae, "flux1-dev")
    assert verdict.verdict == "incompatible"
    assert "16 channels, this VAE reads 4" in verdict.reasons[0]
    assert check(load_layout("vae-flux1"), "z-image").verdict == "compatible"


def test_vae_of_a_base_that_draws_pixels() -> None:
    assert check(load_layout("vae-flux1"), "chroma-radiance").verdict == "unknown"


def test_text_encoder() -> None:
    assert check(load_layout("clip-l"), "flux1-dev").verdict == "compatible"
    verdict = check(load_layout("clip-g.hf"), "flux1-dev")
    assert verdict.verdict == "incompatible"
    assert "reads CLIP ViT-L/14 text encoder and T5 v1.1 XXL encoder" in verdict.reasons[0]
    assert check(load_layout("t5-xxl"), "wan2.1-t2v-14b").verdict == "incompatible"


@pytest.mark.parametrize(
    ("vectors", "base", "verdict"),
    [
        ({"emb_params": 768}, "sd1", "compatible"),
        ({"emb_params": 768}, "sd2", "incompatible"),
        ({"emb_params": 768}, "sdxl", "partial"),
        ({"emb_params": 1024}, "sd2", "compatible"),
        ({"clip_l": 768, "clip_g": 1280}, "sdxl", "compatible"),
        ({"clip_l": 768, "clip_g": 1280}, "sd1", "partial"),
        ({"clip_l": 768, "clip_g": 1280}, "wan2.1-t2v-14b", "incompatible"),
    ],
)
def test_textual_inversion(vectors: dict[str, int], base: str, verdict: str) -> None:
    assert check(inversion(**vectors), base).verdict == verdict


def test_ip_adapter_and_its_vision_tower() -> None:
    verdict = check(ip_adapter(768, SD1_HEIGHTS), "sd1")
    assert verdict.verdict == "compatible"
    assert "CLIP ViT-H/14" in verdict.reasons[0]
    other = check(ip_adapter(768, SD1_HEIGHTS), "sdxl")
    assert other.verdict == "incompatible"
    assert "text of 768 features; Stable Diffusion XL reads 2048" in other.reasons[0]


def test_ip_adapter_with_other_layers() -> None:
    assert check(ip_adapter(768, SD1_HEIGHTS[::-1]), "sd1").verdict == "compatible"
    assert check(ip_adapter(768, [320] * 16), "sd1").verdict == "incompatible"


def test_controlnet() -> None:
    assert check(control("sd1"), load_layout("sd1")).verdict == "compatible"
    assert check(control("sd1"), load_layout("sd1.diffusers")).verdict == "compatible"
    assert check(control("sd1"), load_layout("sd1-inpainting")).verdict == "compatible"
    verdict = check(control("sd1"), load_layout("sd2"))
    assert verdict.verdict == "incompatible"
    assert verdict.mismatched > 0


def test_motion_module() -> None:
    levels = {0: 320, 1: 640, 2: 1280, 3: 1280}
    stem = "down_blocks.{}.motion_modules.{}.temporal_transformer."
    module: dict[str, tuple[int, ...]] = {}
    for level, width in levels.items():
        for number in range(2):
            name = stem.format(level, number)
            module[f"{name}proj_in.weight"] = (width, width)
            module[f"{name}norm.weight"] = (width,)
            module[f"{name}transformer_blocks.0.attention_blocks.0.pos_encoder.pe"] = (1, 24, width)
    assert check(module, "sd1").verdict == "compatible"
    verdict = check(module, "sdxl")
    assert verdict.verdict == "incompatible"
    assert "level 3" in verdict.reasons[0].lower()


def test_upscalers_go_with_everything() -> None:
    upscaler = Side(Subject("upscaler", "esrgan", ("esrgan",)), FitProfile("upscaler"))
    assert check(upscaler, "wan2.1-t2v-14b").verdict == "compatible"


def test_what_goes_on_no_base() -> None:
    assert check(load_layout("sd1"), "sd1").verdict == "unknown"
    assert check({"nothing": (3, 5)}, "sd1").verdict == "unknown"


def stability_control_lora(layout: str) -> Shapes:
    """Factors of the encoder's matrices and kernels, with the weights that are its own."""
    found: dict[str, tuple[int, ...]] = {"lora_controlnet": (0,), "input_hint_block.0.weight": (16, 3, 3, 3)}
    for name, shape in control(layout).items():
        stem = name.removeprefix("control_model.").removesuffix(".weight")
        if name.endswith(".weight") and len(shape) > 1 and not stem.startswith(("input_hint", "zero_convs")):
            ones = [1] * (len(shape) - 2)
            found |= {f"{stem}.up": (shape[0], 64, *ones), f"{stem}.down": (64, *shape[1:])}
    return found


def test_control_loras_of_bare_factors_are_compared_module_by_module() -> None:
    adapter = stability_control_lora("sdxl")
    good = check(adapter, load_layout("sdxl"))
    assert (good.verdict, good.unmatched, good.mismatched) == ("compatible", 0, 0)
    assert good.matched > 300
    assert check(adapter, load_layout("sdxl.diffusers")).verdict == "compatible"
    assert check(adapter, load_layout("sd1")).verdict == "incompatible"
    broken = {**adapter, "middle_block.0.in_layers.2.down": (32, 1280, 3, 3)}
    assert check(broken, load_layout("sdxl")).matched == good.matched - 1
