"""Needs: every architecture's parts, minus those inside; image encoders by width."""

import pytest

from indexer.domain.layouts import load_layout
from indexer.domain.vocabulary import architectures, read_table
from indexer.rules import identify
from indexer.rules.needs import encoders_of, needs_of, tensor_needs
from indexer.rules.profile import Profile
from tests.rules.builders import Shape, denoiser_layouts, header, prefixed


def told(kind: str, tensors: dict[str, Shape]) -> list[tuple[str, ...]]:
    return [need.options for need in tensor_needs(kind, Profile(header(tensors)))]


@pytest.mark.parametrize(
    ("architecture", "wanted"),
    [
        ("flux1-dev", [("clip-l",), ("t5-xxl",), ("flux1",)]),
        ("z-image-turbo", [("qwen3-4b",), ("flux1",)]),
        ("chroma", [("t5-xxl",), ("flux1",)]),
        ("wan2.2-t2v-a14b", [("umt5-xxl",), ("wan2.1", "qwen-image")]),
        ("wan2.2-ti2v-5b", [("umt5-xxl",), ("wan2.2",)]),
        ("wan2.1-i2v-14b", [("umt5-xxl",), ("wan2.1", "qwen-image"), ("clip-vit-h",)]),
        ("esrgan", []),
        (None, []),
    ],
)
def test_models_need_their_parts(architecture: str | None, wanted: list[tuple[str, ...]]) -> None:
    assert [need.options for need in needs_of("diffusion_model", architecture, ())] == wanted


def test_parts_inside_are_not_needed() -> None:
    assert needs_of("checkpoint", "sdxl", ("vae", "openclip-bigg", "clip-l")) == ()
    (need,) = needs_of("checkpoint", "sdxl", ("clip-g", "clip-l", "ema"))
    assert (need.part, need.options) == ("vae", ("sdxl",)) and need.why


def test_adapters_need_their_base_only() -> None:
    assert needs_of("lora", "flux1", ()) == needs_of("controlnet", "sdxl", ()) == ()


@pytest.mark.parametrize(
    ("tensors", "wanted"),
    [
        ({"image_proj.proj_in.weight": (768, 1280)}, ["clip-vit-h"]),
        ({"image_proj.proj_in.weight": (1280, 1664)}, ["clip-vit-bigg"]),
        ({"image_proj.proj.weight": (3072, 1024)}, ["clip-vit-h"]),
        ({"image_proj.proj.weight": (8192, 1280)}, ["clip-vit-bigg"]),
        ({"image_proj.proj.0.weight": (1024, 512)}, []),
        ({"image_proj.proj_in.weight": (5,)}, []),
        ({"other": (5, 1280)}, []),
    ],
)
def test_ip_adapters_name_their_tower(tensors: dict[str, Shape], wanted: list[str]) -> None:
    assert told("ip_adapter", tensors) == [(tower,) for tower in wanted]


def test_learnt_words_name_their_encoders() -> None:
    assert told("textual_inversion", {"emb_params": (4, 768)}) == [("clip-l",)]
    assert told("textual_inversion", {"clip_l": (2, 768), "clip_g": (2, 1280)}) == [
        ("clip-l",),
        ("clip-g", "openclip-bigg"),
    ]
    assert told("textual_inversion", {"a": (), "b": (3, 5)}) == []


def test_a_denoiser_says_so_in_its_verdict() -> None:
    verdict = identify(header(prefixed("model.diffusion_model.", load_layout("flux1-dev"))))
    assert [need.options[0] for need in verdict.needs] == ["clip-l", "t5-xxl", "flux1"]
    assert encoders_of("sdxl-inpainting") == ("clip-l", "clip-g")


@pytest.mark.parametrize("layout", denoiser_layouts())
def test_every_denoiser_with_a_layout_has_a_row(layout: str) -> None:
    verdict = identify(header(load_layout(layout)))
    assert (
        verdict.kind != "diffusion_model"
        or verdict.needs
        or verdict.architecture in ("flux2", "stable-cascade", None)
    )


def test_the_table_names_known_models() -> None:
    table = read_table("needs.toml")
    for name, row in table["architectures"].items():
        listed = [*row["encoders"], *row.get("vae", ()), *row.get("vision", ())]
        flat = [option for item in listed for option in ([item] if isinstance(item, str) else item)]
        assert row["why"] and name in architectures() and set(flat) <= architectures().keys(), name
    for row in table["vision"]:
        assert row["why"] and set(row["sizes"].values()) <= architectures().keys()
