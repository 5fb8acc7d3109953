"""Tensor lists of the cast against known counts of real files, and adapters against the sizes they change."""

from collections import Counter
from dataclasses import replace
from math import prod

import pytest

from indexer.demo.cast import Part, load_cast
from indexer.demo.tensors import Tensor, tensors_of
from indexer.domain.layouts import load_layout
from indexer.errors import UsageError

CAST = load_cast()


def _part(ending: str) -> Part:
    return next(part for part in CAST.parts if part.path.endswith(ending))


def _shapes(ending: str) -> dict[str, tuple[int, ...]]:
    return {tensor.name: tensor.shape for tensor in tensors_of(_part(ending), CAST)}


@pytest.mark.parametrize(
    ("ending", "prefix", "count"),
    [
        ("lumenPainter_v12.safetensors", "model.diffusion_model.", 686),
        ("lumenPainter_v12.safetensors", "cond_stage_model.", 197),
        ("atlasXL_v1.safetensors", "model.diffusion_model.", 1680),
        ("atlasXL_v1.safetensors", "conditioner.", 587),
        ("atlasXL_v1.safetensors", "first_stage_model.", 248),
        ("quicksilver-dev-fp8.safetensors", "", 780),
        ("quicksilver-schnell-Q4_0.gguf", "", 776),
        ("pebble-klein-4b-fp8.safetensors", "", 149),
        ("pebble-klein-9b-fp8.safetensors", "", 201),
        ("plainsong-qwen-Q4_0.gguf", "", 1933),
        ("outline_control_sd15.safetensors", "control_model.", 340),
        ("4x_grainKeeper.safetensors", "", 702),
    ],
)
def test_base_models_have_as_many_tensors_as_real_ones(ending: str, prefix: str, count: int) -> None:
    assert sum(name.startswith(prefix) for name in _shapes(ending)) == count


def test_kohya_flux_adapter_touches_304_modules() -> None:
    modules = {name.partition(".")[0] for name in _shapes("gouge_linocut_f1d.safetensors")}
    assert len(modules) == 304


def test_sdxl_adapter_with_both_text_encoders() -> None:
    modules = Counter(
        name.partition("_text_model")[0].partition("_input")[0]
        for name in _shapes("impastoKnife_xl.safetensors")
    )
    assert modules["lora_te1"] == 72 * 3
    assert modules["lora_te2"] == 192 * 3


def test_vpred_checkpoint_carries_empty_markers() -> None:
    shapes = _shapes("noctuaVPred_v1.safetensors")
    assert shapes["v_pred"] == shapes["ztsnr"] == (0,)


def _groups(part: Part) -> dict[str, dict[str, Tensor]]:
    cut = (
        ".lora_"
        if part.adapter in ("lora", "locon", "dora")
        else ".hada_"
        if part.adapter == "loha"
        else ".lokr_"
    )
    found: dict[str, dict[str, Tensor]] = {}
    for tensor in tensors_of(part, CAST):
        module, dot, rest = tensor.name.partition(cut)
        if not dot:
            module, _, rest = tensor.name.rpartition(".")
        found.setdefault(module, {})[rest] = tensor
    return found


def _size(part: Part, tensors: dict[str, Tensor]) -> tuple[int, int]:
    """Rows and columns of the change a module's factors make."""
    shape = {name: tensor.shape for name, tensor in tensors.items()}
    if part.adapter == "loha":
        return shape["w1_a"][0], shape["w1_b"][1]
    if part.adapter == "lokr":
        return shape["w1"][0] * shape["w2_a"][0], shape["w1"][1] * shape["w2_b"][1]
    up, down = shape.get("up.weight") or shape["B.weight"], shape.get("down.weight") or shape["A.weight"]
    return up[0], prod(down[1:])


@pytest.mark.parametrize("part", [p for p in CAST.parts if p.form == "adapter"], ids=lambda p: p.path)
def test_factors_multiply_to_the_size_of_the_module(part: Part) -> None:
    target = CAST.targets[part.target or ""]
    sizes: dict[str, tuple[int, int]] = {}
    for prefix, layout in [(target["prefix"], target["layout"]), *target.get("text", ())]:
        for name, shape in load_layout(layout).items():
            module, _, leaf = name.rpartition(".")
            if leaf == "weight" and len(shape) > 1:
                sizes[prefix + (module.replace(".", "_") if target["flat"] else module)] = (
                    shape[0],
                    prod(shape[1:]),
                )
    groups = _groups(part)
    assert len(groups) > 20
    for module, tensors in groups.items():
        assert _size(part, tensors) == sizes[module], module


@pytest.mark.parametrize("part", [p for p in CAST.parts if p.form == "adapter"], ids=lambda p: p.path)
def test_rank_is_the_one_told(part: Part) -> None:
    suffix = {"loha": "hada_w1_b", "lokr": "lokr_w2_b"}.get(part.adapter, "")
    names = (suffix,) if suffix else ("lora_down.weight", "lora_A.weight")
    ranks = {tensor.shape[0] for tensor in tensors_of(part, CAST) if tensor.name.endswith(names)}
    assert ranks == {part.rank}


def test_an_unknown_form_is_told_with_its_row() -> None:
    with pytest.raises(UsageError, match="nothing-known"):
        tensors_of(replace(CAST.parts[0], form="nothing-known"), CAST)
