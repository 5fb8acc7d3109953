"""A style encoder from a local file: its layout, what is refused, and that it takes part in style search."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer.embedding.descriptors import DESCRIPTORS
from indexer.embedding.style_file import StyleFileEncoder
from indexer.embedding.style_pair import StylePair
from indexer.embedding.style_space import fit_style_space
from indexer.embedding.weights import WeightsUnavailableError
from tests.embedding.drawing import draw, gallery
from tests.embedding.tiny_clip import TINY, register

DIMENSION = 6


def write_style_file(path: Path, prefix: str = "", projection: str = "style.proj", **metadata: str) -> Path:
    """A tiny vision transformer with a projection to style, as its author would publish it."""
    open_clip = register(path.parent)
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    tower = {
        f"{prefix}{name}": tensor for name, tensor in open_clip.create_model(TINY).visual.state_dict().items()
    }
    tower.pop(f"{prefix}proj")
    tower[projection] = torch.randn(32, DIMENSION)
    save_file(tower, path, metadata={"architecture": TINY} | metadata)
    return path


def test_pictures_become_unit_vectors_of_the_projection(tmp_path: Path) -> None:
    encoder = StyleFileEncoder(write_style_file(tmp_path / "style.safetensors"), device="cpu")
    vectors = encoder.encode([draw("disc", "ink"), draw("bars", "oil", side=90)])
    assert vectors.shape == (2, DIMENSION) == (2, encoder.identity.dimension)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    identity = encoder.identity
    assert (identity.space, identity.model) == ("style-encoder", TINY)
    assert identity.weights.startswith("sha256:")


def test_names_of_csd_and_settings_beside_the_file_are_understood(tmp_path: Path) -> None:
    plain = StyleFileEncoder(write_style_file(tmp_path / "plain.safetensors"), device="cpu")
    named = write_style_file(
        tmp_path / "csd.safetensors", "module.backbone.", "module.last_layer_style", architecture="?"
    )
    named.with_suffix(".json").write_text(json.dumps({"architecture": TINY}), "utf-8")
    picture = [draw("cross", "film")]
    np.testing.assert_allclose(
        StyleFileEncoder(named, device="cpu").encode(picture), plain.encode(picture), atol=1e-6
    )


def test_preprocessing_is_part_of_the_identity(tmp_path: Path) -> None:
    one = StyleFileEncoder(write_style_file(tmp_path / "one.safetensors"), device="cpu")
    grey = json.dumps([0.5, 0.5, 0.5])
    other = StyleFileEncoder(
        write_style_file(tmp_path / "other.safetensors", mean=grey, resize_mode="squash"), device="cpu"
    )
    assert other.view is not None and other.view.fit == "squash"
    assert one.identity.key != other.identity.key


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ({"architecture": "no-such-model"}, "unknown to open_clip"),
        ({"architecture": ""}, "no architecture"),
        ({"architecture": "RN50"}, "no plain vision transformer"),
        ({"architecture": "ViT-B-32"}, "do not fit"),
        ({"mean": "[1, 2]"}, "three numbers"),
        ({"mean": "__import__('os')"}, "three numbers"),
        ({"std": "[0, 1, 1]"}, "three numbers"),
        ({"resize_mode": "stretch"}, "one of"),
    ],
)
def test_a_file_that_says_something_else_is_refused(
    tmp_path: Path, metadata: dict[str, str], why: str
) -> None:
    path = write_style_file(tmp_path / "style.safetensors", **metadata)
    with pytest.raises(WeightsUnavailableError, match=why):
        StyleFileEncoder(path, device="cpu").load()


def test_a_projection_is_needed(tmp_path: Path) -> None:
    path = write_style_file(tmp_path / "style.safetensors", projection="something_else")
    with pytest.raises(WeightsUnavailableError, match="no projection"):
        StyleFileEncoder(path, device="cpu").load()


@pytest.mark.parametrize("content", [b"", b"\x80\x04cposix\nsystem\n.", b"PK\x03\x04" + b"x" * 100])
@pytest.mark.parametrize("name", ["style.safetensors", "style.pth"])
def test_other_files_are_not_opened(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsUnavailableError) as caught:
        StyleFileEncoder(tmp_path / name, device="cpu").load()
    assert caught.value.code == "weights_format"


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> tuple[StylePair, Any, Any, Any]:
    path = write_style_file(tmp_path_factory.mktemp("style") / "style.safetensors")
    pair = StylePair(DESCRIPTORS["style"], StyleFileEncoder(path, device="cpu"))
    pictures, styles, _ = gallery()
    return pair, pair.encode(pictures), DESCRIPTORS["content"].encode(pictures), styles


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_network_counts_by_its_share(described: tuple[StylePair, Any, Any, Any], share: float) -> None:
    pair, style, content, styles = described
    identities = pair.identity, DESCRIPTORS["content"].identity
    space = fit_style_space(style, content, *identities, network_share=share)
    noise = style.copy()
    noise[:, DESCRIPTORS["style"].identity.dimension :] = np.random.default_rng(0).normal(
        size=(len(style), DIMENSION)
    )
    moved = np.abs(space.transform(noise, content) - space.transform(style, content)).max()
    assert (moved > 0) == (share > 0)
    if share < 1:
        scores = space.query_rows(style, content) @ space.index_rows(style, content).T
        np.fill_diagonal(scores, -9)
        assert (styles[scores.argmax(1)] == styles).mean() > 0.8


def test_statistics_alone_are_what_they_were(described: tuple[StylePair, Any, Any, Any]) -> None:
    pair, style, content, _ = described
    alone = DESCRIPTORS["style"].identity
    ids = DESCRIPTORS["content"].identity
    plain = fit_style_space(style[:, : alone.dimension], content, alone, ids)
    weighed = fit_style_space(style, content, pair.identity, ids, network_share=0.0)
    rows = plain.index_rows(style[:, : alone.dimension], content)
    np.testing.assert_allclose(weighed.index_rows(style, content), rows, atol=1e-4)
