"""All styles and subjects by name: the two axes along which the demo's pictures vary."""

import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from indexer.demo import (
    places,
    portraits,
    scenes,
    still,
    styles_craft,
    styles_line,
    styles_paint,
    styles_print,
)
from indexer.demo.shapes import Floats, Plate, Scene, rasterise

__all__ = ["STYLES", "SUBJECTS", "draw", "plate_for"]

Draw: TypeAlias = Callable[[Plate, np.random.Generator], Floats]
Stage: TypeAlias = Callable[[np.random.Generator], Scene]

STYLES: Mapping[str, Draw] = MappingProxyType(
    {
        name: getattr(module, name)
        for module in (styles_line, styles_print, styles_paint, styles_craft)
        for name in module.__all__
    }
)
"""How to draw: each takes a plate and a generator and gives ``(s, s, 3)`` 0..1."""

SUBJECTS: Mapping[str, Stage] = MappingProxyType(
    {
        "harbour": scenes.harbour,
        "mountains": scenes.mountains,
        "city": places.city,
        "tree": places.tree,
        "cat": portraits.cat,
        "flowers": still.flowers,
        "teapot": still.teapot,
        "knight": portraits.knight,
    }
)
"""What to draw: each takes a generator and gives the areas of the scene."""


def _rng(*words: object) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32("/".join(map(str, words)).encode()))


def plate_for(subject: str, variant: int, seed: int, size: int = 512) -> Plate:
    """The subject as seen the ``variant``-th time: other waves, clouds and windows, other framing."""
    rng = _rng(seed, subject, variant)
    scene = SUBJECTS[subject](rng)
    if variant == 0:
        return rasterise(scene, size)
    zoom = 1.03 + 0.12 * float(rng.random())
    dx, dy = (0.04 * (float(rng.random()) - 0.5) for _ in range(2))
    return rasterise(scene.moved(zoom, dx, dy, flip=variant % 2 == 1), size)


def draw(style: str, plate: Plate, *words: object) -> Floats:
    """The plate in a style, ``(s, s, 3)`` 0..1; ``words`` name the picture and choose its accidents."""
    return np.clip(STYLES[style](plate, _rng(style, *words)), 0, 1).astype(np.float32)
