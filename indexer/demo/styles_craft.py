"""Styles that are pieced together: paper cut-out, stained glass, low poly, mosaic, cross-stitch."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from indexer.demo.raster import (
    area_mean,
    blur,
    cells,
    clouds,
    edges,
    grow,
    lit,
    mix,
    nearest,
    palette,
    saturate,
)
from indexer.demo.shapes import Area, Floats, Plate, floats, hex_colour

__all__ = ["lowpoly", "mosaic", "papercut", "stained_glass", "stitch"]


def _sheet(sheet: Image.Image, area: Area, colour: tuple[int, int, int], drop: int) -> None:
    """Lay one piece of paper with its shadow ``drop`` pixels down and right."""
    size, pad = sheet.size[0], 3 * drop + 3
    low = np.maximum(np.floor(area.points.min(axis=0) * size).astype(int) - pad, 0)
    high = np.minimum(np.ceil(area.points.max(axis=0) * size).astype(int) + pad, size)
    width, height = int(high[0] - low[0]), int(high[1] - low[1])
    if width <= 0 or height <= 0:
        return
    mask = Image.new("L", (width * 2, height * 2), 0)
    ImageDraw.Draw(mask).polygon(
        [(float(x * size - low[0]) * 2, float(y * size - low[1]) * 2) for x, y in area.points], fill=255
    )
    mask = mask.resize((width, height), Image.Resampling.BOX)
    shadow = Image.new("L", (width, height), 0)
    shadow.paste(mask, (drop, drop))
    shadow = shadow.filter(ImageFilter.GaussianBlur(drop * 0.9)).point([v * 55 // 100 for v in range(256)])
    corner = (int(low[0]), int(low[1]))
    sheet.paste((22, 16, 28), (*corner, corner[0] + width, corner[1] + height), shadow)
    sheet.paste(colour, (*corner, corner[0] + width, corner[1] + height), mask)


def papercut(plate: Plate, rng: np.random.Generator) -> Floats:
    """Layers of coloured card, each throwing a shadow on the one below; pastel, fibrous, hand-cut."""
    size = plate.size
    sheet = Image.new("RGB", (size, size), "#efe6d8")
    for area in plate.scene.areas:
        mean = (hex_colour(area.colour) + hex_colour(area.fade)) / 2
        card = np.clip(mean * 0.78 + 0.19 + 0.03 * (rng.random() - 0.5), 0, 1)
        drop = 5 if area.outline and np.ptp(area.points, axis=0).max() > 0.12 else 2
        red, green, blue = (int(v * 255) for v in card)
        _sheet(sheet, area, (red, green, blue), drop)
    rgb = np.asarray(sheet, np.float32) / 255
    fibre = lit(clouds(rng, size, 4, 2), 1.2)
    return np.clip(rgb * (0.86 + 0.28 * fibre[..., None]), 0, 1).astype(np.float32)


def stained_glass(plate: Plate, rng: np.random.Generator) -> Floats:
    """Panes of deep coloured glass in lead, lit from behind, no two panes alike."""
    size = plate.size
    owner, away = cells(rng, size, 46)
    big = np.isin(plate.label, np.flatnonzero(np.bincount(plate.label.ravel()) > 160))
    label = np.where(big, plate.label, 0)
    _, pane = np.unique(owner.astype(np.int64) * (label.max() + 1) + label, return_inverse=True)
    pane = pane.reshape(size, size).astype(np.int32)
    means = saturate(area_mean(plate.colour, pane), 1.75)
    means = np.clip((means - 0.5) * 1.15 + 0.5, 0.03, 1) * (0.78 + 0.4 * rng.random((len(means), 1)))
    lead = edges(pane)
    heavy = edges(label, plate.contour & big)
    bars = np.clip(blur((grow(lead, 1) | grow(heavy, 2)).astype(np.float32), 1) * np.float32(1.35), 0, 1)
    glass = means[pane] * (0.7 + 0.5 * clouds(rng, size, 22, 4)[..., None])
    glass = glass * (1.12 - 0.3 * np.clip(away / 40, 0, 1)[..., None])
    ripple = lit(clouds(rng, size, 10, 3), 2.0)
    glass = np.clip(glass * (0.85 + 0.3 * ripple[..., None]) + 0.02, 0, 1)
    halo = blur(glass.astype(np.float32), 12) * np.float32(0.28)
    metal = palette("#15141a")[0] + lit(bars, 0.35)[..., None] * np.float32(0.16)
    return np.clip(mix((glass + halo).astype(np.float32), metal.astype(np.float32), bars), 0, 1)


def _snapped(plate: Plate, rng: np.random.Generator, step: int) -> Floats:
    """Corners of a triangle grid, each moved to the strongest edge near it."""
    size = plate.size
    strength = np.hypot(*np.gradient(blur(plate.tone, 1))) + 0.05 * edges(plate.label, plate.contour)
    knots = size // step + 1
    grid = np.zeros((knots, knots, 2), np.float32)
    for i in range(knots):
        for j in range(knots):
            cy, cx = (
                i * step + int(rng.integers(-step // 4, step // 4 + 1)),
                j * step + int(rng.integers(-step // 4, step // 4 + 1)),
            )
            top, left = max(cy - step // 3, 0), max(cx - step // 3, 0)
            window = strength[top : cy + step // 3 + 1, left : cx + step // 3 + 1]
            if window.size and window.max() > 0.02:
                dy, dx = divmod(int(window.argmax()), window.shape[1])
                cy, cx = top + dy, left + dx
            grid[i, j] = (
                0 if j == 0 else size if j == knots - 1 else cx,
                0 if i == 0 else size if i == knots - 1 else cy,
            )
    return grid


def lowpoly(plate: Plate, rng: np.random.Generator) -> Floats:
    """Facets: triangles with corners on the edges of things, one colour and one slope each."""
    size = plate.size
    grid = _snapped(plate, rng, 16)
    index = Image.new("I", (size * 2, size * 2), 0)
    draw = ImageDraw.Draw(index)
    triangles = []
    for i in range(grid.shape[0] - 1):
        for j in range(grid.shape[1] - 1):
            a, b, c, d = grid[i, j], grid[i, j + 1], grid[i + 1, j + 1], grid[i + 1, j]
            triangles += [(a, b, c), (a, c, d)] if (i + j) % 2 else [(a, b, d), (b, c, d)]
    for number, corners in enumerate(triangles):
        draw.polygon([(float(x) * 2, float(y) * 2) for x, y in corners], fill=number)
    owner = np.asarray(index, dtype=np.int32)
    colour = saturate(area_mean(plate.colour.repeat(2, axis=0).repeat(2, axis=1), owner), 1.2)
    slope = 0.84 + 0.34 * rng.random((len(colour), 1))
    facets = np.clip(colour * slope, 0, 1)[owner].astype(np.float32)
    return (facets[::2, ::2] + facets[1::2, ::2] + facets[::2, 1::2] + facets[1::2, 1::2]) / np.float32(4)


def mosaic(plate: Plate, rng: np.random.Generator) -> Floats:
    """Roman floor: small glazed stones in rows, a little crooked, sand between them."""
    size = plate.size
    owner, away = cells(rng, size, 11, 0.45)
    stones = palette(
        "#f4ecdc",
        "#e3cfa6",
        "#c99a5b",
        "#a8502f",
        "#7a2b25",
        "#e0862f",
        "#f0c24a",
        "#6f8f4a",
        "#2f5d3f",
        "#3f8f9a",
        "#8fbfc4",
        "#24507e",
        "#1b2a4a",
        "#5a4a6f",
        "#8c8479",
        "#2b2724",
        "#d9a0a0",
    )
    means = area_mean(saturate(plate.colour, 1.25), owner)
    chosen = stones[nearest(means, stones)] * np.float32(0.65) + means * np.float32(0.35)
    chosen = np.clip(chosen * (0.84 + 0.3 * rng.random((len(chosen), 1))), 0, 1).astype(np.float32)
    grout = grow(edges(owner), 1) & (away > 2)
    dome = np.clip(1 - away / 8, 0, 1)
    light = lit(blur(np.where(grout, 0, 0.5 + 0.5 * dome).astype(np.float32), 1), 0.9)
    sand = palette("#b3a48c")[0] * (0.8 + 0.3 * rng.random((size, size, 1)))
    rgb = np.where(grout[..., None], sand, chosen[owner] * (0.6 + 0.8 * light[..., None]))
    return floats(np.clip(rgb, 0, 1))


def stitch(plate: Plate, rng: np.random.Generator) -> Floats:
    """Cross-stitch on linen: one crossed stitch of stranded cotton for each eight pixels."""
    size, cell = plate.size, 8
    small = size // cell
    threads = palette(
        "#fdf8ee",
        "#f2d9a0",
        "#e8a94a",
        "#d9642f",
        "#b32d3a",
        "#7a1f3a",
        "#e79aa6",
        "#8f6cae",
        "#4a3f7a",
        "#2a3f77",
        "#3f7fb5",
        "#8fc0dc",
        "#2f7a76",
        "#3f8a4a",
        "#8db450",
        "#5a3a26",
        "#a8703f",
        "#23222b",
        "#8a8f98",
        "#c9c4b8",
    )
    grid = (
        saturate(plate.colour, 1.2).reshape(small, cell, small, cell, 3).mean(axis=(1, 3), dtype=np.float32)
    )
    colour = threads[nearest(grid, threads)].repeat(cell, axis=0).repeat(cell, axis=1)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) % cell - (cell - 1) / 2
    first, second = np.abs(x - y) / np.sqrt(2), np.abs(x + y) / np.sqrt(2)
    upper = np.clip(1.9 - first, 0, 1)
    lower = np.clip(1.9 - second, 0, 1)
    sheen = (
        0.72 + 0.5 * np.cos(np.clip(first, 0, 2) * 1.3) * (upper > 0) + 0.12 * (np.sin((x + y) * 2.2) * upper)
    )
    under = 0.62 + 0.3 * np.cos(np.clip(second, 0, 2) * 1.3)
    weave = (
        0.86
        + 0.1 * np.sin(np.arange(size) * np.pi / 2)[None, :] * np.sin(np.arange(size) * np.pi / 2)[:, None]
    )
    linen = palette("#d8cbb2")[0] * (weave * (0.9 + 0.2 * rng.random((size, size))))[..., None]
    cloth = mix((linen * 0.75).astype(np.float32), (colour * under[..., None]).astype(np.float32), lower)
    return np.clip(mix(cloth, (colour * sheen[..., None]).astype(np.float32), upper), 0, 1)
