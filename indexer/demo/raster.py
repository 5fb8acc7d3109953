"""Small image arithmetic for the styles: noise, blur, edges, palettes. Arrays are float32, 0..1.

Everything here is numpy and Pillow only and depends on nothing but its arguments, so that the demo library
comes out the same bytes each time on the same versions of the two.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.demo.shapes import Floats, Plate, floats, hex_colour

__all__ = [
    "Mask",
    "area_mean",
    "blur",
    "cells",
    "clouds",
    "edges",
    "grow",
    "hatch",
    "lit",
    "mix",
    "nearest",
    "outline",
    "palette",
    "saturate",
    "tint",
    "to_image",
    "warp",
]

Mask = NDArray[np.bool_]


def to_image(rgb: Floats) -> Image.Image:
    """``(h, w, 3)`` 0..1 as an 8-bit RGB image."""
    return Image.fromarray((np.clip(rgb, 0, 1) * 255 + 0.5).astype(np.uint8), "RGB")


def palette(*colours: str) -> Floats:
    """``(n, 3)`` from ``#rrggbb`` words."""
    return np.stack([hex_colour(colour) for colour in colours])


def mix(a: Floats | float, b: Floats | float, share: Floats | Mask | float) -> Floats:
    """``a`` where ``share`` is 0, ``b`` where it is 1; a 2-D share is spread over colour channels."""
    weight = np.asarray(share, dtype=np.float32)
    first, second = np.asarray(a, dtype=np.float32), np.asarray(b, dtype=np.float32)
    if weight.ndim == 2 and max(first.ndim, second.ndim) != 2:
        weight = weight[..., None]
    return (first + (second - first) * weight).astype(np.float32)


def _box(values: Floats, radius: int, axis: int) -> Floats:
    """The mean over ``2 * radius + 1`` neighbours along an axis, edges repeated."""
    pad = [(0, 0)] * values.ndim
    pad[axis] = (radius, radius)
    padded, length = np.pad(values, pad, mode="edge"), values.shape[axis]
    windows = [
        padded[k : k + length] if axis == 0 else padded[:, k : k + length] for k in range(2 * radius + 1)
    ]
    total = windows[0].copy()
    for window in windows[1:]:
        total += window
    total /= np.float32(len(windows))
    return total


def _resized(values: Floats, size: int, how: Image.Resampling) -> Floats:
    planes = values[..., None] if values.ndim == 2 else values
    found = [
        np.asarray(Image.fromarray(planes[..., i]).resize((size, size), how)) for i in range(planes.shape[-1])
    ]
    return (found[0] if values.ndim == 2 else np.stack(found, axis=-1)).astype(np.float32)


def blur(values: Floats, radius: float) -> Floats:
    """Nearly Gaussian, deviation ``radius`` pixels: box blurs, on a smaller picture where it is wide."""
    size, shrink = values.shape[0], max(1, int(radius // 2))
    if shrink > 1:
        values = np.ascontiguousarray(values, dtype=np.float32)
        small = _resized(values, size // shrink, Image.Resampling.BOX)
        return _resized(blur(small, radius / shrink), size, Image.Resampling.BICUBIC)
    width = max(1, round(radius))
    for axis in (0, 1):
        for _ in range(2):
            values = _box(values, width, axis)
    return values


def clouds(rng: np.random.Generator, size: int, cell: float, octaves: int = 3) -> Floats:
    """Soft noise, mean about 0.5: random grids of ``cell`` pixels and finer, enlarged and summed."""
    total = np.zeros((size, size), dtype=np.float32)
    weight = 0.0
    for octave in range(octaves):
        knots = max(2, int(size / max(cell / 2**octave, 1.0)) + 2)
        grid = Image.fromarray(rng.random((knots, knots), dtype=np.float32))
        total += np.asarray(grid.resize((size, size), Image.Resampling.BICUBIC)) / 2**octave
        weight += 0.5**octave
    return floats(np.clip(total / np.float32(weight), 0, 1))


def warp(values: NDArray[np.generic], dx: Floats, dy: Floats) -> NDArray[np.generic]:
    """``values`` fetched from ``dx, dy`` pixels away (nearest pixel, edges repeated)."""
    size = values.shape[0]
    rows = np.clip(np.arange(size)[:, None] + np.rint(dy).astype(np.int32), 0, size - 1)
    columns = np.clip(np.arange(size)[None, :] + np.rint(dx).astype(np.int32), 0, size - 1)
    return values[rows, columns]


def edges(label: NDArray[np.integer[Any]], wanted: Mask | None = None) -> Mask:
    """Pixels whose right or lower neighbour belongs to another area (only ``wanted`` ones, if told)."""
    found = np.zeros(label.shape, dtype=np.bool_)
    found[:, :-1] |= label[:, :-1] != label[:, 1:]
    found[:-1, :] |= label[:-1, :] != label[1:, :]
    return found if wanted is None else found & grow(wanted, 1)


def grow(mask: Mask, pixels: int) -> Mask:
    """The mask thickened by ``pixels`` in the eight directions."""
    for _ in range(pixels):
        wide = mask.copy()
        wide[:, 1:] |= mask[:, :-1]
        wide[:, :-1] |= mask[:, 1:]
        mask = wide.copy()
        mask[1:] |= wide[:-1]
        mask[:-1] |= wide[1:]
    return mask


def hatch(size: int, angle: float, pitch: float, phase: Floats | float = 0.0) -> Floats:
    """Parallel lines, a wave 0..1, 1 on the line; ``angle`` in degrees, ``pitch``, ``phase`` in pixels."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    along = x * np.float32(np.sin(np.radians(angle))) + y * np.float32(np.cos(np.radians(angle)))
    return floats(0.5 + 0.5 * np.cos((along + phase) * np.float32(2 * np.pi / pitch)))


def nearest(rgb: Floats, colours: Floats) -> NDArray[np.intp]:
    """Index of the nearest colour for each pixel, by weighted RGB distance (weights 2, 4, 3)."""
    weight = np.sqrt(np.array([2, 4, 3], dtype=np.float32))
    away = (rgb * weight)[..., None, :] - (colours * weight)
    found: NDArray[np.intp] = np.argmin((away * away).sum(axis=-1), axis=-1)
    return found


def tint(tone: Floats, colours: Floats) -> Floats:
    """A tone picture coloured along a ramp of ``(n, 3)`` colours, dark to light."""
    stops = np.linspace(0, 1, len(colours))
    return np.stack([np.interp(tone, stops, colours[:, i]) for i in range(3)], axis=-1).astype(np.float32)


def saturate(rgb: Floats, factor: float) -> Floats:
    grey = rgb.mean(axis=-1, keepdims=True)
    return floats(np.clip(grey + (rgb - grey) * np.float32(factor), 0, 1))


def area_mean(rgb: Floats, label: NDArray[np.integer[Any]]) -> Floats:
    """``(areas, 3)``: the mean colour under each label; areas out of sight get black."""
    flat = label.ravel()
    count = np.maximum(np.bincount(flat), 1)
    sums = [np.bincount(flat, weights=rgb[..., i].ravel()) / count for i in range(3)]
    return np.stack(sums, axis=-1).astype(np.float32)


def cells(
    rng: np.random.Generator, size: int, cell: int, jitter: float = 0.9
) -> tuple[NDArray[np.int32], Floats]:
    """Voronoi cells of a jittered grid: the cell index and the distance to its seed, for each pixel."""
    knots = size // cell + 3
    seeds = np.stack(np.meshgrid(np.arange(knots), np.arange(knots), indexing="ij"), axis=-1) - 1.0
    seeds = ((seeds + 0.5 + (rng.random(seeds.shape) - 0.5) * jitter) * cell).astype(np.float32)
    y, x = np.mgrid[0:size, 0:size]
    best = np.full((size, size), np.inf, dtype=np.float32)
    owner = np.zeros((size, size), dtype=np.int32)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            row, column = y // cell + 1 + dy, x // cell + 1 + dx
            seed = seeds[row, column]
            away = (seed[..., 0] - y) ** 2 + (seed[..., 1] - x) ** 2
            closer = away < best
            best = np.where(closer, away, best).astype(np.float32)
            owner = np.where(closer, row * knots + column, owner).astype(np.int32)
    return owner, np.sqrt(best)


def lit(height: Floats, strength: float) -> Floats:
    """Light from the upper left over a relief: about 0 in shade, 1 in light, 0.5 on the flat."""
    slope = np.gradient(height, axis=1) + np.gradient(height, axis=0)
    return floats(np.clip(0.5 + slope * np.float32(strength), 0, 1))


def outline(plate: Plate, pixels: int) -> Mask:
    """The contours of a plate, ``pixels`` to each side."""
    found = edges(plate.label, plate.contour)
    return grow(found, pixels) if pixels else found
