"""Adapters on bases: namings, shapes, encoders, quantised and broken files; and what is said of each."""

from dataclasses import replace

import pytest

from indexer.checking import Base, Side
from indexer.domain.fit import FitProfile, Subject
from indexer.domain.layouts import load_layout
from indexer.rules.fit_base import base_tables
from indexer.rules.fit_weights import named_weights
from tests.rules.builders import Shapes, kohya, loha, lokr, nf4, oft, peft, prefixed, weights
from tests.rules.fit_builders import base, check, side

ATTENTION = ("attn", "attention")


def whole(layout: str) -> Shapes:
    return load_layout(layout)


def unet_adapter(layout: str) -> dict[str, tuple[int, ...]]:
    return kohya(weights(layout, "attn"))


def encoder_part(prefix: str, layout: str = "clip-l") -> dict[str, tuple[int, ...]]:
    return kohya(weights(layout, "layers"), prefix=prefix)


def sd1_checkpoint() -> dict[str, tuple[int, ...]]:
    return {
        **prefixed("model.diffusion_model.", whole("sd1")),
        **prefixed("cond_stage_model.transformer.", whole("clip-l")),
        **prefixed("first_stage_model.", whole("vae-kl-f8")),
    }


# ---------------------------------------------------------------- namings


@pytest.mark.parametrize(
    ("adapter", "layout"),
    [
        ("sd1", "sd1.diffusers"),
        ("sd1.diffusers", "sd1"),
        ("sdxl", "sdxl.diffusers"),
        ("sdxl.diffusers", "sdxl"),
        ("flux1-dev", "flux1-dev.diffusers"),
        ("flux1-dev.diffusers", "flux1-dev"),
        ("flux2-klein-4b", "flux2-klein-4b.diffusers"),
        ("sd3-medium", "sd3-medium.diffusers"),
        ("sd3-medium.diffusers", "sd3-medium"),
        ("wan2.1-i2v-14b.diffusers", "wan2.1-i2v-14b"),
        ("hunyuan-video", "hunyuan-video.diffusers"),
        ("hunyuan-video.comfy", "hunyuan-video"),
        ("lumina-2", "lumina-2.diffusers"),
        ("z-image.comfy", "z-image"),
        ("z-image", "z-image.comfy"),
    ],
)
def test_naming_of_adapter_and_base_may_differ(adapter: str, layout: str) -> None:
    verdict = check(kohya(weights(adapter, *ATTENTION)), whole(layout))
    assert (verdict.verdict, verdict.unmatched, verdict.mismatched) == ("compatible", 0, 0), verdict


@pytest.mark.parametrize("prefix", ["", "model.diffusion_model.", "diffusion_model."])
def test_prefixes_of_the_base_do_not_matter(prefix: str) -> None:
    assert check(unet_adapter("sdxl"), prefixed(prefix, whole("sdxl"))).verdict == "compatible"


@pytest.mark.parametrize("prefix", ["transformer.", "diffusion_model.", "base_model.model."])
def test_dialects_do_not_matter(prefix: str) -> None:
    adapter = peft(weights("qwen-image", "attn"), prefix=prefix)
    assert check(adapter, whole("qwen-image")).verdict == "compatible"


@pytest.mark.parametrize("make", [loha, lokr, oft])
def test_algorithms_on_fused_and_split_weights(make: object) -> None:
    adapter = make(weights("flux1-dev", "img_attn.proj", "img_mlp", "img_attn.qkv"))  # type: ignore[operator]  # builders
    assert check(adapter, whole("flux1-dev.diffusers")).verdict == "compatible"


def test_an_architecture_serves_without_a_file() -> None:
    verdict = check(unet_adapter("sdxl"), "sdxl")
    assert verdict.verdict == "compatible"
    assert any("reference layout" in reason for reason in verdict.reasons)


# ---------------------------------------------------------------- what does not fit


def test_sd1_on_sdxl_explains_itself() -> None:
    verdict = check(unet_adapter("sd1.diffusers"), whole("sdxl.diffusers"))
    assert verdict.verdict == "incompatible"
    assert verdict.mismatched > 0
    assert verdict.reasons[0].startswith(
        "Cross-attention takes 2048 features here, this adapter was made for 768: an adapter for "
        "Stable Diffusion 1.x on Stable Diffusion XL."
    )


def test_sd1_on_sd2_has_the_names_and_not_the_sizes() -> None:
    verdict = check(unet_adapter("sd1"), whole("sd2"))
    assert (verdict.verdict, verdict.unmatched) == ("incompatible", 0)
    assert verdict.matched > verdict.mismatched > 0


@pytest.mark.parametrize("other", ["flux2-dev", "flux2-klein-9b", "flux1-dev", "hunyuan-video"])
def test_klein_fits_nothing_else(other: str) -> None:
    adapter = kohya(weights("flux2-klein-4b", "blocks"))
    assert check(adapter, whole(other)).verdict == "incompatible"


def test_missing_blocks_make_it_partial() -> None:
    pruned = {name: shape for name, shape in whole("flux1-dev").items() if "double_blocks.18." not in name}
    verdict = check(kohya(weights("flux1-dev", "blocks")), pruned)
    assert verdict.verdict == "partial"
    assert verdict.unmatched == 10
    assert "have no counterpart" in verdict.reasons[0]


def test_image_attention_of_wan_2_1_does_nothing_on_2_2() -> None:
    verdict = check(kohya(weights("wan2.1-i2v-14b", "cross_attn", "self_attn")), whole("wan2.1-t2v-14b"))
    assert (verdict.verdict, verdict.unmatched) == ("partial", 80)


def test_an_adapter_of_the_first_layer_on_an_inpainting_model() -> None:
    modules = weights("sd1", "attn") | weights("sd1", "input_blocks.0.0")
    assert check(kohya(modules), whole("sd1")).verdict == "compatible"
    assert check(kohya(modules), whole("sd1-inpainting")).verdict == "partial"
    assert check(kohya(weights("sd1", "attn")), whole("sd1-inpainting")).verdict == "compatible"


def test_fits_by_size_and_is_for_another_model() -> None:
    metadata = {"ss_base_model_version": "sdxl_base_v1-0"}
    adapter = side(kohya(weights("sdxl.diffusers", "attn")), metadata=metadata)
    verdict = check(adapter, whole("kolors.diffusers"))
    assert (verdict.verdict, verdict.unmatched, verdict.mismatched) == ("partial", 0, 0)
    assert "made for Stable Diffusion XL" in verdict.reasons[0]


def test_half_of_an_adapter_finds_its_place_on_a_distilled_model() -> None:
    verdict = check(unet_adapter("sdxl"), whole("ssd-1b"))
    assert verdict.verdict == "partial"
    assert 0 < verdict.score < 0.5


# ---------------------------------------------------------------- text encoders


def test_text_encoder_in_the_checkpoint() -> None:
    adapter = {**unet_adapter("sd1"), **encoder_part("lora_te_")}
    assert check(adapter, sd1_checkpoint()).verdict == "compatible"


def test_text_encoder_that_the_file_lacks_does_nothing() -> None:
    adapter = {**unet_adapter("sd1"), **encoder_part("lora_te_")}
    verdict = check(adapter, whole("sd1"))
    assert (verdict.verdict, verdict.idle, verdict.unmatched) == ("partial", ("te",), 72)
    assert "loaded with it" in verdict.reasons[0]


def test_text_encoder_alone() -> None:
    assert check(encoder_part("lora_te_"), sd1_checkpoint()).verdict == "compatible"
    assert check(encoder_part("lora_te_"), whole("sd1")).verdict == "partial"
    assert check(encoder_part("lora_te_"), whole("wan2.1-t2v-14b")).verdict == "incompatible"


def test_second_encoder_in_openclip_names() -> None:
    base_ = {
        **prefixed("model.diffusion_model.", whole("sdxl")),
        **prefixed("conditioner.embedders.0.transformer.", whole("clip-l")),
        **prefixed("conditioner.embedders.1.model.", whole("clip-g")),
    }
    adapter = {**unet_adapter("sdxl"), **encoder_part("lora_te1_"), **encoder_part("lora_te2_", "clip-g.hf")}
    assert check(adapter, base_).verdict == "compatible"
    swapped = {**unet_adapter("sdxl"), **encoder_part("lora_te1_", "clip-g.hf")}
    assert check(swapped, base_).matched > 0


def test_encoders_named_by_comfyui_and_t5_numbered_three() -> None:
    base_ = {
        **prefixed("model.diffusion_model.", whole("flux1-dev")),
        **prefixed("text_encoders.clip_l.transformer.", whole("clip-l")),
        **prefixed("text_encoders.t5xxl.transformer.", whole("t5-xxl")),
    }
    adapter = {
        **kohya(weights("flux1-dev", "attn")),
        **encoder_part("lora_te1_"),
        **kohya(weights("t5-xxl", "encoder.block"), prefix="lora_te3_"),
    }
    assert check(adapter, base_).verdict == "compatible"


# ---------------------------------------------------------------- hidden and broken


def test_packed_weights_are_compared_with_the_reference() -> None:
    tensors, types = nf4(whole("flux1-dev"))
    packed = base(tensors, dtypes=types)
    verdict = check(kohya(weights("flux1-dev", "attn")), packed)
    assert verdict.verdict == "compatible"
    assert any("no size in the header" in reason for reason in verdict.reasons)
    assert check(kohya(weights("flux2-klein-4b", "blocks")), packed).verdict == "incompatible"


def test_one_shard_of_several_is_filled_up() -> None:
    names = sorted(whole("flux1-dev"))[:200]
    verdict = check(kohya(weights("flux1-dev", "attn")), {name: whole("flux1-dev")[name] for name in names})
    assert verdict.verdict == "compatible"
    assert any("a part of the model" in reason for reason in verdict.reasons)


def test_scales_beside_fp8_weights_are_no_weights() -> None:
    scales = {
        name.replace(".weight", ".scale_weight"): () for name in whole("flux1-dev") if name.endswith("weight")
    }
    types = {name: "F8_E4M3" for name in whole("flux1-dev") if name.endswith("attn.qkv.weight")}
    quantised = base({**whole("flux1-dev"), **scales, "scaled_fp8": (0,)}, dtypes=types)
    assert check(kohya(weights("flux1-dev", "attn")), quantised).verdict == "compatible"


def test_factors_of_different_ranks_work_nowhere() -> None:
    broken = {**unet_adapter("sdxl")}
    name = next(name for name in broken if name.endswith("lora_up.weight"))
    broken[name] = (broken[name][0], 5)
    verdict = check(broken, whole("sdxl"))
    assert verdict.verdict != "compatible"
    assert "ranks 5 and 8" in verdict.reasons[0]


def test_no_module_in_common() -> None:
    adapter = kohya({"some.layer": (8, 8), "some.other": (8, 8)})
    verdict = check(adapter, whole("sd1"))
    assert (verdict.verdict, verdict.matched, verdict.unmatched) == ("incompatible", 0, 2)


def test_the_same_weights_in_two_dialects() -> None:
    adapter = {
        **kohya(weights("flux1-dev", "img_attn.qkv")),
        **peft(weights("flux1-dev.diffusers", ".attn.to_q", ".attn.to_k", ".attn.to_v")),
    }
    verdict = check(adapter, whole("flux1-dev"))
    assert verdict.verdict == "partial"
    assert any("changed twice" in reason for reason in verdict.reasons)


def test_two_algorithms_in_one_file() -> None:
    low = kohya(weights("sd1", "attn1"))
    names = ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b")
    hadamard = {
        f"lora_unet_{module.replace('.', '_')}.{name}": (shape[0], 4) if name.endswith("a") else (4, shape[1])
        for module, shape in weights("sd1", "attn2").items()
        for name in names
    }
    verdict = check({**low, **hadamard}, whole("sd1"))
    both = len(weights("sd1", "attn1")) + len(weights("sd1", "attn2"))
    assert (verdict.verdict, verdict.matched) == ("compatible", both)
    assert check({**low, **hadamard}, whole("sd2")).verdict == "incompatible"


def test_a_base_packed_under_names_of_its_own() -> None:
    """SVDQuant fuses and renames: what cannot be compared is said, and taken from the reference layout."""
    names = {
        f"transformer_blocks.{n}.{layer}.{part}": (64, 64)
        for n in range(19)
        for layer in ("qkv_proj", "mlp_context_fc1")
        for part in ("qweight", "wscales")
    }
    singles = {f"single_transformer_blocks.{n}.norm.linear.qweight": (64, 64) for n in range(38)}
    types = dict.fromkeys([name for name in (*names, *singles) if name.endswith("qweight")], "I8")
    packed = base({**names, **singles}, dtypes=types)
    verdict = check(kohya(weights("flux1-dev", "attn")), packed)
    assert verdict.verdict == "compatible"
    assert any("reference layout" in reason for reason in verdict.reasons)
    assert check(kohya(weights("sdxl", "attn")), packed).verdict == "incompatible"


def test_absurd_ranks_are_no_reason_to_refuse() -> None:
    assert check(kohya(weights("sd1", "attn"), rank=4096), whole("sd1")).verdict == "compatible"


def test_a_base_that_nobody_knows_is_compared_by_its_own_names() -> None:
    known = {f"stem.{n}.weight": (12, 20) for n in range(4)}
    adapter = side(kohya({f"stem.{n}": (12, 20) for n in range(4)}))
    own = named_weights((name, shape, None) for name, shape in known.items())
    profile = FitProfile("diffusion_model", weights={"denoiser": own})
    subject = Subject("diffusion_model")
    assert check(adapter, Base(subject, tuple(base_tables(profile, subject)))).verdict == "compatible"
    assert check(adapter, Base(subject, ())).verdict == "unknown"


# ---------------------------------------------------------------- lineage


def test_families_and_predictions_lower_the_score() -> None:
    adapter, on = side(unet_adapter("sdxl")), base(whole("sdxl"))

    def score(mine: str | None, theirs: str | None, prediction: str | None = None) -> float:
        told = Side(replace(adapter.subject, family=mine, prediction="epsilon"), adapter.profile)
        other = Base(replace(on.subject, family=theirs, prediction=prediction), on.tables)
        return check(told, other).score

    assert score("pony", "pony") == 1.0
    assert score("illustrious", "noobai") > score("pony", "illustrious") > 0
    assert score("noobai", "noobai", "v") < score("noobai", "noobai", "epsilon") == 1.0


# ---------------------------------------------------------------- models that tensors cannot tell apart


def attention_only() -> dict[str, tuple[int, ...]]:
    return peft(weights("flux1-dev.diffusers", "attn.to_q", "attn.to_k"), prefix="transformer.")


def test_what_may_be_for_two_models_works_on_the_commoner_one_and_may_on_the_other() -> None:
    common, rare = (check(attention_only(), whole(layout)) for layout in ("flux1-dev", "chroma"))
    assert (common.verdict, rare.verdict) == ("compatible", "partial")
    assert "made for one of the two, and nothing in the file says for which" in common.reasons[1]
    assert "nothing in it says" in rare.reasons[0] and "FLUX.1" in rare.reasons[0]


def test_the_score_of_what_may_be_for_two_models_says_how_likely_each_is() -> None:
    common, rare = (check(attention_only(), whole(layout)) for layout in ("flux1-dev", "chroma"))
    told = side(attention_only(), metadata={"ss_base_model_version": "flux1"})
    assert check(told, whole("flux1-dev")).score > common.score > 0.8
    assert common.score > rare.score > 0


@pytest.mark.parametrize(("said", "works"), [("chroma", "chroma"), ("flux1", "flux1-dev")])
def test_metadata_tells_which_of_two_models_an_adapter_is_for(said: str, works: str) -> None:
    adapter = side(attention_only(), metadata={"ss_base_model_version": said})
    other = {"chroma": "flux1-dev", "flux1-dev": "chroma"}[works]
    assert check(adapter, whole(works)).verdict == "compatible"
    verdict = check(adapter, whole(other))
    assert verdict.verdict == "partial"
    assert "it was made for" in verdict.reasons[0]


def svdquant() -> dict[str, tuple[int, ...]]:
    """Blocks of FLUX.1 as nunchaku packs and calls them."""
    found: dict[str, tuple[int, ...]] = {}
    for block in range(19):
        for name in ("qkv_proj", "qkv_proj_context", "mlp_fc1", "mlp_context_fc1"):
            stem = f"transformer_blocks.{block}.{name}"
            found |= {f"{stem}.qweight": (9216, 1536), f"{stem}.wscales": (48, 9216)}
            found |= {f"{stem}.lora_down": (3072, 32), f"{stem}.lora_up": (9216, 32)}
    for block in range(38):
        stem = f"single_transformer_blocks.{block}.norm.linear"
        found |= {f"{stem}.qweight": (2304, 1536), f"{stem}.wscales": (48, 9216)}
    return found


def test_of_a_base_packed_under_other_names_the_layout_is_compared_and_that_is_said() -> None:
    verdict = check(kohya(weights("flux1-dev", "img_attn", "linear1")), svdquant())
    assert (verdict.verdict, verdict.unmatched) == ("compatible", 0)
    assert any("not the file" in reason for reason in verdict.reasons)
