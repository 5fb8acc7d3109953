"""Styles that come off a press or a screen: halftone, linocut, risograph, poster, pixel art, dithering."""

import numpy as np
from PIL import Image

from indexer.demo.raster import (
    area_mean,
    blur,
    clouds,
    edges,
    grow,
    hatch,
    mix,
    nearest,
    outline,
    palette,
    saturate,
    tint,
    warp,
)
from indexer.demo.shapes import Floats, Plate, floats, hex_colour

__all__ = ["dither", "halftone", "linocut", "pixels", "poster", "risograph"]

_BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], dtype=np.float32) / 16


def _screen(size: int, angle: float, pitch: float) -> Floats:
    """A dot screen 0..1 whose level sets are round dots."""
    return ((hatch(size, angle, pitch) + hatch(size, angle + 90, pitch)) / 2).astype(np.float32)


def halftone(plate: Plate, rng: np.random.Generator) -> Floats:
    """Sunday-comic printing: four process inks as dots at their own angles under a heavy black contour."""
    size = plate.size
    rgb = np.clip(saturate(plate.colour, 1.7) * np.float32(1.08), 0, 1)
    flat = np.clip(saturate(area_mean(rgb, plate.label), 1.2), 0, 1)[plate.label]
    rgb = mix(rgb, flat, 0.5)
    black = np.clip(1 - rgb.max(axis=-1), 0, 1)
    sheet = np.broadcast_to(palette("#fbf4df")[0], (size, size, 3)).astype(np.float32)
    inks = palette("#12a5e0", "#e6277f", "#ffe11a")
    for i, angle in enumerate((15.0, 75.0, 0.0)):
        amount = np.clip(1 - rgb[..., i] - black * 0.6, 0, 1)
        dots = np.clip((_screen(size, angle, 8.5) - (1 - amount * 1.02)) * 9 + 0.5, 0, 1) * (amount > 0.04)
        sheet = sheet * mix(np.ones(3, np.float32), inks[i], dots.astype(np.float32))
    shade = np.clip((_screen(size, 45.0, 8.5) - (1.12 - black * 1.15)) * 9 + 0.5, 0, 1)
    sheet = mix(sheet, palette("#1b1718")[0], shade.astype(np.float32))
    line = np.clip(blur(outline(plate, 1).astype(np.float32), 1) * np.float32(1.5), 0, 1)
    return mix(sheet, palette("#161214")[0], line) * np.float32(0.98 + 0.02 * rng.random())


def linocut(plate: Plate, rng: np.random.Generator) -> Floats:
    """One black block on cream, gouge marks that run their own way in each area, and a second red block."""
    size = plate.size
    count = len(plate.scene.areas)
    angle = np.radians(rng.choice([8.0, 30.0, 62.0, 95.0, 125.0, 160.0], count)).astype(np.float32)[
        plate.label
    ]
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    wander = (clouds(rng, size, 70) - 0.5) * np.float32(34)
    along = x * np.sin(angle) + y * np.cos(angle) + wander
    gouge = (
        0.5
        + 0.5 * np.cos(along * np.float32(2 * np.pi / 8.5))
        + (clouds(rng, size, 7) - 0.5) * np.float32(0.5)
    )
    tone = np.clip((blur(plate.tone, 2) - 0.12) * np.float32(1.45), 0, 1)
    carved = gouge < tone * 1.35 - 0.12
    line = edges(plate.label, plate.contour)
    carved = (carved | grow(line, 3)) & ~grow(line, 1)
    carved &= ~((tone < 0.16) & (gouge > 0.2))
    relief = blur(carved.astype(np.float32), 1)
    black = np.clip((0.5 - relief) * 5 + 0.5, 0, 1) * (rng.random((size, size)) > 0.012)
    paper = palette("#f2e8d2")[0] * (0.96 + 0.06 * clouds(rng, size, 3, 2)[..., None])
    red = (plate.colour[..., 0] - plate.colour[..., 1:].max(axis=-1)) > 0.2
    sheet = mix(
        paper.astype(np.float32), palette("#cf4a34")[0], np.roll(blur(red.astype(np.float32), 1), 3, axis=1)
    )
    return mix(sheet, palette("#1d1a1c")[0], (black * 0.97).astype(np.float32))


def risograph(plate: Plate, rng: np.random.Generator) -> Floats:
    """Three spot inks, coarse grain, each drum a little off the other two."""
    size = plate.size
    rgb = saturate(np.clip(plate.colour, 0, 1) ** np.float32(0.75), 1.7)
    amounts = [np.clip(0.96 - rgb[..., i] * 1.05, 0, 1) for i in (1, 0, 2)]
    sheet = floats(palette("#f6f1e4")[0] * (0.97 + 0.05 * clouds(rng, size, 3, 2)[..., None]))
    shifts = ((0, 0), (5, -4), (-5, 4))
    for ink, amount, shift in zip(palette("#ff4c8b", "#0b6fb8", "#ffd22e"), amounts, shifts, strict=True):
        level = np.roll(blur(amount.astype(np.float32), 1), shift, axis=(0, 1))
        level = floats(np.rint(level * 5) / 5)
        grain = np.clip(
            rng.random((size, size), dtype=np.float32) * 0.9 + clouds(rng, size, 4, 1) * 0.3 - 0.1, 0, 1
        )
        cover = (grain < level).astype(np.float32) * np.float32(0.94)
        cover = cover * (0.82 + 0.3 * clouds(rng, size, 60))
        sheet = sheet * mix(np.ones(3, np.float32), ink, np.clip(cover, 0, 1).astype(np.float32))
    return floats(sheet)


def poster(plate: Plate, rng: np.random.Generator) -> Floats:
    """Mid-century travel poster: a dozen flat colours, sprayed grain on the dark side of each shape."""
    size = plate.size
    inks = palette(
        "#f4e7cb",
        "#f2b950",
        "#e0672f",
        "#a8322d",
        "#5a2432",
        "#1c2b42",
        "#1f5d6c",
        "#4f9a94",
        "#a7c7a8",
        "#758b45",
        "#f0936f",
        "#c9a27a",
        "#3b4a80",
    )
    lit_side = np.stack([hex_colour(area.colour) for area in plate.scene.areas]) @ np.array(
        [0.299, 0.587, 0.114], np.float32
    )
    means = saturate(area_mean(plate.colour, plate.label), 1.3)
    chosen = inks[nearest(means, inks)]
    fill = chosen[plate.label]
    soft = mix(fill, blur(fill, 1), (edges(plate.label) * 1.0).astype(np.float32))
    spray = np.clip((lit_side[plate.label] - plate.tone) * 2.2, 0, 0.6)
    speck = rng.random((size, size)) < spray
    deep = np.clip(soft * np.array([0.62, 0.58, 0.66], np.float32), 0, 1)
    sheet = mix(soft, deep, speck)
    border = np.ones((size, size), np.bool_)
    border[16:-16, 16:-16] = False
    return mix(sheet, palette("#f4e7cb")[0], border)


def pixels(plate: Plate, rng: np.random.Generator) -> Floats:
    """Pixel art: 64 x 64 in sixteen colours with a dark contour; each pixel is eight wide."""
    size, cell = plate.size, 8
    small = size // cell
    colours = palette(
        "#1a1c2c",
        "#5d275d",
        "#b13e53",
        "#ef7d57",
        "#ffcd75",
        "#a7f070",
        "#38b764",
        "#257179",
        "#29366f",
        "#3b5dc9",
        "#41a6f6",
        "#73eff7",
        "#f4f4f4",
        "#94b0c2",
        "#566c86",
        "#333c57",
        "#8a5a3a",
        "#f2b58c",
    )
    grid = (
        saturate(plate.colour, 1.25).reshape(small, cell, small, cell, 3).mean(axis=(1, 3), dtype=np.float32)
    )
    checker = ((np.indices((small, small)).sum(axis=0) % 2) - 0.5).astype(np.float32) * np.float32(0.045)
    index = nearest(np.clip(grid + checker[..., None], 0, 1), colours)
    label = plate.label[cell // 2 :: cell, cell // 2 :: cell]
    near = plate.depth[cell // 2 :: cell, cell // 2 :: cell] > 0.55
    dark = (
        edges(label, plate.contour[cell // 2 :: cell, cell // 2 :: cell])
        & near
        & (rng.random(label.shape) > 0.02)
    )
    art = np.where(dark[..., None], colours[index] * 0.42, colours[index])
    return art.repeat(cell, axis=0).repeat(cell, axis=1).astype(np.float32)


def dither(plate: Plate, rng: np.random.Generator) -> Floats:
    """Four greens of a pocket console: ordered dithering (Bayer 1973, 4 x 4), dots three pixels wide."""
    size = plate.size
    small = 170
    rgb = Image.fromarray((plate.tone * 255).astype(np.uint8)).resize((small, small), Image.Resampling.BOX)
    tone = np.asarray(rgb, dtype=np.float32) / 255
    spread = (tone - np.quantile(tone, 0.02)) / max(
        float(np.quantile(tone, 0.98) - np.quantile(tone, 0.02)), 0.1
    )
    step = np.tile(_BAYER, (small // 4 + 1, small // 4 + 1))[:small, :small]
    level = np.clip(np.floor(np.clip(spread, 0, 1) * 3 + step * 0.96), 0, 3)
    line = warp(edges(plate.label, plate.contour), np.zeros((1, 1), np.float32), np.zeros((1, 1), np.float32))
    pick = np.linspace(0, size - 1, small).astype(int)
    level = np.where(grow(np.asarray(line, dtype=np.bool_), 1)[pick][:, pick] & (level > 0), level - 1, level)
    ramp = palette("#0f2f1f", "#30623a", "#8bac2f", "#c7d76a")
    art = tint((level / 3).astype(np.float32), ramp).repeat(3, axis=0).repeat(3, axis=1)
    art[2::3] *= np.float32(0.9)
    art[:, 2::3] *= np.float32(0.9)
    full = np.empty((size, size, 3), np.float32)
    full[:] = ramp[0] * np.float32(0.9 + 0.1 * rng.random())
    full[1 : 1 + art.shape[0], 1 : 1 + art.shape[1]] = art[: size - 1, : size - 1]
    return full
