"""Styles that live by the line: pencil hatching, blueprint, neon, chalk, cel drawing."""

import numpy as np

from indexer.demo.raster import (
    area_mean,
    blur,
    clouds,
    edges,
    grow,
    hatch,
    lit,
    mix,
    nearest,
    outline,
    palette,
    saturate,
    warp,
)
from indexer.demo.shapes import Floats, Plate

__all__ = ["blueprint", "cel", "chalk", "hatching", "neon"]


def _shaky(plate: Plate, rng: np.random.Generator, reach: float, cell: float = 40) -> tuple[Floats, Floats]:
    size = plate.size
    return (clouds(rng, size, cell) - 0.5) * np.float32(2 * reach), (
        clouds(rng, size, cell) - 0.5
    ) * np.float32(2 * reach)


def hatching(plate: Plate, rng: np.random.Generator) -> Floats:
    """Graphite on paper: one more layer of strokes for each step of darkness, and a searching contour."""
    size = plate.size
    grain = clouds(rng, size, 3, 2)
    wobble = (clouds(rng, size, 90) - 0.5) * np.float32(26)
    tone = np.clip(blur(plate.tone, 1) * np.float32(1.15), 0, 1)
    ink = np.zeros((size, size), dtype=np.float32)
    for angle, level, pitch in ((38, 0.78, 6.5), (38, 0.56, 4.4), (-47, 0.42, 5.5), (80, 0.26, 4.6)):
        line = np.clip(hatch(size, angle, pitch, wobble) * 2.4 - 1.3, 0, 1)
        cover = np.clip((level - tone) * 5, 0, 1)
        pressure = 0.35 + 0.65 * clouds(rng, size, 34)
        ink = np.maximum(ink, line * cover * pressure)
    for reach in (1.5, 3.0):
        dx, dy = _shaky(plate, rng, reach)
        contour = warp(outline(plate, 0).astype(np.float32), dx, dy).astype(np.float32)
        ink = np.maximum(ink, np.clip(blur(contour, 1) * 2.2, 0, 1) * 0.95)
    ink = np.clip(ink * (0.62 + 0.75 * grain), 0, 1) * np.float32(0.86)
    paper = palette("#f5f1e7")[0] * (0.97 + 0.05 * clouds(rng, size, 2, 1)[..., None])
    return mix(paper.astype(np.float32), palette("#2f3036")[0], ink)


def _ruled(size: int) -> tuple[Floats, Floats]:
    fine, coarse = np.zeros((size, size), np.float32), np.zeros((size, size), np.float32)
    fine[:: size // 32, :] = fine[:, :: size // 32] = 1
    coarse[:: size // 8, :] = coarse[:, :: size // 8] = 1
    return fine, coarse


def blueprint(plate: Plate, rng: np.random.Generator) -> Floats:
    """White ruling-pen lines on Prussian blue with a grid, section hatching and construction lines."""
    size = plate.size
    paper = mix(palette("#0f3f86")[0], palette("#1b57a8")[0], clouds(rng, size, 170))
    fine, coarse = _ruled(size)
    paper = mix(paper, palette("#9cc4f2")[0], fine * 0.16 + coarse * 0.2)
    ink = np.where(outline(plate, 0), 0.95, np.where(edges(plate.label), 0.5, 0)).astype(np.float32)
    ink = np.maximum(ink, grow(edges((plate.depth > 0.55).astype(np.int32)), 1) * np.float32(0.95))
    section = np.clip(hatch(size, 45, 7) * 6 - 4.8, 0, 1) * (plate.tone < 0.4)
    sparse = np.clip(hatch(size, 45, 14) * 12 - 10.8, 0, 1) * (plate.tone < 0.6)
    ink = np.maximum(ink, np.maximum(section * 0.5, sparse * 0.35))
    near = np.argwhere(plate.depth > 0.65)
    for axis in (0, 1):
        for mark in (near[:, axis].min(), int(near[:, axis].mean()), near[:, axis].max()):
            line = ink[mark, :] if axis == 0 else ink[:, mark]
            dashes = np.arange(size) % 22 < 14
            line[dashes] = np.maximum(line[dashes], 0.55)
    frame = np.ones((size, size), dtype=np.bool_)
    frame[14:-14, 14:-14] = False
    inner = frame.copy()
    inner[12:-12, 12:-12] = False
    ink = np.where(frame ^ inner, 0.9, np.where(inner, ink * 0.2, ink))
    return mix(paper, palette("#eef6ff")[0], np.clip(ink * (0.8 + 0.3 * clouds(rng, size, 5, 1)), 0, 1))


def neon(plate: Plate, rng: np.random.Generator) -> Floats:
    """Glowing tubes on a dark brick wall, each of the tube colour nearest to its area's own."""
    size = plate.size
    tubes = palette("#ff2e88", "#22e6ff", "#ffb52e", "#8dff4a", "#a45bff", "#ff5a3c")
    means = saturate(area_mean(plate.colour, plate.label), 2.5)
    chosen = tubes[nearest(means, tubes * np.float32(0.8))][plate.label]
    line = outline(plate, 1).astype(np.float32)
    light = chosen * line[..., None]
    glow = (
        blur(light, 3) * np.float32(1.5)
        + blur(light, 10) * np.float32(1.5)
        + blur(light, 34) * np.float32(1.6)
    )
    brick = clouds(rng, size, 8) * np.float32(0.03)
    y, x = np.mgrid[0:size, 0:size]
    course = y // 26
    mortar = (y % 26 < 2) | ((x + (course % 2) * 32) % 64 < 2)
    wall = palette("#120a24")[0] * (1 + 0.25 * (course % 3 == 0)[..., None]) + brick[..., None]
    wall = np.where(mortar[..., None], wall * 0.45, wall)
    core = np.clip(blur(outline(plate, 0).astype(np.float32), 1) * np.float32(1.8), 0, 1)
    lamp = wall * (1 + 9 * blur(light, 34)) + glow
    return mix(lamp.astype(np.float32), np.ones(3, dtype=np.float32), core * np.float32(0.75))


def chalk(plate: Plate, rng: np.random.Generator) -> Floats:
    """Coloured chalk on a slate that was wiped before: broken lines, slanting fills, dust."""
    size = plate.size
    smear = clouds(rng, size, 120)
    board = mix(palette("#222d29")[0], palette("#35433d")[0], np.clip(smear * 1.6 - 0.4, 0, 1))
    tooth = rng.random((size, size), dtype=np.float32)
    sticks = palette("#f3f1ea", "#f6d76b", "#f29ca3", "#93c9ee", "#a9dd9b", "#f2b27c")
    means = saturate(area_mean(plate.colour, plate.label), 1.4)
    means = means / np.maximum(means.max(axis=-1, keepdims=True), 0.05)
    colour = sticks[nearest(np.clip(means * 0.85 + 0.15, 0, 1), sticks)][plate.label]
    wobble = (clouds(rng, size, 60) - 0.5) * np.float32(20)
    strokes = np.clip(hatch(size, 52, 10, wobble) * 1.6 - 0.2, 0.12, 1)
    fill = strokes * np.clip(plate.tone * 1.7 - 0.28, 0, 1) * np.float32(0.85)
    fill = fill * np.clip(plate.depth * 2.2, 0.28, 1) * (tooth < 0.3 + 0.75 * clouds(rng, size, 14))
    dx, dy = _shaky(plate, rng, 2.5)
    line = warp(outline(plate, 1).astype(np.float32), dx, dy).astype(np.float32)
    line = line * (tooth < 0.5 + 0.5 * clouds(rng, size, 9)) * np.float32(0.95)
    dusty = blur(np.maximum(line, fill * 0.8), 7) * np.float32(0.22)
    drawn = mix(mix(board, colour, fill), np.clip(colour * 0.4 + 0.6, 0, 1), line)
    return mix(drawn, palette("#dfe6df")[0], dusty)


def cel(plate: Plate, rng: np.random.Generator) -> Floats:
    """Animation cel: one light and one shadow colour in each area, a dark coloured contour, a bright rim."""
    size = plate.size
    means = area_mean(plate.colour, plate.label)
    base = saturate(means, 1.35)[plate.label]
    inside = (~edges(plate.label, plate.contour)).astype(np.float32)
    lighter = lit(blur(inside, 5) + blur(inside, 12) + blur(plate.tone, 3), 3.2) > np.float32(0.36)
    shadow = base * np.array([0.74, 0.66, 0.86], dtype=np.float32)
    near = np.clip(blur((plate.depth > 0.3).astype(np.float32), 1), 0, 1)
    toned = np.where(lighter[..., None], np.clip(base * 1.12 + 0.04, 0, 1), shadow)
    sheet = mix(plate.colour, toned.astype(np.float32), near)
    dark = np.clip(means * 0.25, 0, 1)[plate.label]
    line = np.clip(blur(outline(plate, 0).astype(np.float32), 1) * np.float32(2.6), 0, 1)
    drawn = mix(sheet, dark.astype(np.float32), line * np.float32(0.95))
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    sheen = np.clip(1 - np.abs(x + y * 0.8 - 0.45 - 0.3 * rng.random()) * 4, 0, 1) * np.float32(0.13)
    bloom = blur(np.clip(drawn - 0.75, 0, 1), 12) * np.float32(0.7)
    return np.clip(mix(drawn, np.ones(3, np.float32), sheen.astype(np.float32)) + bloom, 0, 1)
