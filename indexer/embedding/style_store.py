"""A fitted ``StyleSpace`` as one file: ``.npz`` without pickle, replaced atomically."""

import json
import os
import zipfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.embedding.encoders import VectorIdentity
from indexer.embedding.style_space import StyleSpace, StyleSpaceError
from indexer.embedding.told_content import ToldContent
from indexer.embedding.whitening import Projection

__all__ = ["load_style_space", "save_style_space", "style_space_from_arrays"]

Arrays = dict[str, NDArray[np.generic]]
IDENTITY = "identity"


def save_style_space(space: StyleSpace, path: Path) -> None:
    """Write ``space`` to ``path``; readers see the old file or the new one. Raises ``OSError``."""
    name = np.frombuffer(json.dumps(asdict(space.identity)).encode(), np.uint8)
    temporary = path.with_name(f".{path.name}.tmp")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with temporary.open("wb") as stream:
            np.savez(stream, allow_pickle=False, **{IDENTITY: name}, **space.to_arrays())
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def load_style_space(path: Path) -> StyleSpace:
    """Read what ``save_style_space`` wrote; raises ``StyleSpaceError`` (``style_space_file``)."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        identity = VectorIdentity(**json.loads(arrays.pop(IDENTITY).tobytes()))
        return style_space_from_arrays(identity, arrays)
    except (OSError, ValueError, TypeError, KeyError, EOFError, AttributeError, zipfile.BadZipFile) as error:
        raise StyleSpaceError(
            "style_space_file", f"{path}: unreadable ({error}); fit the space again"
        ) from None


def style_space_from_arrays(identity: VectorIdentity, arrays: Arrays) -> StyleSpace:
    """The inverse of ``StyleSpace.to_arrays``; raises ``ValueError``, ``KeyError`` if they do not fit."""
    style, content = (_projection(arrays, name) for name in ("style", "content"))
    groups, width = _floats(arrays["offsets"]).shape
    blank = {  # not in spaces that an earlier Pinakes fitted
        "network_mean": np.zeros(0),
        "network_scale": np.zeros(0),
        "network_matrix": np.zeros((0, 0)),
        "told_words": np.zeros(0, np.str_),
        "told_means": np.zeros(0),
        "told_effect": np.zeros((0, width)),
        "told_offsets": np.zeros((groups, width)),
    }
    arrays = {**blank, **arrays}
    space = StyleSpace(
        identity=identity,
        style=style,
        content=content,
        centroids=_floats(arrays["centroids"]),
        grouping=np.asarray(arrays["grouping"], np.int64),
        offsets=_floats(arrays["offsets"]),
        reference=_floats(arrays["reference"]).astype(np.float32),
        members=np.asarray(arrays["members"], bool),
        background=_floats(arrays["background"]),
        network=_projection(arrays, "network"),
        told=ToldContent(
            np.asarray(arrays["told_words"], np.str_),
            _floats(arrays["told_means"]),
            _floats(arrays["told_effect"]),
        ),
        told_offsets=_floats(arrays["told_offsets"]),
    )
    _check_shapes(space)
    return space


def _projection(arrays: Arrays, name: str) -> Projection:
    mean, scale, matrix = (_floats(arrays[f"{name}_{part}"]) for part in ("mean", "scale", "matrix"))
    if mean.shape != scale.shape or matrix.ndim != 2 or mean.shape != matrix.shape[:1]:
        raise ValueError(f"{name}: {mean.shape}, {scale.shape} and {matrix.shape} do not fit")
    return Projection(mean, scale, matrix)


def _floats(array: NDArray[np.generic]) -> NDArray[np.float64]:
    floats = np.asarray(array, np.float64)
    if not np.isfinite(floats).all():
        raise ValueError("an array holds NaN or infinity")
    return floats


def _check_shapes(space: StyleSpace) -> None:
    groups, width = len(space.centroids), space.style.matrix.shape[1] + space.network.matrix.shape[1]
    said = len(space.told.words)
    expected = {
        "centroids": (groups, space.content.matrix.shape[1]),
        "grouping": (groups,),
        "offsets": (groups, width),
        "reference": (len(space.reference), width),
        "members": (len(space.reference), groups),
        "background": (2,),
        "told_offsets": (groups, width),
    }
    found = {name: getattr(space, name).shape for name in expected}
    expected |= {"told_words": (said,), "told_means": (said,), "told_effect": (said, width)}
    found |= {"told_words": space.told.words.shape, "told_means": space.told.means.shape}
    found |= {"told_effect": space.told.effect.shape}
    for name, shape in expected.items():
        if found[name] != shape:
            raise ValueError(f"{name} has shape {found[name]} where {shape} belongs")
    if space.identity.dimension != width + 2 * groups:
        raise ValueError(
            f"the identity names {space.identity.dimension} dimensions, the arrays make {width + 2 * groups}"
        )
