"""Factors are gathered by module, whatever the dialect spells them like."""

import pytest

from indexer.domain.header import Header, TensorEntry
from indexer.rules.factors import factors_of


def header(*names: str) -> Header:
    tensors = {name: TensorEntry(dtype="F16", shape=[4, 4], data_offsets=[0, 32]) for name in names}
    return Header("safetensors", tensors, {}, 0, 32)


@pytest.mark.parametrize(
    ("stem", "suffixes", "algorithm", "slots"),
    [
        (
            "lora_unet_mid_block_attentions_0_proj_in",
            ("lora_down.weight", "lora_up.weight", "alpha"),
            "lora",
            {"down", "up", "alpha"},
        ),
        ("unet.mid_block.attentions.0.proj_in", ("lora_A.weight", "lora_B.weight"), "lora", {"down", "up"}),
        (
            "base_model.model.blocks.0.attn.q",
            ("lora_A.default.weight", "lora_B.default.weight"),
            "lora",
            {"down", "up"},
        ),
        (
            "double_blocks.0.processor.qkv_lora1",
            ("down.weight", "up.weight"),
            "lora",
            {"down", "up"},
        ),
        (
            "lora_unet_x",
            ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "dora_scale"),
            "loha",
            {"hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "magnitude"},
        ),
        ("lycoris_x", ("lokr_w1", "lokr_w2_a", "lokr_w2_b"), "lokr", {"lokr_w1", "lokr_w2_a", "lokr_w2_b"}),
        ("lora_unet_x", ("weight", "on_input"), "ia3", {"on_input", "diff"}),
        ("diffusion_model.x", ("diff", "diff_b"), "full", {"diff", "diff_b"}),
        (
            "lora_unet_x",
            ("lora_down.0.weight", "lora_up.0.weight", "lora_down.1.weight", "lora_up.1.weight"),
            "lora",
            {"lora_down.0.weight", "lora_up.0.weight", "lora_down.1.weight", "lora_up.1.weight"},
        ),
    ],
)
def test_one_module_with_all_its_factors(
    stem: str, suffixes: tuple[str, ...], algorithm: str, slots: set[str]
) -> None:
    (module,) = factors_of(header(*(f"{stem}.{suffix}" for suffix in suffixes)))
    assert module.algorithm == algorithm
    assert set(module.tensors) == slots
    assert set(module.tensors.values()) == {f"{stem}.{suffix}" for suffix in suffixes}


def test_a_model_that_is_no_adapter_has_none() -> None:
    assert factors_of(header("model.diffusion_model.input_blocks.0.0.weight", "x.alpha")) == []
