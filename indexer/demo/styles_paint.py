"""Styles that come off a brush: watercolour, impasto, pointillism, ink wash, film photograph."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from indexer.demo.raster import (
    blur,
    clouds,
    edges,
    grow,
    hatch,
    lit,
    mix,
    outline,
    palette,
    saturate,
    to_image,
    warp,
)
from indexer.demo.shapes import Floats, Plate, floats

__all__ = ["film", "impasto", "inkwash", "pointillism", "watercolour"]


def watercolour(plate: Plate, rng: np.random.Generator) -> Floats:
    """Transparent washes that pool at their edges, bleed into each other and leave the paper white around."""
    size = plate.size
    dx, dy = (clouds(rng, size, 30) - 0.5) * np.float32(22), (clouds(rng, size, 30) - 0.5) * np.float32(22)
    colour = warp(plate.colour, dx, dy).astype(np.float32)
    label = warp(plate.label, dx, dy).astype(np.int32)
    wet = mix(blur(colour, 1), blur(colour, 7), np.clip(clouds(rng, size, 80) * 1.6 - 0.5, 0, 1))
    pigment = 1 - np.clip(saturate(wet, 1.45) ** np.float32(1.15), 0, 1)
    flow = 0.42 + 0.75 * clouds(rng, size, 70, 4)
    rim = edges(label).astype(np.float32)
    pool = np.clip(blur(rim, 2) * 2.4, 0, 1) * clouds(rng, size, 26)
    gap = np.clip(blur(grow(edges(label), 1).astype(np.float32), 1) * clouds(rng, size, 40) * 2.6 - 1.1, 0, 1)
    tooth = clouds(rng, size, 3, 2)
    density = np.clip(flow * 0.85 + pool * 0.55 + (tooth - 0.5) * 0.28, 0, 1.25) * (1 - 0.75 * gap)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size - 0.5
    far = np.maximum(np.abs(x), np.abs(y)) + (clouds(rng, size, 45, 4) - 0.5) * np.float32(0.11)
    density = density * np.clip((0.462 - far) * 30, 0, 1)
    paper = palette("#fcf9f1")[0] * (0.965 + 0.05 * tooth[..., None])
    return floats(np.clip(paper * (1 - pigment * density[..., None] * np.float32(0.95)), 0, 1))


def _directions(plate: Plate, rng: np.random.Generator) -> Floats:
    """The angle of the brush in radians: along the contours, turned by slow noise where nothing leads it."""
    soft = blur(plate.tone, 7)
    gy, gx = np.gradient(soft)
    swirl = (clouds(rng, plate.size, 150) - 0.5) * np.float32(2.5 * np.pi)
    force = np.clip(np.hypot(gx, gy) * 90, 0, 1)
    along = np.arctan2(gx, -gy)
    vector = np.exp(1j * 2 * along) * force + np.exp(1j * 2 * swirl) * (1 - force) * 0.6
    return floats(np.angle(vector) / 2)


_DAB = np.array(
    [(-1, -0.4), (-0.6, -1), (0.6, -0.9), (1, -0.2), (0.9, 0.5), (0.5, 1), (-0.7, 0.9), (-1, 0.3)], np.float32
)
"""The outline of one touch of the brush, length and width 2."""


def _dabs(
    spots: NDArray[np.intp], angle: Floats, size: tuple[float, float], rng: np.random.Generator
) -> Floats:
    """Outlines ``(n, 8, 2)`` of touches at ``spots``, turned along the brush, ``size`` long and wide."""
    count = len(spots)
    turn = angle[spots[:, 1], spots[:, 0]] + 0.35 * (rng.random(count) - 0.5)
    reach = np.array(size) / 2 * (0.7 + 0.6 * rng.random((count, 2)))
    along, across = _DAB[:, 0] * reach[:, :1], _DAB[:, 1] * reach[:, 1:]
    c, s = np.cos(turn)[:, None], np.sin(turn)[:, None]
    return floats(np.stack([along * c - across * s, along * s + across * c], axis=-1) + spots[:, None, :])


def _strokes(plate: Plate, rng: np.random.Generator, angle: Floats) -> tuple[Floats, Floats]:
    """Colour and height of about four thousand dabs, large ones first."""
    size = plate.size
    sheet = to_image(blur(plate.colour, 9) * np.float32(0.9))
    relief = Image.new("L", (size, size), 90)
    draw, draw_relief = ImageDraw.Draw(sheet), ImageDraw.Draw(relief)
    loud, busy = saturate(plate.colour, 1.3), np.hypot(*np.gradient(plate.tone))
    for step, length, width in ((17, 25.0, 8.0), (11, 15.0, 5.2), (7, 9.5, 3.3)):
        spots = _scattered(rng, size, step)
        keep = rng.random(len(spots)) < (1.0 if step > 8 else 0.35)
        spots = spots[keep | (busy[spots[:, 1], spots[:, 0]] > 0.02)]
        paint = loud[spots[:, 1], spots[:, 0]] * (0.88 + 0.26 * rng.random((len(spots), 1)))
        paint = np.clip(paint + 0.05 * (rng.random((len(spots), 3)) - 0.5), 0, 1)
        heights = (60 + 190 * rng.random(len(spots))).astype(int).tolist()
        shapes = _dabs(spots, angle, (length, width), rng).reshape(len(spots), -1).tolist()
        for shape, dab, height in zip(shapes, (paint * 255).astype(int).tolist(), heights, strict=True):
            draw.polygon(shape, fill=tuple(dab))
            draw_relief.polygon(shape, fill=height)
    return floats(np.asarray(sheet) / 255), floats(np.asarray(relief) / 255)


def _scattered(rng: np.random.Generator, size: int, step: int) -> NDArray[np.intp]:
    """Places ``(n, 2)`` as x, y: a grid of ``step`` pixels, shaken and shuffled."""
    grid = np.stack(np.meshgrid(np.arange(0, size, step), np.arange(0, size, step)), axis=-1).reshape(-1, 2)
    shaken = np.clip(grid + rng.integers(-step // 2, step // 2 + 1, grid.shape), 0, size - 1)
    found: NDArray[np.intp] = shaken[rng.permutation(len(shaken))]
    return found


def _bristles(rng: np.random.Generator, angle: Floats, reach: int = 9) -> Floats:
    """Noise smeared along the brush (line integral convolution, Cabral and Leedom 1993)."""
    size = angle.shape[0]
    noise = rng.random((size, size), dtype=np.float32)
    c, s = np.cos(angle), np.sin(angle)
    total = np.zeros((size, size), np.float32)
    for k in range(-reach, reach + 1):
        total += warp(noise, c * np.float32(k), s * np.float32(k)).astype(np.float32)
    return total / np.float32(2 * reach + 1)


def impasto(plate: Plate, rng: np.random.Generator) -> Floats:
    """Thick oil: dabs along the form, bristle marks, light raking over the relief."""
    angle = _directions(plate, rng)
    colour, relief = _strokes(plate, rng, angle)
    height = blur(relief, 1) * np.float32(0.55) + (_bristles(rng, angle) - 0.5) * np.float32(1.1)
    light = lit(height, 1.5)
    shaded = colour * (0.62 + 0.76 * light[..., None])
    shine = np.clip(light - 0.78, 0, 1)[..., None] * np.float32(1.3)
    return floats(np.clip(shaded + shine, 0, 1))


def pointillism(plate: Plate, rng: np.random.Generator) -> Floats:
    """Dots of purer colours than the eye will see, complements among them, primed canvas between."""
    size = plate.size
    canvas = Image.new("RGB", (size, size), "#ece3cf")
    draw = ImageDraw.Draw(canvas)
    loud = saturate(plate.colour, 1.75)
    for step, radius in ((8, 4.6), (6, 3.1)):
        spots = _scattered(rng, size, step)
        pure = loud[spots[:, 1], spots[:, 0]]
        kind = rng.random(len(spots))[:, None]
        jitter = 0.3 * (rng.random((len(spots), 3)) - 0.5)
        other = np.clip(0.35 * (1 - pure) + 0.65 * pure[:, [2, 0, 1]], 0, 1)
        dots = np.where(
            kind < 0.12,
            other,
            np.where(kind < 0.3, np.clip(pure * 1.25 + 0.12, 0, 1), np.clip(pure + jitter, 0, 1)),
        )
        radii = radius * (0.7 + 0.5 * rng.random(len(spots)))
        for (x, y), r, dab in zip(
            spots.tolist(), radii.tolist(), (dots * 255).astype(int).tolist(), strict=True
        ):
            draw.ellipse((x - r, y - r, x + r, y + r), fill=tuple(dab))
    return (np.asarray(canvas, np.float32) / 255).astype(np.float32)


def inkwash(plate: Plate, rng: np.random.Generator) -> Floats:
    """Black ink on rice paper: wet greys, a dry brush for the contour, much left empty, a red seal."""
    size = plate.size
    dx, dy = (clouds(rng, size, 50) - 0.5) * np.float32(30), (clouds(rng, size, 50) - 0.5) * np.float32(30)
    tone = warp(plate.tone, dx, dy).astype(np.float32)
    near = warp(plate.depth, dx, dy).astype(np.float32)
    spread = mix(blur(tone, 3), blur(tone, 14), clouds(rng, size, 90))
    washed = (
        np.clip((0.86 - spread) * 1.25, 0, 1)
        * (0.25 + 0.75 * blur(near, 6))
        * (0.5 + 0.8 * clouds(rng, size, 100))
    )
    steps = np.rint(washed * 5) / 5 * 0.35 + washed * 0.65
    brush = warp(outline(plate, 2).astype(np.float32), dx * np.float32(0.4), dy * np.float32(0.4)).astype(
        np.float32
    )
    dry = np.clip(
        clouds(rng, size, 4, 2) * 0.5
        + hatch(size, 20, 3, clouds(rng, size, 30) * 30) * 0.25
        + clouds(rng, size, 60) * 0.9
        - 0.52,
        0,
        1,
    )
    stroke = np.clip(blur(brush, 1) * dry * 2.4, 0, 1) * (0.3 + 0.7 * near)
    fibre = clouds(rng, size, 6, 2) * 0.05 + hatch(size, 3, 9, clouds(rng, size, 25) * 60) * 0.02
    paper = palette("#efe6d3")[0] * (0.95 + fibre[..., None])
    ink = np.clip(np.maximum(steps * 0.78, stroke), 0, 0.96)
    sheet = mix(paper.astype(np.float32), palette("#1c1f24")[0], ink.astype(np.float32))
    _seal(sheet)
    return sheet


def _seal(sheet: Floats) -> None:
    """A red stamp in the lower right corner: three strokes and an upright left blank."""
    unit = sheet.shape[0] // 128
    stamp = np.ones((11, 9), np.float32)
    stamp[2, 2:7] = stamp[5, 2:7] = stamp[8, 2:7] = stamp[2:9, 4] = 0
    stamp = stamp.repeat(unit, axis=0).repeat(unit, axis=1)
    top, left = int(sheet.shape[0] * 0.86), int(sheet.shape[0] * 0.87)
    corner = sheet[top : top + stamp.shape[0], left : left + stamp.shape[1]]
    corner[:] = mix(corner, palette("#b8322a")[0], stamp * np.float32(0.9))


def film(plate: Plate, rng: np.random.Generator) -> Floats:
    """A photograph of a model set: shallow focus, soft light on rounded forms, bloom, grain, dark corners."""
    size = plate.size
    swell = np.zeros((size, size), np.float32)
    inside = (~edges(plate.label, plate.contour)).astype(np.float32)
    for radius in (3, 7, 14):
        swell += blur(inside, radius) / 3
    light = lit(blur(swell, 2), 5.0)
    rgb = np.clip(saturate(plate.colour, 0.85) ** np.float32(1.15) * (0.62 + 0.8 * light[..., None]), 0, 1)
    rgb = rgb * (0.9 + 0.2 * clouds(rng, size, 12, 4)[..., None])
    out = np.clip(0.62 - plate.depth, 0, 1)
    rgb = mix(
        mix(blur(rgb, 1), blur(rgb, 4), blur(np.clip(out * 3, 0, 1), 3)),
        blur(rgb, 9),
        blur(np.clip(out * 3 - 1, 0, 1), 5),
    )
    rgb = rgb + blur(np.clip(rgb - 0.72, 0, 1), 16) * np.float32(1.2)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size - 0.5
    corner = 1 - np.clip(np.hypot(x, y) - 0.35, 0, 1) * np.float32(1.3)
    grade = rgb * corner[..., None] * np.array([1.04, 1.0, 0.93], np.float32) + np.array(
        [0.01, 0.02, 0.045], np.float32
    )
    grain = (rng.random((size, size, 1), dtype=np.float32) - 0.5) * np.float32(0.075)
    return floats(np.clip(grade + grain, 0, 1))
