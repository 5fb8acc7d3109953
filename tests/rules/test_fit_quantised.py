"""Adapters on quantised bases: sizes that a form hides or halves are recovered, or it is said what was not
compared. Every form is made from the layout of a real model, as its tool writes it."""

from collections.abc import Callable
from math import prod

import pytest

from indexer.checking import Base
from indexer.domain.layouts import load_layout
from indexer.rules import identify
from tests.rules.builders import Shapes, header, kohya, nf4, peft, weights
from tests.rules.fit_builders import base, check

Packed = tuple[dict[str, tuple[int, ...]], dict[str, str]]
Packer = Callable[[str, tuple[int, ...]], Packed]
"""Tensors and their types in place of one weight."""


def plain_fp8(stem: str, shape: tuple[int, ...]) -> Packed:
    return {f"{stem}.weight": shape}, {f"{stem}.weight": "F8_E4M3"}


def scaled_fp8(stem: str, shape: tuple[int, ...]) -> Packed:
    tensors, types = plain_fp8(stem, shape)
    return tensors | {f"{stem}.scale_weight": (), f"{stem}.scale_input": ()}, types


def comfy_fp8(stem: str, shape: tuple[int, ...]) -> Packed:
    tensors, types = plain_fp8(stem, shape)
    return tensors | {f"{stem}.weight_scale": (), f"{stem}.comfy_quant": (40,)}, types | {
        f"{stem}.comfy_quant": "U8"
    }


def mxfp8(stem: str, shape: tuple[int, ...]) -> Packed:
    tensors, types = plain_fp8(stem, shape)
    scale = f"{stem}.weight_scale"
    return tensors | {scale: (shape[0], shape[1] // 32)}, types | {scale: "F8_E8M0"}


def nvfp4(stem: str, shape: tuple[int, ...]) -> Packed:
    return {
        f"{stem}.weight": (shape[0], shape[1] // 2),
        f"{stem}.weight_scale": (shape[0], shape[1] // 16),
        f"{stem}.weight_scale_2": (),
    }, {f"{stem}.weight": "U8", f"{stem}.weight_scale": "F8_E4M3"}


def comfy_int8(stem: str, shape: tuple[int, ...]) -> Packed:
    return {f"{stem}.weight": shape, f"{stem}.weight_scale": ()}, {f"{stem}.weight": "I8"}


def comfy_int4(stem: str, shape: tuple[int, ...]) -> Packed:
    """``convrot_w4a4``: two a byte along the columns, of a type that int8 has, too."""
    folded = (shape[0], shape[1] // 2)
    return {f"{stem}.weight": folded, f"{stem}.weight_scale": (shape[0],), f"{stem}.comfy_quant": (60,)}, {
        f"{stem}.weight": "I8",
        f"{stem}.comfy_quant": "U8",
    }


def bnb_int8(stem: str, shape: tuple[int, ...]) -> Packed:
    return {f"{stem}.weight": shape, f"{stem}.SCB": shape[:1], f"{stem}.weight_format": ()}, {
        f"{stem}.weight": "I8"
    }


def quanto_int8(stem: str, shape: tuple[int, ...]) -> Packed:
    return {
        f"{stem}.weight._data": shape,
        f"{stem}.weight._scale": (shape[0], 1),
        f"{stem}.input_scale": (),
        f"{stem}.output_scale": (),
    }, {f"{stem}.weight._data": "I8"}


def quanto_int4(stem: str, shape: tuple[int, ...]) -> Packed:
    groups = prod(shape) // 128
    return {
        f"{stem}.weight._data": (64, groups),
        f"{stem}.weight._scale": (1, groups),
        f"{stem}.weight._shift": (1, groups),
    }, {f"{stem}.weight._data": "U8"}


def torchao_int8(stem: str, shape: tuple[int, ...]) -> Packed:
    data = f"{stem}._weight_qdata"
    return {data: shape, f"{stem}._weight_scale": (shape[0], 1)}, {data: "I8"}


def torchao_int4(stem: str, shape: tuple[int, ...]) -> Packed:
    data, groups = f"{stem}._weight_qdata", (shape[1] // 128, shape[0])
    return {
        data: (shape[0], shape[1] // 2),
        f"{stem}._weight_scale": groups,
        f"{stem}._weight_zero_point": groups,
    }, {data: "U8"}


def gptq(stem: str, shape: tuple[int, ...]) -> Packed:
    return {
        f"{stem}.qweight": (shape[1] // 8, shape[0]),
        f"{stem}.qzeros": (shape[1] // 128, shape[0] // 8),
        f"{stem}.scales": (shape[1] // 128, shape[0]),
        f"{stem}.g_idx": shape[1:],
    }, {f"{stem}.qweight": "I32", f"{stem}.qzeros": "I32", f"{stem}.g_idx": "I32"}


def sdnq(stem: str, shape: tuple[int, ...]) -> Packed:
    return {
        f"{stem}.weight": (prod(shape) // 2,),
        f"{stem}.scale": (shape[0], shape[1] // 64, 1),
        f"{stem}.zero_point": (shape[0], shape[1] // 64, 1),
    }, {f"{stem}.weight": "U8"}


def packed(layout: str, pack: Packer) -> Packed:
    """A model of which all large matrices are packed."""
    tensors: dict[str, tuple[int, ...]] = {}
    types: dict[str, str] = {}
    for name, shape in load_layout(layout).items():
        large = name.endswith(".weight") and len(shape) == 2 and min(shape) >= 512
        inside, told = pack(name[:-7], shape) if large else ({name: shape}, {})
        tensors |= inside
        types |= told
    return tensors, types


FORMS: dict[str, tuple[Packer, str | None, bool]] = {
    "fp8": (plain_fp8, "fp8", False),
    "fp8 scaled, first form": (scaled_fp8, "fp8-scaled", False),
    "fp8 scaled": (comfy_fp8, "fp8-scaled", False),
    "mxfp8": (mxfp8, "fp8-scaled", False),
    "nvfp4": (nvfp4, "nvfp4", False),
    "int8": (comfy_int8, "int8-scaled", False),
    "int4 of ComfyUI": (comfy_int4, "int8-scaled", True),
    "bitsandbytes int8": (bnb_int8, "bnb-int8", False),
    "quanto int8": (quanto_int8, "quanto", False),
    "quanto int4": (quanto_int4, "quanto", True),
    "torchao int8": (torchao_int8, "torchao", False),
    "torchao int4": (torchao_int4, "torchao", True),
    "gptq": (gptq, "gptq", True),
    "sdnq": (sdnq, "sdnq", True),
}
"""By name: how it is packed, the id of the form, and whether sizes are hidden by it."""


def _base(layout: str, form: str) -> Base:
    tensors, types = packed(layout, FORMS[form][0])
    return base(tensors, dtypes=types)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("layout", ["flux1-dev", "flux1-dev.diffusers"])
def test_forms_of_quantised_bases(form: str, layout: str) -> None:
    pack, told, hides = FORMS[form]
    tensors, types = packed(layout, pack)
    verdict = identify(header(tensors, dtypes=types))
    assert (verdict.quantisation, verdict.architecture_path[:1]) == (told, ("flux1",))
    on = base(tensors, dtypes=types)
    good = check(peft(weights("flux1-dev.diffusers", "attn", "mlp")), on)
    assert (good.verdict, good.unmatched, good.mismatched) == ("compatible", 0, 0), good
    said = [reason for reason in good.reasons if "no size in the header" in reason]
    assert bool(said) == hides
    assert all("the reference layout" in reason for reason in said)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("other", ["flux2-klein-4b", "hunyuan-video", "chroma"])
def test_other_models_adapters_do_not_fit_a_quantised_base(form: str, other: str) -> None:
    """Chroma's attention fits FLUX.1, its modulation does not exist there."""
    adapter = kohya(weights(other, "blocks", "distilled"))
    assert check(adapter, _base("flux1-dev", form)).verdict in ("incompatible", "partial")
    assert check(adapter, _base(other, form)).verdict in ("compatible", "partial")


def test_nf4_takes_a_size_from_the_reference_only_where_the_number_of_weights_agrees() -> None:
    tensors, types = nf4(load_layout("flux1-dev"))
    name = "double_blocks.0.img_attn.proj.weight"
    cut: Shapes = tensors | {name: (tensors[name][0] // 2, 1)}
    adapter = kohya(weights("flux1-dev", "double_blocks.0.img_attn.proj"))
    assert check(adapter, base(tensors, dtypes=types)).verdict == "compatible"
    assert check(adapter, base(cut, dtypes=types)).verdict != "compatible"


@pytest.mark.parametrize("block", ["Q4_K", "Q8_0", "IQ4_XS"])
def test_gguf_keeps_its_sizes(block: str) -> None:
    shapes = load_layout("flux1-dev")
    types = {name: block for name, shape in shapes.items() if len(shape) == 2}
    on = base(shapes, dtypes=types, container="gguf")  # type: ignore[arg-type]  # a word of header()
    verdict = check(kohya(weights("flux1-dev", "attn")), on)
    assert verdict.verdict == "compatible"
    assert not any("no size" in reason for reason in verdict.reasons)
    assert check(kohya(weights("flux2-klein-9b", "blocks")), on).verdict == "incompatible"
