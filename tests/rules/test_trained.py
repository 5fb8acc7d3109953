"""Trained parts: components, groups of blocks and layers, in every dialect."""

import pytest

from indexer.domain.layouts import load_layout
from indexer.domain.verdict import TrainedPart
from indexer.domain.vocabulary import architectures, read_table
from indexer.rules.modules import roles_of
from indexer.rules.profile import Profile
from indexer.rules.trained import named_parts, trained_parts
from tests.rules.builders import Shape, header, kohya, loha, lokr, oft, peft, weights


def trained(tensors: dict[str, Shape]) -> tuple[TrainedPart, ...]:
    profile = Profile(header(tensors))
    return trained_parts(profile, roles_of(profile))


ATTENTION = ("double blocks 0-18", "single blocks 0-37")


def test_a_whole_flux_adapter() -> None:
    modules = weights("flux1-dev", "double_blocks.", "single_blocks.")
    (part,) = trained(kohya(modules))
    assert (part.part, part.blocks) == ("denoiser", ATTENTION)
    assert set(part.layers) == {"modulation", "attention+mlp", "attention", "mlp"}


@pytest.mark.parametrize("build", [kohya, loha, lokr, oft])
def test_every_algorithm_shows_its_blocks(build: object) -> None:
    modules = weights(
        "flux1-dev", "double_blocks.3.img_attn", "double_blocks.4.img_attn", "double_blocks.9.img_attn"
    )
    assert callable(build)
    (part,) = trained(build(modules))
    assert (part.blocks, part.layers) == (("double blocks 3-4, 9",), ("attention",))


def test_unet_blocks_have_short_names_in_their_order() -> None:
    names = (
        "input_blocks.4.1.transformer",
        "input_blocks.5.1.transformer",
        "middle_block.1",
        "output_blocks.0.1",
    )
    (part,) = trained(kohya(weights("sdxl", *names)))
    assert part.blocks == ("input 4-5", "middle", "output 0")
    assert part.layers == ("attention", "mlp", "projection") or set(part.layers) >= {"attention", "mlp"}


def test_the_mlp_of_a_diffusers_unet_is_not_attention() -> None:
    (part,) = trained(
        peft(weights("sd1.diffusers", "down_blocks.0.attentions.0.transformer_blocks.0.ff"), prefix="unet.")
    )
    assert (part.blocks, part.layers) == (("down 0",), ("mlp",))
    (part,) = trained(peft(weights("sd1.diffusers", "down_blocks.0.resnets.0.conv1"), prefix="unet."))
    assert part.layers == ("conv",)


def test_text_encoders_are_numbered_and_named() -> None:
    clip = weights("clip-l", "encoder.layers.0.", "encoder.layers.1.")
    tensors = kohya(clip, prefix="lora_te1_") | kohya(clip, prefix="lora_te2_")
    parts = trained(tensors)
    assert [(part.part, part.model) for part in parts] == [("text_encoder", None), ("text_encoder_2", None)]
    assert parts[0].blocks == ("layers 0-1",) and set(parts[0].layers) == {"attention", "mlp"}
    named = named_parts(parts, ("clip-l", "clip-g"))
    assert [part.model for part in named] == ["clip-l", "clip-g"]
    assert [part.model for part in named_parts(parts, ("clip-l",))] == ["clip-l", None]


def test_comfyui_names_its_encoders() -> None:
    parts = trained(
        peft({"clip_g.transformer.text_model.encoder.layers.0.mlp.fc1": (8, 8)}, prefix="text_encoders.")
    )
    assert [(part.part, part.model) for part in parts] == [("text_encoder", "clip-g")]


def test_embedded_words_are_a_part() -> None:
    tensors = kohya(weights("sd1", "input_blocks.1.1.transformer")) | {
        "bundle_emb.word.string_to_param.*": (2, 768)
    }
    assert [part.part for part in trained(tensors)] == ["denoiser", "embedding"]


@pytest.mark.parametrize(
    "layout", ["wan2.1-t2v-14b", "qwen-image", "z-image", "sd3.5-medium", "hunyuan-video", "auraflow"]
)
def test_all_blocks_of_a_layout_are_found(layout: str) -> None:
    modules = weights(layout)
    (part,) = trained(kohya(modules))
    assert part.blocks and "other" not in part.layers
    assert any(name.endswith(".weight") for name in load_layout(layout))


def test_the_table_is_sound() -> None:
    table = read_table("trained.toml")
    assert all(row["why"] for row in table["layer"])
    assert set(table["unet"]["blocks"]) <= set(table["blocks"].values())
    assert {model for key, model in table["encoders"].items() if key != "why"} <= architectures().keys()
