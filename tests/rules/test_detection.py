"""From a header to a verdict: kinds, architectures, candidates, conflicts, and no confident wrong answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.claims import Claim, ClaimSet
from indexer.domain.header import Header
from indexer.domain.layouts import load_layout
from indexer.domain.verdict import Rank, Verdict
from indexer.domain.vocabulary import architecture, architecture_path, is_under, kinds
from indexer.rules import identify
from indexer.rules.fitting import layout_architecture
from tests.clocks import in_time
from tests.rules.builders import (
    Shape,
    denoiser_layouts,
    header,
    kohya,
    loha,
    nf4,
    oft,
    peft,
    prefixed,
    weights,
)

KINDS_BY_NAMES: dict[str, tuple[str, str | None, dict[str, Shape]]] = {
    "ip-adapter sd1": (
        "ip_adapter",
        "sd1",
        {"image_proj.proj.weight": (3072, 1024), "ip_adapter.1.to_k_ip.weight": (320, 768)},
    ),
    "ip-adapter sdxl": (
        "ip_adapter",
        "sdxl",
        {"image_proj.latents": (1, 16, 1280), "ip_adapter.1.to_k_ip.weight": (640, 2048)},
    ),
    "faceid": (
        "ip_adapter",
        "sd1",
        {
            "image_proj.proj.0.weight": (1024, 512),
            "ip_adapter.0.to_q_lora.down.weight": (128, 320),
            "ip_adapter.0.to_q_lora.up.weight": (320, 128),
            "ip_adapter.1.to_k_ip.weight": (320, 768),
        },
    ),
    "redux": (
        "flux_redux",
        "flux1-dev",
        {"redux_up.weight": (12288, 1152), "redux_down.weight": (4096, 12288)},
    ),
    "lllite": (
        "controlnet",
        "sdxl",
        {"lllite_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q.mid.0.weight": (16, 16)},
    ),
    "stability control lora": (
        "control_lora",
        "sdxl",
        {"lora_controlnet": (0,), "input_blocks.4.1.transformer_blocks.0.attn1.to_q.up": (640, 256)},
    ),
    "t2i sdxl": (
        "t2i_adapter",
        "sdxl",
        {
            "adapter.conv_in.weight": (320, 768, 3, 3),
            "adapter.body.0.resnets.0.block1.weight": (320, 320, 3, 3),
        },
    ),
    "t2i sd1": (
        "t2i_adapter",
        "sd1",
        {
            "conv_in.weight": (320, 192, 3, 3),
            "body.0.block1.weight": (320, 320, 3, 3),
            "body.0.block2.weight": (320, 320, 1, 1),
        },
    ),
    "a1111 embedding": ("textual_inversion", "sd1", {"emb_params": (8, 768)}),
    "sd2 embedding": ("textual_inversion", "sd2", {"emb_params": (8, 1024)}),
    "diffusers embedding": ("textual_inversion", "sd1", {"<cat-toy>": (768,)}),
    "sdxl embedding": ("textual_inversion", "sdxl", {"clip_l": (4, 768), "clip_g": (4, 1280)}),
    "motion": (
        "motion_module",
        "sd1",
        {
            f"down_blocks.{level}.motion_modules.0.temporal_transformer.proj_in.weight": (320, 320)
            for level in range(4)
        },
    ),
    "taesd": (
        "vae",
        "sd1",
        {"encoder.layers.0.weight": (64, 3, 3, 3), "decoder.layers.0.weight": (64, 4, 3, 3)},
    ),
    "cascade a": ("vae", "stable-cascade-a", {"vquantizer.codebook.weight": (8192, 4)}),
    "hypernetwork": (
        "hypernetwork",
        "sd1",
        {"768.0.linear.0.weight": (1536, 768), "320.0.linear.0.weight": (640, 320)},
    ),
    "esrgan": (
        "upscaler",
        "esrgan",
        {"model.0.weight": (64, 3, 3, 3), "model.1.sub.0.RDB1.conv1.0.weight": (32, 64, 3, 3)},
    ),
    "compact": (
        "upscaler",
        "realesrgan-compact",
        {"body.0.weight": (64, 3, 3, 3), "body.0.bias": (64,), "body.1.weight": (64,)},
    ),
    "redundant": ("unknown", None, {"hello": (3,), "world": (4, 4)}),
}


def claim(**values: object) -> ClaimSet:
    return ClaimSet("sidecar:test", tuple(Claim(name, value) for name, value in values.items()), {})


def candidates(verdict: Verdict) -> set[str]:
    return {candidate.architecture for candidate in verdict.candidates}


def checkpoint(denoiser: str, *encoders: tuple[str, str]) -> dict[str, Shape]:
    parts = {
        "model.diffusion_model.": denoiser,
        "first_stage_model.": "vae-kl-f8",
        **{p: e for e, p in encoders},
    }
    return {
        name: shape
        for prefix, key in parts.items()
        for name, shape in prefixed(prefix, load_layout(key)).items()
    }


@pytest.mark.parametrize(("kind", "name", "shapes"), KINDS_BY_NAMES.values(), ids=KINDS_BY_NAMES)
def test_small_kinds(kind: str, name: str | None, shapes: dict[str, Shape]) -> None:
    verdict = identify(header(shapes))
    assert (verdict.kind, verdict.architecture) == (kind, name)
    assert verdict.tensors == len(shapes)


@pytest.mark.parametrize("layout", denoiser_layouts())
def test_every_architecture_alone(layout: str) -> None:
    """Each architecture is told from all others, or stands among its documented twins."""
    truth = layout_architecture(layout)
    assert truth is not None
    if layout == "krea-2":
        return  # holds only the weights that adapters address
    verdict = identify(header(load_layout(layout)))
    assert verdict.kind == "diffusion_model"
    assert truth in candidates(verdict)
    assert verdict.architecture is not None and is_under(truth, verdict.architecture)
    beside = {name for name in candidates(verdict) if not is_under(name, verdict.architecture)}
    assert beside <= {"pixart-alpha", "pixart-sigma"}
    assert verdict.architecture_path == architecture_path(verdict.architecture)


@pytest.mark.parametrize("layout", denoiser_layouts())
def test_every_architecture_packed(layout: str) -> None:
    """With the large shapes hidden the answer may be coarser, never confidently wrong."""
    truth = layout_architecture(layout)
    assert truth is not None
    if layout == "krea-2":
        return
    packed, types = nf4(load_layout(layout))
    verdict = identify(header(packed, dtypes=types))
    assert verdict.kind == "diffusion_model" and verdict.quantisation == "nf4"
    assert truth in candidates(verdict)
    assert verdict.confidence < 0.9 or is_under(truth, verdict.architecture or "")


@pytest.mark.parametrize("layout", denoiser_layouts())
def test_every_architecture_as_an_adapter(layout: str) -> None:
    truth = layout_architecture(layout)
    verdict = identify(header(kohya(weights(layout), rank=16), metadata={"ss_network_alpha": "8.0"}))
    assert (verdict.kind, verdict.key_format) == ("lora", "kohya")
    assert verdict.adapter in ("lora", "locon")
    assert truth in candidates(verdict)
    assert verdict.confidence < 0.9 or is_under(truth or "", verdict.architecture or "")
    assert verdict.rank == Rank(16, 16, 16) and verdict.alpha == 8.0


def test_an_all_in_one_file_is_a_checkpoint_with_its_parts() -> None:
    verdict = identify(header(checkpoint("sd1", ("clip-l", "cond_stage_model.transformer."))))
    assert (verdict.kind, verdict.architecture) == ("checkpoint", "sd1")
    assert verdict.components == ("vae", "clip-l")
    assert verdict.confidence >= 0.95


def test_averaged_copies_and_markers() -> None:
    shapes = checkpoint("sdxl", ("clip-g", "conditioner.embedders.1.model."))
    shapes |= {"model_ema.diffusion_modelout0bias": (320,), "v_pred": (0,), "ztsnr": (0,)}
    verdict = identify(header(shapes))
    assert (verdict.kind, verdict.architecture, verdict.prediction_type) == ("checkpoint", "sdxl", "v")
    assert verdict.components == ("vae", "openclip-bigg", "ema")


def test_a_denoiser_behind_the_checkpoint_prefix_is_no_checkpoint() -> None:
    verdict = identify(header(prefixed("model.diffusion_model.", load_layout("flux1-dev"))))
    assert (verdict.kind, verdict.architecture) == ("diffusion_model", "flux1-dev")


@pytest.mark.parametrize(
    ("layout", "tensor", "shape", "name"),
    [
        ("sd1", "input_blocks.0.0.weight", (320, 9, 3, 3), "sd1-inpainting"),
        ("sd2", "input_blocks.0.0.weight", (320, 5, 3, 3), "sd2-depth"),
        ("sdxl.diffusers", "conv_in.weight", (320, 8, 3, 3), "sdxl-pix2pix"),
        ("flux1-dev", "img_in.weight", (3072, 384), "flux1-fill"),
        ("flux1-dev.diffusers", "x_embedder.weight", (3072, 128), "flux1-control"),
        ("wan2.1-t2v-14b", "patch_embedding.weight", (5120, 36, 1, 2, 2), "wan2.2-i2v-a14b"),
    ],
)
def test_the_first_layer_tells_variants(layout: str, tensor: str, shape: Shape, name: str) -> None:
    assert identify(header({**load_layout(layout), tensor: shape})).architecture == name


def test_twins_stay_candidates_of_the_node_that_is_proven() -> None:
    verdict = identify(header(load_layout("flux1-dev")))
    assert verdict.architecture == "flux1-dev"
    assert {"flux1-dev", "flux1-kontext-dev"} <= candidates(verdict)
    wan = identify(header(load_layout("wan2.1-t2v-14b")), file_name="wan2.2_t2v_low_noise_14B.safetensors")
    assert wan.architecture == "wan-14b"
    assert wan.candidates[0].architecture == "wan2.2-t2v-a14b"


def test_latent_spaces_shared_by_several_models() -> None:
    verdict = identify(header(load_layout("vae-kl-f8")))
    assert verdict.kind == "vae" and candidates(verdict) == {"sd1", "sd2", "sdxl"}
    assert verdict.confidence < 0.9
    assert identify(header(load_layout("vae-kl-f8")), file_name="sdxl_vae.safetensors").architecture == "sdxl"


@pytest.mark.parametrize(
    ("layout", "name"),
    [
        ("clip-l", "clip-l"),
        ("clip-g.hf", "clip-g"),
        ("clip-g", "openclip-bigg"),
        ("t5-xxl", "t5-xxl"),
        ("qwen3-0.6b", "qwen3-0.6b"),
    ],
)
def test_text_encoders(layout: str, name: str) -> None:
    verdict = identify(header(load_layout(layout)))
    assert (verdict.kind, verdict.architecture) == ("text_encoder", name)
    assert architecture(name).role == "text_encoder"


def test_an_adapter_without_modulation_leaves_chroma_open() -> None:
    verdict = identify(header(peft(weights("flux1-dev.diffusers", "attn"))))
    assert verdict.architecture == "flux1"
    assert {"flux1-dev", "flux1-kontext-dev", "flux1-schnell", "chroma"} <= candidates(verdict)
    assert verdict.confidence < 0.9


def test_metadata_choose_between_roots_that_both_fit() -> None:
    shapes = peft(weights("flux1-dev.diffusers", "attn"))
    verdict = identify(header(shapes, metadata={"ss_base_model_version": "chroma"}))
    assert verdict.architecture == "chroma" and verdict.confidence < 0.9


def test_metadata_never_override_shapes() -> None:
    shapes = kohya(weights("sdxl", "attn"))
    verdict = identify(
        header(shapes, metadata={"ss_base_model_version": "sd_v1"}), claims=[claim(base_label="Flux.1 D")]
    )
    assert verdict.architecture == "sdxl"
    assert [(c.claim, c.source) for c in verdict.conflicts] == [
        ("Flux.1 D", "sidecar:test"),
        ("sd_v1", "header:ss_base_model_version"),
    ]


def test_a_claimed_kind_that_is_wrong_is_a_conflict() -> None:
    shapes = load_layout("vae-flux1")
    wrong = identify(header(shapes), claims=[claim(kind="lora")])
    assert [(c.claim, c.found) for c in wrong.conflicts] == [("lora", "vae")]
    near = identify(header(load_layout("flux1-dev")), claims=[claim(kind="checkpoint")])
    assert near.conflicts == ()


def test_an_encoder_serves_many_bases_and_contradicts_none() -> None:
    assert identify(header(load_layout("t5-xxl")), claims=[claim(base_label="Flux.1 D")]).conflicts == ()


def test_a_family_is_a_graded_guess() -> None:
    verdict = identify(header(kohya(weights("sdxl", "attn"))), file_name="pony_style.safetensors")
    assert verdict.family == "pony"
    assert any(evidence.rule == "family" and "pony (0.5" in evidence.detail for evidence in verdict.evidence)


def test_adapters_of_other_algorithms() -> None:
    attention = weights("sdxl", "attn2")
    assert identify(header(loha(attention))).adapter == "loha"
    assert identify(header(oft(attention))).adapter == "oft"
    magnitudes = {
        f"lora_unet_{name.replace('.', '_')}.dora_scale": (shape[0], 1) for name, shape in attention.items()
    }
    dora = identify(header({**kohya(attention), **magnitudes}))
    assert dora.adapter == "dora"
    assert any("over lora" in evidence.detail for evidence in dora.evidence)


def test_an_adapter_of_text_encoders_alone() -> None:
    layers = weights("clip-l", "self_attn", "mlp")
    assert identify(header(kohya(layers, prefix="lora_te_"))).architecture == "sd1"
    numbered = identify(header(kohya(layers, prefix="lora_te1_")))
    assert {"sdxl", "flux1-dev"} <= candidates(numbered) and numbered.confidence < 0.9


def test_a_motion_adapter() -> None:
    names = [
        f"down_blocks.{level}.motion_modules.0.temporal_transformer.transformer_blocks.0.attention_blocks.0.processor.to_q_lora"
        for level in range(2)
    ]
    shapes: dict[str, Shape] = {}
    for name, width in zip(names, (320, 640), strict=True):
        shapes |= {f"{name}.down.weight": (32, width), f"{name}.up.weight": (width, 32)}
    verdict = identify(header(shapes))
    assert (verdict.kind, verdict.key_format, verdict.architecture) == ("lora", "animatediff", "sd1")


def test_names_alone_prove_less_than_sizes() -> None:
    names = list(kohya(weights("sdxl.diffusers", "attn1")))
    verdict = identify(header(names))
    assert verdict.architecture == "sdxl" and verdict.confidence < 0.9
    assert verdict.rank is None


def test_every_verdict_says_why() -> None:
    for layout in ("sd1", "flux1-dev", "vae-kl-f8", "clip-l"):
        verdict = identify(header(load_layout(layout)))
        assert verdict.evidence and all(evidence.rule and evidence.detail for evidence in verdict.evidence)


@given(
    st.dictionaries(
        st.one_of(
            st.text(max_size=30),
            st.sampled_from(sorted(load_layout("flux1-dev"))),
            st.just("a.lora_down.weight"),
        ),
        st.lists(st.integers(0, 5000), max_size=5).map(tuple),
        max_size=20,
    ),
    st.dictionaries(
        st.sampled_from(["ss_base_model_version", "ss_network_alpha", "lora_adapter_metadata"]), st.text()
    ),
    st.text(),
)
def test_nothing_in_a_header_can_break_it(
    shapes: dict[str, Shape], metadata: dict[str, str], name: str
) -> None:
    verdict = identify(header(shapes, metadata=metadata), file_name=name)
    assert verdict.kind in kinds()
    assert 0.0 <= verdict.confidence <= 1.0


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "name",
    [
        "double_blocks.{}.img_mlp.{}.weight",
        "{}" * 40 + ".lora_down.weight",
        "text_encoders.{}.x",
        "model.{}.weight",
    ],
)
def test_headers_made_to_be_slow_are_not(name: str) -> None:
    letters = str.maketrans("0123456789", "abcdefghij")
    names = {name.replace("{}", str(number).translate(letters)) for number in range(100_000)}
    model: Header = header(dict.fromkeys(names, (4, 4)))
    in_time(5.0, lambda: identify(model), once=True)
