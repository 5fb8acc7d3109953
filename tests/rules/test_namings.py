"""The two namings of every model, held against both of its layouts."""

from math import prod

import pytest

from indexer.domain.layouts import layout_ids, load_layout
from indexer.domain.vocabulary import architecture_path, read_table
from indexer.rules.fitting import layout_architecture
from indexer.rules.namings import naming_of

_OTHER = {"z-image.comfy": "z-image", "clip-g": "clip-g.hf"}
_FREE = {"positional_embedding", "text_projection"}
"""Bare parameters that adapters do not change."""


def diffusers_of(layout: str) -> str | None:
    bare = layout.removesuffix(".comfy").removesuffix(".split").removesuffix(".fused")
    found = _OTHER.get(layout, f"{bare}.diffusers")
    return found if found in layout_ids() and found != layout else None


PAIRS = [
    (layout, other)
    for layout in layout_ids()
    if (other := diffusers_of(layout)) and layout_architecture(layout)
]


def matrices(layout: str) -> dict[str, tuple[int, int]]:
    shapes = load_layout(layout)
    return {
        name.removesuffix("weight").rstrip("._").replace(".", "_"): (shape[0], prod(shape[1:]))
        for name, shape in shapes.items()
        if name.endswith("weight") and len(shape) > 1 and name not in _FREE
    }


def root_of(layout: str) -> str:
    architecture = layout_architecture(layout)
    assert architecture is not None
    return architecture_path(architecture)[0]


@pytest.mark.parametrize(("layout", "other"), PAIRS)
def test_every_weight_leads_to_its_namesakes_of_the_same_size(layout: str, other: str) -> None:
    naming, theirs = naming_of(root_of(layout)), matrices(other)
    for name, (rows, columns) in matrices(layout).items():
        pieces = naming.canonical(name)
        assert all(piece in theirs for piece in pieces), (name, pieces)
        assert sum(theirs[piece][0] for piece in pieces) == rows, name
        assert {theirs[piece][1] for piece in pieces} == {columns}, name


@pytest.mark.parametrize(("layout", "other"), PAIRS)
def test_the_way_back_is_the_way_there(layout: str, other: str) -> None:
    naming = naming_of(root_of(layout))
    for name in matrices(layout):
        for place, piece in enumerate(naming.canonical(name)):
            origins = {origin.name: origin for origin in naming.origins(piece)}
            assert piece == name or origins[name].part == place


def test_no_name_leads_to_two_places() -> None:
    roots = {root for table in read_table("namings.toml")["naming"] for root in table["roots"]}
    for layout, _ in PAIRS:
        naming = naming_of(root_of(layout))
        targets = [naming.canonical(name) for name in matrices(layout)]
        assert len({piece for pieces in targets for piece in pieces}) == sum(map(len, targets)), layout
    assert roots


def test_unet_blocks_are_counted_by_level() -> None:
    naming = naming_of("sdxl")
    found = naming.canonical("input_blocks_4_1_transformer_blocks_1_attn2_to_k")
    assert found == ("down_blocks_1_attentions_0_transformer_blocks_1_attn2_to_k",)
    assert naming.canonical("output_blocks_5_2_conv") == ("up_blocks_1_upsamplers_0_conv",)


def test_fused_weights_are_several() -> None:
    assert naming_of("flux1").canonical("single_blocks_37_linear1") == (
        "single_transformer_blocks_37_attn_to_q",
        "single_transformer_blocks_37_attn_to_k",
        "single_transformer_blocks_37_attn_to_v",
        "single_transformer_blocks_37_proj_mlp",
    )


def test_strangers_keep_their_names() -> None:
    assert naming_of("flux1").canonical("some_layer_3") == ("some_layer_3",)
    assert naming_of(None).canonical("double_blocks_0_img_attn_qkv") == ("double_blocks_0_img_attn_qkv",)
