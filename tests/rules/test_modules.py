"""Adapter tensors taken apart: every suffix, every dialect, every algorithm's arithmetic."""

import pytest

from indexer.rules.modules import Module, modules_of, roles_of
from indexer.rules.profile import Profile
from tests.rules.builders import Shape, header


def modules(shapes: dict[str, Shape]) -> list[Module]:
    profile = Profile(header(shapes))
    return modules_of(profile, roles_of(profile))


@pytest.mark.parametrize(
    ("name", "mate", "module", "part"),
    [
        ("lora_unet_a_b.lora_down.weight", "lora_unet_a_b.lora_up.weight", "a_b", "denoiser"),
        ("lora_te1_x.lora_down.weight", "lora_te1_x.lora_up.weight", "x", "te#"),
        ("lora_te_x.lora_down.weight", "lora_te_x.lora_up.weight", "x", "te"),
        ("transformer.a.b.lora_A.weight", "transformer.a.b.lora_B.weight", "a_b", "denoiser"),
        ("diffusion_model.a.b.lora_A", "diffusion_model.a.b.lora_B", "a_b", "denoiser"),
        (
            "base_model.model.a.lora_A.default.weight",
            "base_model.model.a.lora_B.default.weight",
            "a",
            "denoiser",
        ),
        ("unet.a.lora.down.weight", "unet.a.lora.up.weight", "a", "denoiser"),
        ("lora_unet__a.lora_down.weight", "lora_unet__a.lora_up.weight", "a", "denoiser"),
        ("lora_transformer_a.lora_down.weight", "lora_transformer_a.lora_up.weight", "a", "denoiser"),
        (
            "x.attn1.processor.to_out_lora.down.weight",
            "x.attn1.processor.to_out_lora.up.weight",
            "x_attn1_to_out_0",
            "denoiser",
        ),
        (
            "double_blocks.3.processor.qkv_lora2.down.weight",
            "double_blocks.3.processor.qkv_lora2.up.weight",
            "double_blocks_3_txt_attn_qkv",
            "denoiser",
        ),
    ],
)
def test_dialects(name: str, mate: str, module: str, part: str) -> None:
    assert modules({name: (8, 64), mate: (32, 8)}) == [Module(part, module, 32, 64, 8)]


def test_lora_on_a_convolution_counts_the_kernel() -> None:
    shapes: dict[str, Shape] = {"a.lora_down.weight": (8, 4, 3, 3), "a.lora_up.weight": (320, 8, 1, 1)}
    assert modules(shapes) == [Module("denoiser", "a", 320, 36, 8)]


def test_a_middle_factor_carries_the_kernel() -> None:
    shapes: dict[str, Shape] = {
        "a.lora_down.weight": (8, 4, 1, 1),
        "a.lora_mid.weight": (8, 8, 3, 3),
        "a.lora_up.weight": (320, 8, 1, 1),
    }
    assert modules(shapes) == [Module("denoiser", "a", 320, 36, 8)]


def test_loha_plain_and_tucker() -> None:
    plain: dict[str, Shape] = {"a.hada_w1_a": (320, 4), "a.hada_w1_b": (4, 640)}
    assert modules(plain) == [Module("denoiser", "a", 320, 640, 4)]
    tucker: dict[str, Shape] = {"a.hada_t1": (4, 4, 3, 3), "a.hada_w1_a": (4, 320), "a.hada_w1_b": (4, 64)}
    assert modules(tucker) == [Module("denoiser", "a", 320, 576, 4)]


@pytest.mark.parametrize(
    ("factors", "rank"),
    [
        ({"lokr_w1": (8, 4), "lokr_w2_a": (40, 4), "lokr_w2_b": (4, 160)}, 4),
        ({"lokr_w1_a": (8, 2), "lokr_w1_b": (2, 4), "lokr_w2": (40, 160)}, 2),
        ({"lokr_w1": (8, 4), "lokr_w2": (40, 160)}, None),
        ({"lokr_w1": (8, 4), "lokr_w2": (40, 16, 3, 3)}, None),
    ],
)
def test_lokr_multiplies_its_sides(factors: dict[str, Shape], rank: int | None) -> None:
    (module,) = modules({f"a.{factor}": shape for factor, shape in factors.items()})
    columns = 576 if len(factors.get("lokr_w2", ())) == 4 else 640
    assert module == Module("denoiser", "a", 320, columns, rank)


def test_oft_tells_rows_only_and_adds_up_split_blocks() -> None:
    assert modules({"oft_unet_a.oft_blocks": (4, 80, 80)}) == [Module("denoiser", "a", 320, None, None)]
    split: dict[str, Shape] = {f"oft_unet_a.oft_blocks.{part}": (4, 768, 768) for part in range(3)}
    assert modules(split) == [Module("denoiser", "a", 9216, None, None)]


def test_glora_full_and_ia3() -> None:
    glora: dict[str, Shape] = {
        "a.a1.weight": (640, 8),
        "a.a2.weight": (8, 640),
        "a.b1.weight": (320, 8),
        "a.b2.weight": (8, 640),
        "a.alpha": (),
    }
    assert modules(glora) == [Module("denoiser", "a", 320, 640, 8)]
    assert modules({"a.diff": (320, 4, 3, 3), "a.diff_b": (320,)}) == [Module("denoiser", "a", 320, 36, None)]
    assert modules({"a.on_input": (), "a.weight": (320,)}) == [Module("denoiser", "a", None, None, None)]


def test_shapes_never_recorded_are_unknown() -> None:
    assert modules({"a.lora_down.weight": (1,), "a.lora_up.weight": (1,)}) == [
        Module("denoiser", "a", None, None, None)
    ]


@pytest.mark.parametrize(
    "names",
    [
        ["model.diffusion_model.out.0.weight", "alpha"],
        ["double_blocks.0.img_attn.norm.query_norm.scale"],
        ["a.qweight", "a.wscales", "a.lora_down", "a.lora_up"],
        ["body.a1.weight", "body.b1.weight"],
    ],
)
def test_what_is_no_adapter(names: list[str]) -> None:
    assert roles_of(Profile(header(names))) == {}
