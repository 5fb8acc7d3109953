"""Two more places of the demo library: a city at night and a tree on a hill. See ``scenes`` for the rules."""

import numpy as np

from indexer.demo.scenes import cloud, strips
from indexer.demo.shapes import Scene, blob, box, ellipse, mirror, ribbon, ridge, smooth

__all__ = ["city", "tree"]


def _tower(
    scene: Scene,
    rng: np.random.Generator,
    x: float,
    top: float,
    width: float,
    colours: tuple[str, str],
    lit: float,
) -> None:
    scene.add(box(x, top, x + width, 0.86), *colours)
    crown = rng.integers(4)
    if crown == 0:
        scene.add([(x, top), (x + width / 2, top - width * 0.5), (x + width, top)], colours[0])
    elif crown == 1:
        scene.add(box(x + width * 0.25, top - 0.035, x + width * 0.75, top), colours[0])
        scene.add(box(x + width * 0.47, top - 0.1, x + width * 0.53, top - 0.03), colours[0])
    if lit <= 0:
        return
    columns, rows = max(2, int(width / 0.032)), int((0.82 - top) / 0.042)
    for i in range(columns):
        for j in range(rows):
            if rng.random() < lit:
                left, upper = x + width * (i + 0.25) / columns, top + 0.02 + j * 0.042
                glow = "#ffd76a" if rng.random() < 0.8 else "#8fe0ff"
                scene.add(box(left, upper, left + width * 0.5 / columns, upper + 0.022), glow, line=False)


def city(rng: np.random.Generator) -> Scene:
    """Towers with lit windows at night, moon and stars above, a river before them."""
    scene = Scene()
    scene.add(box(-0.2, -0.2, 1.2, 0.9), "#0b1038", "#6b3f87")
    for _ in range(45):
        r = 0.0016 + 0.0028 * rng.random()
        scene.add(ellipse(rng.random(), rng.random() * 0.42, r, r), "#f4f0ff", line=False)
    scene.add(ellipse(0.78, 0.17, 0.08, 0.08), "#fff4cf", "#f0d99a", shading="round")
    scene.add(ellipse(0.805, 0.155, 0.017, 0.015), "#e0c98c", line=False)
    scene.add(ellipse(0.76, 0.2, 0.012, 0.012), "#e0c98c", line=False)
    scene.depth = 0.25
    for x in np.linspace(-0.05, 1.0, 13):
        _tower(scene, rng, float(x), 0.45 + 0.14 * rng.random(), 0.085, ("#473673", "#5b4286"), 0.0)
    scene.depth = 0.5
    for x in np.linspace(-0.04, 0.95, 8):
        _tower(scene, rng, float(x), 0.33 + 0.2 * rng.random(), 0.1, ("#2a2560", "#3a2f70"), 0.4)
    scene.depth = 0.7
    for x in (-0.05, 0.16, 0.42, 0.6, 0.86):
        _tower(scene, rng, x, 0.44 + 0.2 * rng.random(), 0.14, ("#141538", "#201f4e"), 0.55)
    scene.depth = 0.8
    scene.add(box(-0.2, 0.82, 1.2, 1.2), "#2b2a66", "#0c1034")
    strips(scene, rng, 0.78, 0.04, np.linspace(0.85, 0.99, 7), "#f3deb0", 0.035)
    strips(scene, rng, 0.4, 0.45, np.linspace(0.84, 0.99, 16), "#c98ad0", 0.03)
    strips(scene, rng, 0.4, 0.45, np.linspace(0.84, 0.99, 12), "#ffcf6a", 0.02)
    scene.add(box(-0.2, 0.805, 1.2, 0.83), "#0d0e2c")
    for x in np.linspace(0.05, 0.95, 7):
        scene.add(box(float(x) - 0.003, 0.755, float(x) + 0.003, 0.81), "#0d0e2c", line=False)
        scene.add(ellipse(float(x), 0.753, 0.011, 0.011), "#ffe9a8", line=False)
    return scene


def _foliage(scene: Scene, rng: np.random.Generator) -> None:
    clumps = [
        (0.5, 0.3, 0.26, 0.18),
        (0.32, 0.4, 0.17, 0.12),
        (0.69, 0.38, 0.18, 0.13),
        (0.42, 0.21, 0.17, 0.12),
        (0.6, 0.2, 0.16, 0.11),
    ]
    for x, y, rx, ry in clumps:
        scene.add(blob(rng, x, y + 0.03, rx, ry, 13), "#2f6b3c", "#23552f")
    for x, y, rx, ry in clumps:
        scene.add(blob(rng, x - 0.02, y - 0.015, rx * 0.82, ry * 0.78, 12), "#5d9a48", "#3d7f40")
    for x, y, rx, ry in clumps:
        scene.add(blob(rng, x - 0.05, y - 0.05, rx * 0.42, ry * 0.4, 10), "#a4c95c", "#7fb050")


def tree(rng: np.random.Generator) -> Scene:
    """A great tree on a hill with a swing, fields behind, birds above."""
    scene = Scene()
    scene.add(box(-0.2, -0.2, 1.2, 0.75), "#8fcbe6", "#eef6e4")
    cloud(scene, rng, 0.16, 0.2, 0.28, "#ffffff", "#dcebf2")
    cloud(scene, rng, 0.88, 0.14, 0.26, "#ffffff", "#dcebf2")
    for i in range(4):
        x, y = 0.78 + 0.05 * i + 0.02 * rng.random(), 0.28 - 0.025 * i + 0.03 * rng.random()
        scene.add(
            ribbon([(x - 0.022, y - 0.012), (x, y), (x + 0.022, y - 0.014)], 0.005), "#3a4a55", line=False
        )
    scene.depth = 0.2
    scene.add(ridge(rng, 0.6, 0.03, 7), "#a8c8a0", "#b7cf95")
    scene.add(ridge(rng, 0.66, 0.03, 6), "#d9c36a", "#c9b056")
    scene.add(ridge(rng, 0.7, 0.02, 5), "#94b85c", "#86a94f")
    for i in range(5):
        scene.add(
            blob(rng, 0.06 + 0.21 * i + 0.05 * rng.random(), 0.665, 0.022, 0.028, 8), "#4d7a45", "#3d6639"
        )
    scene.depth = 0.5
    scene.add(
        smooth([(-0.2, 0.87), (0.1, 0.81), (0.48, 0.745), (0.85, 0.8), (1.2, 0.88), (1.2, 1.2), (-0.2, 1.2)]),
        "#77ad4b",
        "#3f7a3a",
    )
    scene.depth = 0.7
    scene.add(ellipse(0.55, 0.815, 0.26, 0.03), "#4d863d", line=False)
    trunk = [
        (0.462, 0.5),
        (0.458, 0.66),
        (0.44, 0.76),
        (0.385, 0.82),
        (0.47, 0.805),
        (0.505, 0.83),
        (0.535, 0.805),
        (0.615, 0.82),
        (0.565, 0.755),
        (0.545, 0.65),
        (0.55, 0.5),
    ]
    scene.add(smooth(trunk), "#8a6242", "#5a3d2b", shading="across")
    scene.add(ribbon([(0.49, 0.6), (0.4, 0.5), (0.33, 0.4)], 0.045, 0.015), "#76523a")
    scene.add(ribbon([(0.52, 0.6), (0.62, 0.5), (0.7, 0.4)], 0.045, 0.015), "#5f432f")
    scene.depth = 0.8
    _foliage(scene, rng)
    for x in (0.655, 0.715):
        scene.add(box(x - 0.002, 0.5, x + 0.002, 0.73), "#5a4632", line=False)
    scene.add(box(0.64, 0.725, 0.73, 0.74), "#a3543a")
    scene.depth = 0.9
    for i in range(14):
        x, y = rng.random(), 0.88 + 0.1 * rng.random()
        scene.add(ellipse(float(x), float(y), 0.011, 0.009), ["#f6e27a", "#ffffff", "#ec7f8c"][i % 3])
    for x in np.linspace(0.03, 0.33, 5):
        scene.add(
            box(float(x), 0.8 + 0.09 * abs(0.35 - float(x)), float(x) + 0.014, 0.89), "#efe6d6", "#cdbfa8"
        )
    scene.add(mirror([(-0.02, 0.85), (-0.02, 0.862)], 0.175), "#e3d7c3")
    return scene
