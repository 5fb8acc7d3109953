"""The weights-free descriptors: stable, finite on any picture, and about style or layout respectively."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer.embedding.encoders import unit_rows
from indexer.embedding.style import BLOCKS, LayoutDescriptor, StyleDescriptor
from tests.embedding.drawing import draw, gallery

DESCRIPTORS = pytest.mark.parametrize("descriptor", [StyleDescriptor(), LayoutDescriptor()])
Descriptor = StyleDescriptor | LayoutDescriptor


def hits(vectors: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Share of pictures whose nearest other one, columns standardised, has the same label."""
    standard = (vectors - vectors.mean(0)) / (vectors.std(0) + 1e-3)
    cosines = unit_rows(standard) @ unit_rows(standard).T
    np.fill_diagonal(cosines, -2)
    return float((labels[cosines.argmax(1)] == labels).mean())


@DESCRIPTORS
def test_equal_pixels_give_equal_vectors_of_the_stated_size(descriptor: Descriptor) -> None:
    picture = draw("disc", "oil")
    twice = descriptor.encode([picture, picture.copy()])
    assert twice.shape == (2, descriptor.identity.dimension)
    assert twice.dtype == np.float32
    np.testing.assert_array_equal(twice[0], twice[1])
    assert descriptor.encode([]).shape == (0, descriptor.identity.dimension)


@DESCRIPTORS
@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (3, 2), (97, 511), (2000, 30), (513, 512)])
def test_any_shape_is_described(descriptor: Descriptor, shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    assert np.isfinite(descriptor.encode([picture])).all()


@DESCRIPTORS
@pytest.mark.parametrize("level", [0, 1, 128, 255])
def test_a_blank_picture_is_described(descriptor: Descriptor, level: int) -> None:
    assert np.isfinite(descriptor.encode([np.full((100, 100, 3), level, np.uint8)])).all()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), low=st.integers(0, 255), span=st.integers(0, 255))
def test_values_stay_within_float16(seed: int, low: int, span: int) -> None:
    high = min(low + span, 255) + 1
    picture = np.random.default_rng(seed).integers(low, high, (120, 90, 3)).astype(np.uint8)
    vector = StyleDescriptor().encode([picture])
    assert np.isfinite(vector.astype(np.float16)).all()


def test_style_vectors_group_styles_and_layout_vectors_group_subjects() -> None:
    pictures, styles, subjects = gallery()
    style, layout = StyleDescriptor().encode(pictures), LayoutDescriptor().encode(pictures)
    statistics, _ = StyleDescriptor.split(style)
    assert hits(statistics, styles) > 0.9
    assert hits(layout, subjects) > 0.9


def test_a_mirrored_picture_keeps_its_statistics_and_swaps_its_sides() -> None:
    picture = draw("horizon", "film", side=128)
    vectors = StyleDescriptor().encode([picture, picture[:, ::-1]])
    (plain, mirrored), differences = StyleDescriptor.split(vectors)
    colours = slice(0, 40)  # direction counts change under mirroring, colour shares do not
    np.testing.assert_allclose(plain[colours], mirrored[colours], atol=0.02)
    down, right = differences[:2], differences[2:]
    np.testing.assert_allclose(down[0, colours], down[1, colours], atol=0.05)
    np.testing.assert_allclose(right[0, colours], -right[1, colours], atol=0.05)


def test_a_small_crop_of_the_same_drawing_is_nearer_than_another_style() -> None:
    oil, ink = draw("bars", "oil", side=320), draw("bars", "ink", side=320)
    vectors, _ = StyleDescriptor.split(StyleDescriptor().encode([oil, oil[40:280, 40:280], ink]))
    same, other = np.linalg.norm(vectors[0] - vectors[1]), np.linalg.norm(vectors[0] - vectors[2])
    assert same < other / 2


def test_split_and_weights_fit_the_blocks() -> None:
    width = sum(BLOCKS.values())
    vectors = np.arange(2 * 3 * width, dtype=np.float32).reshape(2, -1)
    statistics, differences = StyleDescriptor.split(vectors)
    assert statistics.shape == (2, width)
    assert differences.shape == (4, width)
    assert StyleDescriptor.weights().shape == (width,)
    assert (StyleDescriptor.weights() ** 2).sum() == pytest.approx(len(BLOCKS))


def test_identities_are_stable_and_distinct() -> None:
    keys = {StyleDescriptor().identity.key, LayoutDescriptor().identity.key}
    assert len(keys) == 2
    assert all(len(key.rpartition("-")[2]) == 16 for key in keys)
    assert StyleDescriptor().identity == StyleDescriptor().identity


def test_describing_loads_no_torch() -> None:
    code = "import sys, indexer.embedding.style_space; assert not {'torch', 'open_clip', 'faiss'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
