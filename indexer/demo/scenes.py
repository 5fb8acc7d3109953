"""The landscapes of the demo library: harbour and mountains.

Each function takes a random generator (which waves, windows and clouds vary) and gives the areas from far to
near. A scene is drawn the same whatever style it will be shown in: the subject is not the style.
"""

from collections.abc import Iterable

import numpy as np

from indexer.demo.shapes import Scene, box, ellipse, ridge, smooth

__all__ = ["cloud", "harbour", "mountains", "strips"]


def cloud(
    scene: Scene, rng: np.random.Generator, x: float, y: float, width: float, colour: str, fade: str
) -> None:
    half = width / 2
    top = [
        (x - half, y),
        (x - half * 0.7, y - width * 0.14),
        (x - half * 0.25, y - width * (0.22 + 0.06 * rng.random())),
    ]
    top += [
        (x + half * 0.2, y - width * 0.17),
        (x + half * 0.55, y - width * 0.2),
        (x + half * 0.9, y - width * 0.08),
    ]
    scene.add(smooth([*top, (x + half, y), (x, y + width * 0.03)]), colour, fade, line=False)


def _house(scene: Scene, x: float, base: float, width: float, height: float, wall: str, roof: str) -> None:
    top = base - height
    scene.add(box(x, top, x + width, base), wall)
    scene.add(
        box(x + width * 0.62, top, x + width, base),
        _darker(wall),
        line=False,
    )
    scene.add([(x - 0.008, top), (x + width / 2, top - width * 0.55), (x + width + 0.008, top)], roof)
    for row in range(max(1, int(height / 0.06))):
        for column in (0.18, 0.6):
            left, upper = x + width * column, top + 0.018 + row * 0.055
            scene.add(box(left, upper, left + width * 0.22, upper + 0.028), "#33425b", line=False)


def _darker(colour: str, share: float = 0.82) -> str:
    return "#" + "".join(f"{int(int(colour[i : i + 2], 16) * share):02x}" for i in (1, 3, 5))


def strips(
    scene: Scene,
    rng: np.random.Generator,
    centre: float,
    spread: float,
    rows: Iterable[float],
    colour: str,
    width: float,
) -> None:
    """Glints on water: thin lenses, wider towards the viewer."""
    for y in rows:
        x = centre + spread * (rng.random() - 0.5) * 2
        half = width * (0.5 + rng.random()) * (0.4 + y)
        scene.add(ellipse(x, y, half, 0.0045 + 0.004 * y), colour, line=False)


def _boat(scene: Scene, x: float, y: float, s: float) -> None:
    """A sailing boat, waterline at ``y``, about ``0.45 * s`` high."""
    scene.add(ellipse(x, y + 0.03 * s, 0.2 * s, 0.022 * s), "#173f5c", line=False)
    scene.add(box(x - 0.006 * s, y - 0.44 * s, x + 0.006 * s, y - 0.03 * s), "#5b3a21")
    main = [
        (x + 0.012 * s, y - 0.42 * s),
        (x + 0.1 * s, y - 0.25 * s),
        (x + 0.17 * s, y - 0.075 * s),
        (x + 0.012 * s, y - 0.07 * s),
    ]
    scene.add([main[0], *smooth(main[:3], closed=False)[1:], main[3]], "#fff7e6", "#e8cfa6", shading="across")
    scene.add(
        [
            (x - 0.014 * s, y - 0.39 * s),
            (x - 0.075 * s, y - 0.22 * s),
            (x - 0.16 * s, y - 0.07 * s),
            (x - 0.014 * s, y - 0.075 * s),
        ],
        "#d8483a",
        "#a92e2a",
    )
    scene.add(
        [(x + 0.006 * s, y - 0.445 * s), (x + 0.06 * s, y - 0.43 * s), (x + 0.006 * s, y - 0.412 * s)],
        "#f2b632",
    )
    hull = [
        (x - 0.2 * s, y - 0.055 * s),
        (x + 0.21 * s, y - 0.06 * s),
        (x + 0.17 * s, y + 0.005 * s),
        (x + 0.11 * s, y + 0.035 * s),
        (x - 0.12 * s, y + 0.035 * s),
        (x - 0.17 * s, y),
    ]
    scene.add(hull, "#2f4b7c", "#1d2f55")
    scene.add(
        [
            (x - 0.2 * s, y - 0.055 * s),
            (x + 0.21 * s, y - 0.06 * s),
            (x + 0.2 * s, y - 0.042 * s),
            (x - 0.194 * s, y - 0.037 * s),
        ],
        "#f4e3c0",
        line=False,
    )


def harbour(rng: np.random.Generator) -> Scene:
    """A sailing boat before a small harbour town with a lighthouse."""
    scene = Scene()
    scene.add(box(-0.2, -0.2, 1.2, 0.62), "#7fb8d8", "#fbdcae")
    sun = 0.3 + 0.1 * rng.random()
    scene.add(ellipse(sun, 0.27, 0.075, 0.075), "#fff1b8")
    cloud(scene, rng, 0.72, 0.2, 0.36, "#ffffff", "#f3d9c2")
    cloud(scene, rng, 0.12, 0.13, 0.22, "#ffffff", "#f3d9c2")
    scene.depth = 0.2
    scene.add(ridge(rng, 0.47, 0.035, 9), "#8fa9b5", "#a9bdbf")
    scene.add(ridge(rng, 0.51, 0.025, 7), "#6f9186", "#7da08a")
    scene.depth = 0.35
    scene.add(
        smooth([(0.6, 0.57), (0.7, 0.5), (0.85, 0.47), (1.2, 0.45), (1.2, 0.6), (0.6, 0.59)]),
        "#5f7d52",
        "#4b6a4a",
    )
    facades = ["#e9c46a", "#e76f51", "#f1e3d3", "#8ab0ab", "#d98c5f"]
    for i, wall in enumerate(facades):
        _house(
            scene,
            0.64 + i * 0.075,
            0.58,
            0.066,
            0.07 + 0.055 * rng.random(),
            wall,
            ["#9c3d2e", "#7b3327"][i % 2],
        )
    scene.add(
        smooth([(-0.2, 0.5), (0.02, 0.5), (0.13, 0.55), (0.2, 0.6), (-0.2, 0.62)]), "#7a6a58", "#5c5146"
    )
    scene.add(
        [(0.035, 0.52), (0.048, 0.31), (0.092, 0.31), (0.105, 0.52)], "#f7f2e8", "#cfc8bc", shading="across"
    )
    scene.add(
        [(0.04, 0.45), (0.0445, 0.385), (0.0955, 0.385), (0.1, 0.45)], "#c8402f", "#8f2a22", shading="across"
    )
    scene.add(box(0.045, 0.275, 0.095, 0.31), "#ffe9a0")
    scene.add([(0.036, 0.278), (0.07, 0.235), (0.104, 0.278)], "#8f2a22")
    scene.depth = 0.5
    scene.add(box(-0.2, 0.58, 1.2, 1.2), "#5aa0b8", "#1f5673")
    strips(scene, rng, sun, 0.06, np.linspace(0.6, 0.95, 12), "#fbe3b0", 0.06)
    strips(scene, rng, 0.5, 0.5, np.linspace(0.63, 0.97, 16), "#8cc4d0", 0.07)
    strips(scene, rng, 0.5, 0.5, np.linspace(0.62, 0.96, 12), "#2f728c", 0.08)
    scene.depth = 0.7
    _boat(scene, 0.47 + 0.08 * rng.random(), 0.8, 1.25)
    scene.depth = 0.9
    scene.add([(0.72, 1.2), (0.8, 0.93), (1.2, 0.88), (1.2, 1.2)], "#8d7b68", "#5f5145")
    scene.add(box(0.865, 0.85, 0.9, 0.945), "#4a3b30")
    scene.add(ellipse(0.8825, 0.85, 0.024, 0.012), "#6a5646")
    return scene


def _pine(scene: Scene, x: float, base: float, height: float, colour: str, fade: str) -> None:
    scene.add(box(x - height * 0.03, base - height * 0.15, x + height * 0.03, base), "#4b3526")
    for tier in range(3):
        bottom = base - height * (0.1 + 0.24 * tier)
        half = height * (0.24 - 0.055 * tier)
        apex = (x, bottom - height * 0.42)
        scene.add(
            [apex, (x + half, bottom), (x, bottom - height * 0.045), (x - half, bottom)],
            colour,
            fade,
            shading="across",
        )


def _peak(
    scene: Scene, x: float, top: float, half: float, base: float, colours: tuple[str, str, str]
) -> None:
    """A mountain with a lit and a shaded side and a snow cap."""
    lit, shaded, snow = colours
    scene.add([(x, top), (x + half, base), (x - half, base)], lit, shaded)
    fold = [
        (x, top),
        (x + half, base),
        (x + half * 0.1, base),
        (x - half * 0.06, top + (base - top) * 0.55),
        (x + half * 0.09, top + (base - top) * 0.28),
    ]
    scene.add(fold, shaded, line=False)
    cap = (base - top) * 0.33
    run = half * 0.33
    edge = [
        (x - run, top + cap),
        (x - run * 0.5, top + cap * 0.8),
        (x - run * 0.2, top + cap * 1.15),
        (x + run * 0.15, top + cap * 0.75),
        (x + run * 0.55, top + cap * 1.1),
        (x + run, top + cap),
    ]
    scene.add([(x, top), *edge[::-1]], snow)
    scene.add([(x, top), edge[5], edge[4], edge[3]], "#b9c9e0", line=False)


def mountains(rng: np.random.Generator) -> Scene:
    """Snowy peaks over a lake, pines and a cabin with a lit window."""
    scene = Scene()
    scene.add(box(-0.2, -0.2, 1.2, 0.7), "#f0a676", "#fde8c4")
    scene.add(ellipse(0.68 + 0.06 * rng.random(), 0.2, 0.062, 0.062), "#fff6d8")
    cloud(scene, rng, 0.25, 0.17, 0.34, "#fff3e2", "#f6c9a0")
    scene.depth = 0.15
    _peak(scene, 0.86, 0.24, 0.36, 0.64, ("#9d8fb0", "#7d7199", "#fffaf4"))
    _peak(scene, 0.1, 0.27, 0.34, 0.64, ("#9d8fb0", "#7d7199", "#fffaf4"))
    scene.depth = 0.3
    _peak(scene, 0.47 + 0.04 * rng.random(), 0.13, 0.4, 0.66, ("#6d6f96", "#4d5078", "#ffffff"))
    scene.depth = 0.45
    scene.add(ridge(rng, 0.6, 0.03, 9), "#4f7f6f", "#3d6a5f")
    for x in np.linspace(-0.02, 1.02, 22):
        _pine(scene, float(x + 0.02 * rng.random()), 0.655, 0.07 + 0.04 * rng.random(), "#35604f", "#274a40")
    scene.add(box(-0.2, 0.65, 1.2, 0.9), "#7fa9b8", "#38647e")
    scene.add([(0.2, 0.65), (0.75, 0.65), (0.5, 0.82)], "#55608a", "#456f8c", line=False)
    strips(scene, rng, 0.5, 0.5, np.linspace(0.67, 0.86, 14), "#a9cbd0", 0.08)
    scene.depth = 0.7
    scene.add(
        smooth([(-0.2, 0.82), (0.15, 0.8), (0.45, 0.87), (0.75, 0.84), (1.2, 0.79), (1.2, 1.2), (-0.2, 1.2)]),
        "#6f9a4f",
        "#3f6a3a",
    )
    scene.depth = 0.8
    scene.add(box(0.62, 0.74, 0.83, 0.87), "#8a5a3a", "#6b4229")
    scene.add([(0.59, 0.75), (0.655, 0.65), (0.795, 0.65), (0.86, 0.75)], "#4d2f24", "#3b231b")
    scene.add(box(0.77, 0.61, 0.8, 0.68), "#7a6a5e")
    scene.add(box(0.65, 0.78, 0.7, 0.825), "#ffd873")
    scene.add(box(0.75, 0.775, 0.795, 0.87), "#3b2418")
    scene.depth = 0.9
    _pine(scene, 0.13, 0.98, 0.5, "#2f6148", "#1d4334")
    _pine(scene, 0.3, 0.95, 0.3, "#3a7052", "#24503e")
    _pine(scene, 0.93, 0.99, 0.42, "#2f6148", "#1d4334")
    return scene
