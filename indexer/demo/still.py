"""The still lifes of the demo library: flowers and teapot. See ``scenes`` for the rules."""

import numpy as np

from indexer.demo.shapes import Scene, box, ellipse, mirror, ribbon, smooth

__all__ = ["flowers", "teapot"]


def _flower(
    scene: Scene, x: float, y: float, r: float, petals: int, colours: tuple[str, str, str], turn: float
) -> None:
    for ring, share in ((0, 1.0), (1, 0.66)):
        for i in range(petals):
            a = 2 * np.pi * (i + ring * 0.5) / petals + turn
            px, py = x + np.cos(a) * r * 0.55 * share, y + np.sin(a) * r * 0.55 * share
            scene.add(
                ellipse(float(px), float(py), r * 0.5 * share, r * 0.27 * share, float(np.degrees(a))),
                colours[ring],
                colours[1],
            )
    scene.add(ellipse(x, y, r * 0.24, r * 0.24), colours[2], "#7a4a1c", shading="round")


def _leaf(scene: Scene, x: float, y: float, length: float, turn: float) -> None:
    a = np.radians(turn)
    c, s = np.cos(a), np.sin(a)
    outline = [(0, 0), (0.3, -0.2), (0.7, -0.17), (1, 0), (0.7, 0.14), (0.3, 0.17)]
    points = [(x + length * (u * c - v * s), y + length * (u * s + v * c)) for u, v in outline]
    scene.add(smooth(points), "#5e9a55", "#2f6a3f")
    scene.add(
        ribbon([points[0], (x + length * 0.5 * c, y + length * 0.5 * s), points[3]], 0.006, 0.002),
        "#9cc681",
        line=False,
    )


def _bunch(scene: Scene, rng: np.random.Generator) -> None:
    scene.depth = 0.5
    heads = [
        (0.5, 0.22, 0.13),
        (0.31, 0.3, 0.11),
        (0.69, 0.29, 0.115),
        (0.4, 0.42, 0.105),
        (0.6, 0.44, 0.11),
        (0.22, 0.44, 0.075),
        (0.79, 0.43, 0.075),
    ]
    for x, y, _ in heads:
        scene.add(
            ribbon([(0.5 + (x - 0.5) * 0.15, 0.62), (0.5 + (x - 0.5) * 0.5, 0.5), (x, y)], 0.013, 0.009),
            "#4a8045",
        )
    for x, y, length, turn in (
        (0.46, 0.55, 0.22, 205),
        (0.54, 0.55, 0.22, -25),
        (0.45, 0.5, 0.2, 240),
        (0.56, 0.5, 0.2, -60),
        (0.48, 0.57, 0.17, 170),
        (0.52, 0.57, 0.17, 10),
    ):
        _leaf(scene, x, y, length, turn + 8 * (rng.random() - 0.5))
    scene.depth = 0.7
    kinds = [
        ("#e8546b", "#b5304f", "#f7c948"),
        ("#f7c948", "#e59a2a", "#8a4b1d"),
        ("#8f6fc4", "#5f459a", "#f9dd72"),
        ("#ffffff", "#dfe4ee", "#f3b33c"),
        ("#f08a4b", "#c95f2b", "#6d3a1a"),
    ]
    order = rng.permutation(len(kinds))
    for i, (x, y, r) in enumerate(heads):
        _flower(scene, x, y, r, 9 if i % 2 else 7, kinds[order[i % len(kinds)]], rng.random())


def _vase(scene: Scene, rng: np.random.Generator) -> None:
    scene.depth = 0.85
    half = [
        (0.44, 0.585),
        (0.435, 0.62),
        (0.37, 0.69),
        (0.335, 0.77),
        (0.36, 0.86),
        (0.42, 0.925),
        (0.44, 0.94),
    ]
    scene.add(mirror(smooth(half, closed=False)), "#6fb0c8", "#245a7c", shading="round")
    scene.add(ellipse(0.5, 0.588, 0.064, 0.014), "#1f4a66")
    scene.add(mirror([(0.345, 0.74), (0.336, 0.77), (0.342, 0.8)]), "#f4efe2", "#cfc7b4", shading="across")
    for i in range(7):
        scene.add(ellipse(0.376 + i * 0.0415, 0.77, 0.013, 0.018), "#e2725b", line=False)
    for _ in range(5):
        scene.add(
            ellipse(
                float(0.15 + 0.7 * rng.random()),
                float(0.95 + 0.03 * rng.random()),
                0.022,
                0.009,
                float(rng.random() * 90),
            ),
            "#e8546b",
            "#b5304f",
        )


def flowers(rng: np.random.Generator) -> Scene:
    """A bunch of garden flowers in a painted vase on a table."""
    scene = Scene()
    scene.add(box(-0.2, -0.2, 1.2, 0.9), "#f3dfc8", "#e5bf9c")
    scene.add(ellipse(0.5, 0.4, 0.4, 0.4), "#f9ecd9", line=False)
    scene.depth = 0.3
    scene.add(box(-0.2, 0.78, 1.2, 1.2), "#a9683f", "#6d3f28")
    scene.add(box(-0.2, 0.78, 1.2, 0.8), "#c98a5c", line=False)
    scene.add(ellipse(0.55, 0.925, 0.24, 0.035), "#5a3320", line=False)
    _bunch(scene, rng)
    _vase(scene, rng)
    return scene


def _cup(scene: Scene) -> None:
    scene.add(ellipse(0.8, 0.865, 0.135, 0.032), "#fbf3e6", "#cfc0aa")
    scene.add(ellipse(0.8, 0.858, 0.09, 0.018), "#d9cbb6", line=False)
    handle = [(0.885, 0.745), (0.945, 0.74), (0.945, 0.81), (0.87, 0.825)]
    scene.add(ribbon(handle, 0.02, 0.016), "#e9dcc8")
    scene.add(
        mirror(smooth([(0.71, 0.7), (0.715, 0.77), (0.745, 0.84), (0.775, 0.86)], closed=False), 0.8),
        "#fffaf0",
        "#cdbda6",
        shading="round",
    )
    scene.add(ellipse(0.8, 0.7, 0.09, 0.022), "#f3e8d6")
    scene.add(ellipse(0.8, 0.705, 0.078, 0.016), "#a5562a", "#7c3a1b")
    for x, top in ((0.775, 0.5), (0.815, 0.43)):
        height = 0.665 - top
        curl = [
            (x, 0.665),
            (x + 0.022, 0.665 - height * 0.3),
            (x - 0.012, 0.665 - height * 0.62),
            (x + 0.014, top),
        ]
        scene.add(ribbon(curl, 0.018, 0.003), "#f4ede2", line=False)


def _room(scene: Scene) -> None:
    scene.add(box(-0.2, -0.2, 1.2, 0.75), "#d9b98c", "#c79e70")
    for x in np.linspace(-0.15, 1.1, 11):
        scene.add(box(float(x), -0.2, float(x) + 0.05, 0.75), "#cfab7c", "#b98f62", line=False)
    scene.add(box(0.08, 0.06, 0.36, 0.36), "#7a4a2b")
    scene.add(box(0.1, 0.08, 0.34, 0.34), "#bcd8d4", "#e8ead0")
    scene.add(
        smooth([(0.1, 0.34), (0.16, 0.24), (0.22, 0.29), (0.28, 0.22), (0.34, 0.28), (0.34, 0.34)]),
        "#6d9a78",
        line=False,
    )


def _cloth(scene: Scene) -> None:
    scene.add(box(-0.2, 0.7, 1.2, 1.2), "#f0e6da", "#cfc0b0")
    for i in range(7):
        for j in range(4):
            if (i + j) % 2 == 0:
                y0, y1 = 0.7 + 0.06 * j * (1 + 0.12 * j), 0.7 + 0.06 * (j + 1) * (1 + 0.12 * (j + 1))
                w0, w1 = 0.17 * (1 + 0.5 * j * 0.3), 0.17 * (1 + 0.5 * (j + 1) * 0.3)
                scene.add(
                    [
                        (0.5 + (i - 3.5) * w0, y0),
                        (0.5 + (i - 2.5) * w0, y0),
                        (0.5 + (i - 2.5) * w1, y1),
                        (0.5 + (i - 3.5) * w1, y1),
                    ],
                    "#b8524a",
                    "#9a3f3c",
                    line=False,
                )


def _pot(scene: Scene) -> None:
    scene.depth = 0.6
    scene.add(ellipse(0.43, 0.855, 0.27, 0.04), "#8a5a4c", line=False)
    scene.add(
        ribbon([(0.25, 0.5), (0.1, 0.47), (0.085, 0.62), (0.22, 0.74)], 0.042, 0.034), "#2d6a6a", "#1e4b50"
    )
    spout = [
        (0.56, 0.72),
        (0.64, 0.66),
        (0.66, 0.54),
        (0.705, 0.455),
        (0.755, 0.44),
        (0.745, 0.48),
        (0.715, 0.57),
        (0.69, 0.7),
        (0.6, 0.79),
    ]
    scene.add(smooth(spout), "#3d8585", "#235a5e", shading="across")
    scene.depth = 0.75
    body = [(0.35, 0.445), (0.27, 0.48), (0.2, 0.57), (0.19, 0.68), (0.24, 0.79), (0.32, 0.85), (0.34, 0.86)]
    scene.add(mirror(smooth(body, closed=False), 0.42), "#63b0a8", "#1f5358", shading="round")
    scene.add(
        mirror([(0.2, 0.615), (0.193, 0.645), (0.193, 0.675)], 0.42),
        "#f2d38a",
        "#c2933f",
        shading="across",
        line=False,
    )
    scene.add(ellipse(0.305, 0.545, 0.035, 0.05, 25), "#a9dcd2", line=False)
    scene.add(
        mirror(smooth([(0.4, 0.375), (0.35, 0.4), (0.315, 0.445)], closed=False), 0.42),
        "#56a098",
        "#2a6468",
        shading="round",
    )
    scene.add(ellipse(0.42, 0.448, 0.107, 0.018), "#2a6468")
    scene.add(ellipse(0.42, 0.355, 0.03, 0.03), "#f2d38a", "#a5752d", shading="round")


def teapot(rng: np.random.Generator) -> Scene:
    """A teapot, a steaming cup and lemons on a checked cloth."""
    scene = Scene()
    _room(scene)
    scene.depth = 0.3
    _cloth(scene)
    _pot(scene)
    scene.depth = 0.85
    _cup(scene)
    scene.depth = 0.95
    x = 0.16 + 0.04 * rng.random()
    lemon = [
        (x - 0.1, 0.915),
        (x - 0.07, 0.88),
        (x, 0.86),
        (x + 0.07, 0.88),
        (x + 0.11, 0.91),
        (x + 0.07, 0.945),
        (x, 0.96),
        (x - 0.06, 0.945),
    ]
    scene.add(smooth(lemon), "#ffe46b", "#d9a520", shading="round")
    scene.add(ellipse(x + 0.21, 0.93, 0.05, 0.045), "#f3cf45", "#c99a1c", shading="round")
    scene.add(ellipse(x + 0.215, 0.928, 0.036, 0.032), "#fff5b8")
    return scene
