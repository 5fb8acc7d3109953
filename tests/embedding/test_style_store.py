"""A fitted space on disk: back as it was, replaced whole, and never trusted."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from indexer.embedding.style import LayoutDescriptor, StyleDescriptor
from indexer.embedding.style_space import StyleSpace, StyleSpaceError, fit_style_space
from indexer.embedding.style_store import load_style_space, save_style_space, style_space_from_arrays
from tests.embedding.drawing import gallery

Arrays = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def space() -> StyleSpace:
    pictures, _, _ = gallery(1)
    style, layout = StyleDescriptor(), LayoutDescriptor()
    return fit_style_space(style.encode(pictures), layout.encode(pictures), style.identity, layout.identity)


def test_a_saved_space_gives_the_same_rows(space: StyleSpace, tmp_path: Path) -> None:
    path = tmp_path / "folder" / "space.npz"
    save_style_space(space, path)
    loaded = load_style_space(path)
    assert loaded.identity == space.identity
    style = np.random.default_rng(0).random((3, StyleDescriptor().identity.dimension), np.float32)
    content = np.random.default_rng(1).random((3, LayoutDescriptor().identity.dimension), np.float32)
    np.testing.assert_array_equal(loaded.index_rows(style, content), space.index_rows(style, content))
    assert os.listdir(path.parent) == ["space.npz"]


def test_a_failed_save_leaves_the_old_file(space: StyleSpace, tmp_path: Path) -> None:
    path = tmp_path / "space.npz"
    save_style_space(space, path)
    (tmp_path / ".space.npz.tmp").mkdir()
    with pytest.raises(OSError):
        save_style_space(space, path)
    assert load_style_space(path).identity == space.identity


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", b"\x80\x04cposix\nsystem\n.", b"\x93NUMPY", b"x" * 5000]
)
def test_what_is_no_space_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "space.npz"
    path.write_bytes(content)
    with pytest.raises(StyleSpaceError, match="fit the space again"):
        load_style_space(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StyleSpaceError):
        load_style_space(tmp_path / "nowhere.npz")


def test_a_cut_file_is_refused(space: StyleSpace, tmp_path: Path) -> None:
    path = tmp_path / "space.npz"
    save_style_space(space, path)
    whole = path.read_bytes()
    for part in (0.1, 0.5, 0.99):
        path.write_bytes(whole[: int(len(whole) * part)])
        with pytest.raises(StyleSpaceError):
            load_style_space(path)


def damage_nan(arrays: Arrays) -> None:
    arrays["offsets"] = np.full_like(arrays["offsets"], np.nan)


def damage_shape(arrays: Arrays) -> None:
    arrays["reference"] = arrays["reference"][:, :-1]


def damage_missing(arrays: Arrays) -> None:
    del arrays["members"]


def damage_rank(arrays: Arrays) -> None:
    arrays["style_matrix"] = arrays["style_matrix"][:-1]


@pytest.mark.parametrize("damage", [damage_nan, damage_shape, damage_missing, damage_rank])
def test_arrays_that_do_not_fit_are_refused(
    space: StyleSpace, tmp_path: Path, damage: Callable[[Arrays], None]
) -> None:
    arrays: Arrays = dict(space.to_arrays())
    damage(arrays)
    with pytest.raises((ValueError, KeyError)):
        style_space_from_arrays(space.identity, dict(arrays))


def test_pickled_arrays_inside_are_never_read(space: StyleSpace, tmp_path: Path) -> None:
    path = tmp_path / "space.npz"
    arrays: Arrays = dict(space.to_arrays())
    arrays["background"] = np.array([{"a": 1}], dtype=object)
    identity = np.frombuffer(json.dumps({}).encode(), np.uint8)
    with path.open("wb") as stream:
        np.savez(stream, allow_pickle=True, identity=identity, **arrays)
    with pytest.raises(StyleSpaceError, match=r"allow_pickle|Object arrays"):
        load_style_space(path)
