"""Types, forms, true counts."""

import pytest

from indexer.domain.layouts import load_layout
from indexer.rules import identify
from indexer.rules.profile import Profile
from indexer.rules.quantisation import count_parameters, count_types, quantised_form
from tests.rules.builders import header, nf4

FORMS = {
    "svdquant": (["a.qweight", "a.wscales"], {}),
    "gptq": (["a.qweight", "a.qzeros", "a.g_idx"], {}),
    "awq": (["a.qweight", "a.qzeros", "a.scales"], {}),
    "nf4": (["a.weight", "a.weight.absmax", "a.weight.quant_state.bitsandbytes__nf4"], {"a.weight": "U8"}),
    "fp4": (["a.weight", "a.weight.quant_state.bitsandbytes__fp4"], {"a.weight": "U8"}),
    "bnb-int8": (["a.weight", "a.SCB"], {"a.weight": "I8"}),
    "nvfp4": (["a.weight", "a.weight_scale", "a.weight_scale_2"], {"a.weight": "U8"}),
    "fp8-scaled": (["a.weight", "a.weight_scale"], {"a.weight": "F8_E4M3"}),
    "int8-scaled": (["a.weight", "a.weight_scale"], {"a.weight": "I8"}),
    "fp8": (["a.weight", "b.weight"], {"a.weight": "F8_E5M2"}),
    None: (["a.weight", "norm.scale"], {}),
}


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_forms(form: str | None) -> None:
    names, types = FORMS[form]
    profile = Profile(header(names, dtypes=types))
    assert quantised_form(profile, count_types(profile), "safetensors") == form


def test_the_first_fp8_form_of_comfyui() -> None:
    profile = Profile(header(["a.weight", "a.scale_weight", "scaled_fp8"], dtypes={"a.weight": "F8_E4M3"}))
    assert quantised_form(profile, count_types(profile), "safetensors") == "fp8-scaled"


def test_gguf_names_its_most_frequent_block_type() -> None:
    types = {"a": "Q4_K", "b": "Q4_K", "c": "Q6_K", "d": "F32", "e": "F32", "f": "F32"}
    profile = Profile(header(list(types), dtypes=types, container="gguf"))
    assert quantised_form(profile, count_types(profile), "gguf") == "Q4_K"


def test_parameters_are_those_of_the_model_not_of_the_packing() -> None:
    whole = load_layout("flux1-schnell")
    packed, types = nf4(whole)
    counted = identify(header(packed, dtypes=types)).parameters
    assert counted == identify(header(whole)).parameters == 11_891_178_560


def test_scales_are_not_parameters() -> None:
    shapes = {"a.weight": (64, 64), "a.weight_scale": (64,), "a.input_scale": ()}
    profile = Profile(header(shapes, dtypes={"a.weight": "F8_E4M3"}))
    assert count_parameters(profile, "fp8-scaled") == 4096


def test_types_are_counted_most_frequent_first() -> None:
    profile = Profile(header(["a", "b", "c"], dtypes={"b": "BF16", "c": "BF16"}))
    assert list(count_types(profile).items()) == [("BF16", 2), ("F16", 1)]
