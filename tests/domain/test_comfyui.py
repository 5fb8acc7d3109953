"""What ComfyUI's loaders call a file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.comfyui import category_named, loader_path

NAMES = st.text(
    st.characters(blacklist_characters="/\x00", blacklist_categories=["Cs"]), min_size=1, max_size=12
).filter(lambda name: name not in (".", ".."))


@pytest.mark.parametrize(
    ("root", "layout", "directory", "kind", "expected"),
    [
        (
            "/d/ComfyUI",
            "comfyui",
            "models/loras/flux",
            "lora",
            ("loras", "/d/ComfyUI/models/loras", "flux/a"),
        ),
        (
            "/d/ComfyUI",
            "comfyui",
            "models/loras/clip",
            "lora",
            ("loras", "/d/ComfyUI/models/loras", "clip/a"),
        ),
        (
            "/d/sd",
            "a1111",
            "models/Stable-diffusion",
            "vae",
            ("checkpoints", "/d/sd/models/Stable-diffusion", "a"),
        ),
        ("/d/sd", "a1111", "embeddings", None, ("embeddings", "/d/sd/embeddings", "a")),
        ("/m/unet", "plain", "wan", None, ("diffusion_models", "/m/unet", "wan/a")),
        ("/m/taesd", "comfyui:vae_approx", "", "vae", ("vae_approx", "/m/taesd", "a")),
        ("/c/models/loras/flux", "plain", "x", "lora", ("loras", "/c/models/loras", "flux/x/a")),
        ("/c/my loras", "plain", "x", "lora", ("loras", "/c/my loras", "x/a")),
        ("/", "plain", "", "checkpoint", ("checkpoints", "/", "a")),
    ],
)
def test_a_file_has_a_category_and_a_path_below_its_folder(
    root: str, layout: str, directory: str, kind: str | None, expected: tuple[str, str, str]
) -> None:
    found = loader_path(root, layout, directory, "a", kind)
    assert found is not None
    assert (found.category, found.folder, found.path) == expected


def test_what_nothing_tells_has_no_category() -> None:
    assert loader_path("/m/stuff", "plain", "x", "a", "unknown") is None
    assert loader_path("/m/stuff", "plain", "x", "a") is None
    assert category_named("why") is None


@given(st.lists(NAMES, min_size=1, max_size=4), st.lists(NAMES, max_size=4), NAMES)
def test_folder_and_path_give_the_file_back(above: list[str], below: list[str], name: str) -> None:
    root = "/" + "/".join(above)
    found = loader_path(root, "plain", "/".join(below), name, "lora")
    assert found is not None
    assert f"{found.folder}/{found.path}" == "/".join((root, *below, name))
