"""Ranks, alphas and scale by part."""

import json

import pytest

from indexer.rules import identify
from indexer.rules.details import with_alphas
from tests.rules.builders import header, kohya, lokr, oft, peft, weights

UNET = weights("sd1", "input_blocks.1.1.transformer")
CLIP = weights("clip-l", "encoder.layers.0.")


def both(rank: int = 8, encoder_rank: int = 4) -> dict[str, tuple[int, ...]]:
    return kohya(UNET, rank) | kohya(CLIP, encoder_rank, prefix="lora_te_")


def test_ranks_are_told_by_part() -> None:
    ranks = identify(header(both())).ranks
    assert {part: (rank.min, rank.max, rank.mode) for part, rank in ranks.items()} == {
        "denoiser": (8, 8, 8),
        "text_encoder": (4, 4, 4),
    }


@pytest.mark.parametrize(
    ("metadata", "scale"),
    [
        ({"ss_network_alpha": "4"}, 0.5),
        ({"ss_network_alpha": "8"}, 1.0),
        ({}, None),
    ],
)
def test_the_scale_is_alpha_by_rank(metadata: dict[str, str], scale: float | None) -> None:
    assert identify(header(both(), metadata=metadata)).scale == scale


def test_a_file_without_alphas_has_scale_one() -> None:
    modules = weights("flux1-dev.diffusers", "transformer_blocks.0.attn.to_")
    assert identify(header(peft(modules))).scale == 1.0
    told = {"lora_adapter_metadata": json.dumps({"transformer.r": 8, "transformer.lora_alpha": 16})}
    assert identify(header(peft(modules), metadata=told)).scale == 2.0
    stabilised = {
        "lora_adapter_metadata": json.dumps({"transformer.lora_alpha": 4, "transformer.use_rslora": True})
    }
    assert identify(header(peft(modules, rank=16), metadata=stabilised)).scale == 1.0


def test_whole_lokr_factors_have_no_rank_and_scale_one() -> None:
    whole = {"lycoris_double_blocks_0_img_attn_qkv." + slot: (96, 32) for slot in ("lokr_w1", "lokr_w2")}
    verdict = identify(header(whole))
    assert (verdict.adapter, verdict.rank, verdict.scale) == ("lokr", None, 1.0)
    assert (
        identify(header(lokr(weights("flux1-dev", "double_blocks.0.img_attn.qkv")))).ranks["denoiser"].mode
        == 4
    )


def test_alphas_are_spread_by_part() -> None:
    tensors = both()
    values = {name: 4.0 if name.startswith("lora_te") else 2.0 for name in tensors if name.endswith(".alpha")}
    values[next(name for name in values if name.startswith("lora_unet"))] = 8.0
    verdict, warnings = with_alphas(identify(header(tensors)), values, {})
    assert (verdict.alpha, verdict.scale, warnings) == (2.0, 0.25, ())
    assert [(part, spread.min, spread.max, spread.mode) for part, spread in verdict.alphas.items()] == [
        ("denoiser", 2.0, 8.0, 2.0),
        ("text_encoder", 4.0, 4.0, 4.0),
    ]


def test_tensors_outweigh_what_metadata_state() -> None:
    metadata = {"ss_network_alpha": "16"}
    verdict = identify(header(both(), metadata=metadata))
    told, (warning,) = with_alphas(verdict, {"lora_unet_x.alpha": 4.0}, metadata)
    assert (told.alpha, told.scale, warning.code) == (4.0, 0.5, "alpha_mismatch")
    agreed, none = with_alphas(verdict, {"lora_unet_x.alpha": 16.0}, metadata)
    assert (agreed.alpha, none) == (16.0, ())


def test_the_alpha_of_oft_is_a_constraint() -> None:
    metadata = {"ss_network_alpha": "0.001"}
    verdict = identify(header(oft(UNET), metadata=metadata))
    told, warnings = with_alphas(verdict, {"oft_unet_x.alpha": 0.001}, metadata)
    assert (told.alpha, told.scale, told.alphas["denoiser"].mode, warnings) == (None, None, 0.001, ())


def test_nothing_read_changes_nothing() -> None:
    verdict = identify(header(both()))
    assert with_alphas(verdict, {}, {}) == (verdict, ())


def test_an_alpha_that_holds_the_root_of_rslora_agrees_with_what_is_stated() -> None:
    """LyCORIS saves alpha * sqrt(rank), so that alpha / rank is the scale for every loader."""
    metadata = {"ss_network_alpha": "4", "ss_network_args": json.dumps({"rs_lora": "True"})}
    verdict = identify(header(both(), metadata=metadata))
    told, warnings = with_alphas(verdict, {"lora_unet_x.alpha": 4 * 8**0.5}, metadata)
    assert told.scale == pytest.approx(4 / 8**0.5)
    assert warnings == ()
    _, (warning,) = with_alphas(verdict, {"lora_unet_x.alpha": 5.0}, metadata)
    assert warning.code == "alpha_mismatch"
