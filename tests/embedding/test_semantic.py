"""CLIP vectors through the real open_clip, with a tiny model and local weights."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from indexer.embedding.semantic import OpenClipEncoder, WeightsUnavailableError
from tests.embedding.drawing import draw
from tests.embedding.tiny_clip import TINY, register, write_weights


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    return write_weights(register(folder), folder / "weights.safetensors")


@pytest.fixture(scope="module")
def encoder(weights: Path) -> OpenClipEncoder:
    return OpenClipEncoder(TINY, weights, device="cpu")


def test_pictures_and_words_share_a_space_of_unit_vectors(encoder: OpenClipEncoder) -> None:
    pictures = encoder.encode([draw("disc", "ink"), draw("bars", "oil", side=90), draw("disc", "ink")])
    words = encoder.encode_text(["an ink drawing", "an oil painting"])
    assert pictures.shape == (3, 16) and words.shape == (2, 16)
    assert pictures.dtype == words.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(np.concatenate([pictures, words]), axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(pictures[0], pictures[2], atol=1e-6)
    assert np.abs(pictures[0] - pictures[1]).max() > 1e-4
    assert np.abs(words[0] - words[1]).max() > 1e-4


def test_batches_give_what_single_pictures_give(encoder: OpenClipEncoder) -> None:
    pictures = [draw("cross", "film", seed) for seed in range(19)]
    together = encoder.encode(pictures)
    single = np.concatenate([encoder.encode([picture]) for picture in pictures])
    np.testing.assert_allclose(together, single, atol=1e-5)


def test_nothing_in_nothing_out(encoder: OpenClipEncoder) -> None:
    assert encoder.encode([]).shape == (0, 16)
    assert encoder.encode_text([]).shape == (0, 16)


def test_long_and_odd_words_are_taken(encoder: OpenClipEncoder) -> None:
    assert np.isfinite(encoder.encode_text(["", "word " * 5000, "\x00 \u202e <b>", "日本"])).all()


def test_the_identity_follows_the_weights(weights: Path, encoder: OpenClipEncoder, tmp_path: Path) -> None:
    identity = encoder.identity
    assert (identity.space, identity.model, identity.dimension) == ("semantic", TINY, 16)
    assert identity.weights.startswith("sha256:")
    copy = tmp_path / "renamed.safetensors"
    copy.write_bytes(weights.read_bytes())
    assert OpenClipEncoder(TINY, copy, device="cpu").identity == identity
    other = write_weights(register(tmp_path), tmp_path / "other.safetensors", seed=1)
    assert OpenClipEncoder(TINY, other, device="cpu").identity.key != identity.key


def test_weights_that_are_not_numbers_are_noticed(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    path = write_weights(register(tmp_path), tmp_path / "weights.safetensors")
    state = load_file(path)
    state["visual.proj"][:] = float("nan")
    save_file(state, path)
    with pytest.raises(WeightsUnavailableError, match="not numbers"):
        OpenClipEncoder(TINY, path, device="cpu").encode([draw("disc", "ink")])


def test_importing_and_constructing_loads_no_torch() -> None:
    code = (
        "import sys; from indexer.embedding.semantic import OpenClipEncoder; OpenClipEncoder('ViT-B-32', 'openai');"
        "assert not {'torch', 'open_clip', 'torchvision'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
