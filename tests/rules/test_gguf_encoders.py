"""Text and vision encoders in llama.cpp's names, and what GGUF files of diffusion models are called."""

import pytest

from indexer.domain.header import Header
from indexer.domain.layouts import load_layout
from indexer.domain.verdict import Verdict
from indexer.rules import identify
from indexer.rules.signatures import signatures
from tests.rules.builders import Shape, Shapes, header, prefixed


def gguf(shapes: Shapes, architecture: str = "", name: str = "") -> Verdict:
    """The verdict on a GGUF header, matrices in Q4_K."""
    types = {key: "Q4_K" if len(shape) == 2 else "F32" for key, shape in shapes.items()}
    metadata = {"general.architecture": architecture} if architecture else {}
    return identify(header(shapes, dtypes=types, metadata=metadata, container="gguf"), file_name=name)


def language_model(
    tokens: int, width: int, middle: int, *, kv: int = 1024, marks: dict[str, Shape] | None = None
) -> dict[str, Shape]:
    """Two blocks of a decoder; ``marks`` are further tensors of each block."""
    block: dict[str, Shape] = {
        "attn_q.weight": (width, width),
        "attn_k.weight": (kv, width),
        "attn_norm.weight": (width,),
        "ffn_up.weight": (middle, width),
        "ffn_down.weight": (width, middle),
        **(marks or {}),
    }
    tensors: dict[str, Shape] = {"token_embd.weight": (tokens, width), "output_norm.weight": (width,)}
    return tensors | {f"blk.{n}.{name}": shape for n in range(2) for name, shape in block.items()}


def t5(tokens: int, width: int, *, every_layer: bool = False) -> dict[str, Shape]:
    tensors: dict[str, Shape] = {"token_embd.weight": (tokens, width)}
    for number in range(2):
        tensors[f"enc.blk.{number}.attn_q.weight"] = (width, width)
        if number == 0 or every_layer:
            tensors[f"enc.blk.{number}.attn_rel_b.weight"] = (32, 64)
    return tensors


def vision(width: int, *, fused: bool = False, more: dict[str, Shape] | None = None) -> dict[str, Shape]:
    attention = "attn_qkv.weight" if fused else "attn_q.weight"
    return {
        "v.patch_embd.weight": (width, 3, 14, 14),
        f"v.blk.0.{attention}": (3 * width if fused else width, width),
        **(more or {}),
    }


QK: dict[str, Shape] = {"attn_q_norm.weight": (128,), "attn_k_norm.weight": (128,)}
AROUND: dict[str, Shape] = {"post_ffw_norm.weight": (1,), "post_attention_norm.weight": (1,)}
CLASS: dict[str, Shape] = {"v.class_embd": (1,), "v.position_embd.weight": (257, 1)}
PLACES: dict[str, Shape] = {"v.position_embd.weight": (729, 1)}
DEEP: dict[str, Shape] = {"v.deepstack.5.norm.weight": (4096,)}
GATED: dict[str, Shape] = {"v.blk.0.ffn_gate.weight": (3420, 1280)}

TEXT: dict[str, dict[str, Shape]] = {
    "qwen3-0.6b": language_model(151_936, 1024, 3072, marks=QK),
    "qwen3-1.7b": language_model(151_936, 2048, 6144, marks=QK),
    "qwen3-4b": language_model(151_936, 2560, 9728, marks=QK),
    "qwen3-8b": language_model(151_936, 4096, 12_288, marks=QK),
    "qwen2.5-vl-3b": language_model(151_936, 2048, 11_008, marks={"attn_k.bias": (256,)}),
    "qwen2.5-vl-7b": language_model(152_064, 3584, 18_944, marks={"attn_k.bias": (512,)}),
    "llama-3.1-8b": language_model(128_256, 4096, 14_336),
    "mistral-small-3": language_model(131_072, 5120, 32_768),
    "ministral-3b": language_model(131_072, 3072, 9216),
    "gemma2-2b": language_model(256_000, 2304, 9216, marks=AROUND),
    "gemma3-4b": language_model(262_208, 2560, 10_240, marks=AROUND | QK),
    "gemma3-12b": language_model(262_208, 3840, 15_360, marks=AROUND | QK),
    "t5-xxl": t5(32_128, 4096),
    "umt5-xxl": t5(256_384, 4096, every_layer=True),
    "pile-t5-xl": t5(32_128, 2048, every_layer=True),
    "mt5-xl": t5(250_112, 2048),
    "t5-large": t5(32_128, 1024),
    "t5-base": t5(32_128, 768),
    "byt5-small": t5(384, 1472),
    "clip-l": {"t.token_embd.weight": (49_408, 768), "t.blk.0.attn_q.weight": (768, 768)},
    "clip-h": {"t.token_embd.weight": (49_408, 1024), "t.blk.0.attn_q.weight": (1024, 1024)},
    "clip-g": {"t.token_embd.weight": (49_408, 1280), "t.blk.0.attn_q.weight": (1280, 1280)},
    "chatglm3": {
        "token_embd.weight": (65_024, 4096),
        "blk.0.attn_qkv.weight": (4608, 4096),
        "blk.0.ffn_down.weight": (4096, 13_696),
    },
}
VISION: dict[str, dict[str, Shape]] = {
    "clip-vit-b": vision(768, more=CLASS),
    "clip-vit-l": vision(1024, more=CLASS),
    "clip-vit-h": vision(1280, more=CLASS),
    "clip-vit-bigg": vision(1664, more=CLASS),
    "siglip-base": vision(768, more=PLACES),
    "siglip-so400m": vision(1152, more=PLACES | {"mm.input_projection.weight": (1152, 2560)}),
    "qwen2.5-vl-3b": vision(1280, more=GATED | {"mm.2.weight": (2048, 5120)}),
    "qwen2.5-vl-7b": vision(1280, more=GATED | {"mm.2.weight": (3584, 5120)}),
    "qwen3-vl-4b": vision(1024, fused=True, more=DEEP | PLACES | {"mm.2.weight": (2560, 4096)}),
    "qwen3-vl-8b": vision(1152, fused=True, more=DEEP | PLACES | {"mm.2.weight": (4096, 4608)}),
}


@pytest.mark.parametrize("architecture", TEXT)
def test_text_encoders(architecture: str) -> None:
    found = gguf(TEXT[architecture])
    assert (found.kind, found.architecture) == ("text_encoder", architecture)
    assert found.conflicts == ()


@pytest.mark.parametrize("architecture", VISION)
def test_vision_encoders(architecture: str) -> None:
    found = gguf(VISION[architecture], "clip")
    assert (found.kind, found.architecture) == ("clip_vision", architecture)
    assert found.conflicts == ()


def test_every_row_has_a_case() -> None:
    named = {row.architectures[0] for row in signatures() if row.id.startswith("gguf.") and row.architectures}
    assert named == TEXT.keys() | VISION.keys()


def test_tensors_cannot_tell_a_vl_model_without_its_tower() -> None:
    found = gguf(TEXT["qwen3-8b"])
    assert {candidate.architecture for candidate in found.candidates} == {"qwen3-8b", "qwen3-vl-8b"}


@pytest.mark.parametrize(
    "shapes",
    [
        language_model(131_072, 5120, 14_336),
        language_model(151_936, 5120, 17_408, marks=QK),
        vision(1024, more={"v.blk.0.ffn_gate.weight": (4096, 1024)}),
    ],
    ids=["mistral nemo", "qwen3 14b", "pixtral"],
)
def test_neighbours_of_the_same_widths_are_left_open(shapes: dict[str, Shape]) -> None:
    found = gguf(shapes)
    assert found.kind in ("text_encoder", "clip_vision")
    assert found.architecture is None


@pytest.mark.parametrize(
    ("layout", "claim"),
    [
        ("flux1-dev", "flux"),
        ("flux2-dev", "flux"),
        ("flux2-klein-4b", "flux"),
        ("chroma", "flux"),
        ("sd1", "sd1"),
        ("sdxl", "sdxl"),
        ("sd3.5-large", "sd3"),
        ("auraflow", "aura"),
        ("wan2.1-t2v-14b", "wan"),
        ("wan2.2-ti2v-5b", "wan"),
        ("hunyuan-video", "hyvid"),
        ("ltx-video", "ltxv"),
        ("hidream-i1", "hidream"),
        ("lumina-2", "lumina2"),
        ("z-image", "lumina2"),
        ("qwen-image", "qwen_image"),
        ("cosmos-predict2", "cosmos"),
        ("anima", "cosmos"),
    ],
)
def test_converters_names_never_change_what_shapes_say(layout: str, claim: str) -> None:
    shapes = load_layout(layout)
    plain, claimed = gguf(shapes), gguf(shapes, claim)
    assert plain.architecture is not None
    assert claimed.kind == "diffusion_model"
    assert claimed.architecture == plain.architecture
    assert claimed.conflicts == ()
    behind = gguf(prefixed("model.diffusion_model.", shapes))
    assert behind.architecture == plain.architecture


def test_a_false_claim_is_reported_not_believed() -> None:
    found = gguf(load_layout("sdxl"), "flux")
    assert found.architecture == "sdxl"
    assert [(conflict.claim, conflict.source) for conflict in found.conflicts] == [
        ("flux", "header:general.architecture")
    ]


def test_quantised_form_and_true_parameters() -> None:
    found = gguf(load_layout("flux1-schnell"), "flux")
    assert found.quantisation == "Q4_K"
    assert found.parameters == 11_891_178_560
    whole = identify(Header("gguf", header(load_layout("flux1-schnell")).tensors, {}, 0, 0))
    assert whole.quantisation is None
    assert whole.parameters == found.parameters
