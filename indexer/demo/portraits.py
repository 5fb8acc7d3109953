"""The portraits of the demo library: cat and knight. See ``scenes`` for the rules."""

import numpy as np

from indexer.demo.shapes import Scene, blob, box, ellipse, mirror, ribbon, smooth

__all__ = ["cat", "knight"]


def _eye(scene: Scene, x: float, y: float, inner: float) -> None:
    """An almond eye; ``inner`` is +1 where the nose lies to the right."""
    almond = [
        (x - 0.062, y + 0.006),
        (x - 0.025, y - 0.036),
        (x + 0.03, y - 0.03),
        (x + 0.062, y + 0.012),
        (x + 0.025, y + 0.032),
        (x - 0.03, y + 0.03),
    ]
    points = np.array(almond, dtype=np.float32)
    points[:, 0] = x + (points[:, 0] - x) * inner
    scene.add(smooth(points), "#c8d84a", "#6f9a2e")
    scene.add(ellipse(x + 0.004 * inner, y, 0.014, 0.03), "#14110f")
    scene.add(ellipse(x - 0.014, y - 0.013, 0.008, 0.008), "#ffffff", line=False)


def _fur_marks(scene: Scene) -> None:
    for dx, length in ((0.0, 0.1), (-0.045, 0.085), (0.045, 0.085)):
        scene.add(
            ribbon(
                [(0.5 + dx * 0.6, 0.345), (0.5 + dx, 0.29), (0.5 + dx * 1.25, 0.335 - length)], 0.022, 0.008
            ),
            "#8a4a1f",
            line=False,
        )
    for side in (-1, 1):
        for dy in (0.0, 0.05, 0.1):
            x = 0.5 + side * 0.245
            scene.add(
                ribbon(
                    [(x, 0.46 + dy), (x - side * 0.045, 0.468 + dy), (x - side * 0.085, 0.462 + dy)],
                    0.018,
                    0.004,
                ),
                "#8a4a1f",
                line=False,
            )
        for dy in (0.0, 0.06, 0.12):
            x = 0.5 + side * 0.27
            scene.add(
                ribbon(
                    [(x + side * 0.02, 0.82 + dy), (x - side * 0.05, 0.83 + dy), (x - side * 0.1, 0.86 + dy)],
                    0.026,
                    0.006,
                ),
                "#8a4a1f",
                line=False,
            )


def _window(scene: Scene, rng: np.random.Generator) -> None:
    scene.add(box(-0.2, -0.2, 1.2, 0.9), "#a9d5e4", "#e6f0d9")
    scene.add(blob(rng, 0.28, 0.72, 0.22, 0.17), "#7fae7a", "#6a9b6a")
    scene.add(blob(rng, 0.76, 0.73, 0.24, 0.2), "#6a9b6a", "#568758")
    for wall in (
        box(-0.2, -0.2, 1.2, 0.095),
        box(-0.2, 0.09, 0.135, 1.2),
        box(0.865, 0.09, 1.2, 1.2),
        box(-0.2, 0.7, 1.2, 1.2),
    ):
        scene.add(wall, "#4f7a86", line=False)
    scene.add(box(0.1, 0.06, 0.9, 0.1), "#e9dcc0")
    scene.add(box(0.1, 0.1, 0.14, 0.7), "#e9dcc0", "#cdbd9c")
    scene.add(box(0.86, 0.1, 0.9, 0.7), "#e9dcc0", "#cdbd9c")
    scene.add(box(0.06, 0.69, 0.94, 0.74), "#f4ead2", "#c9b894")
    scene.add(box(0.49, 0.095, 0.51, 0.7), "#e9dcc0")


def _curtains(scene: Scene) -> None:
    scene.add(
        smooth([(-0.2, -0.2), (0.16, -0.2), (0.14, 0.3), (0.03, 0.62), (0.06, 1.0), (-0.2, 1.2)]),
        "#c65b4b",
        "#8f3a36",
        shading="across",
    )
    scene.add(
        smooth([(1.2, -0.2), (0.84, -0.2), (0.86, 0.3), (0.97, 0.62), (0.94, 1.0), (1.2, 1.2)]),
        "#a8463d",
        "#c65b4b",
        shading="across",
    )


def _cat_body(scene: Scene) -> None:
    scene.depth = 0.6
    scene.add(
        mirror(smooth([(0.37, 0.6), (0.25, 0.74), (0.19, 0.9), (0.18, 1.15)], closed=False)),
        "#e08b3c",
        "#b2622a",
        shading="round",
    )
    scene.add(
        mirror(smooth([(0.42, 0.68), (0.38, 0.82), (0.4, 1.0), (0.45, 1.15)], closed=False)),
        "#fbeedb",
        "#e3c9a4",
    )
    scene.depth = 0.8
    for side in (1, -1):
        ear = np.array([(0.265, 0.36), (0.25, 0.12), (0.29, 0.125), (0.44, 0.27)], dtype=np.float32)
        hollow = np.array([(0.292, 0.31), (0.277, 0.165), (0.3, 0.17), (0.385, 0.265)], dtype=np.float32)
        for points, colour, fade in ((ear, "#e39140", "#b9682c"), (hollow, "#f0b5a0", "#c97f6e")):
            shape = points.copy()
            shape[:, 0] = 0.5 + (shape[:, 0] - 0.5) * side
            scene.add(shape, colour, fade)


def _cat_face(scene: Scene) -> None:
    face = [
        (0.5, 0.235),
        (0.4, 0.25),
        (0.3, 0.32),
        (0.25, 0.43),
        (0.245, 0.52),
        (0.3, 0.62),
        (0.4, 0.69),
        (0.5, 0.71),
    ]
    scene.add(mirror(smooth(face, closed=False)), "#f0a352", "#c8742f", shading="round")
    _fur_marks(scene)
    scene.add(
        smooth(
            [
                (0.5, 0.5),
                (0.42, 0.54),
                (0.385, 0.6),
                (0.42, 0.665),
                (0.5, 0.695),
                (0.58, 0.665),
                (0.615, 0.6),
                (0.58, 0.54),
            ]
        ),
        "#fff4e4",
        "#f0d9b8",
        line=False,
    )
    _eye(scene, 0.385, 0.455, 1)
    _eye(scene, 0.615, 0.455, -1)
    scene.add(smooth([(0.465, 0.545), (0.5, 0.538), (0.535, 0.545), (0.5, 0.582)]), "#e07f7f", "#b95a60")
    for side in (-1, 1):
        scene.add(
            ribbon([(0.5, 0.58), (0.5 + side * 0.012, 0.612), (0.5 + side * 0.052, 0.616)], 0.008, 0.004),
            "#6a3420",
            line=False,
        )
        for dy in (-0.03, 0.005, 0.04):
            start = (0.5 + side * 0.09, 0.595 + dy * 0.4)
            scene.add(
                ribbon(
                    [start, (0.5 + side * 0.2, 0.585 + dy), (0.5 + side * 0.31, 0.6 + dy * 2.2)], 0.006, 0.002
                ),
                "#fffdf6",
                line=False,
            )


def cat(rng: np.random.Generator) -> Scene:
    """A ginger cat looking at you, window and curtain behind."""
    scene = Scene()
    _window(scene, rng)
    scene.depth = 0.3
    _curtains(scene)
    _cat_body(scene)
    _cat_face(scene)
    scene.depth = 0.9
    scene.add(
        smooth([(0.36, 0.685), (0.5, 0.735), (0.64, 0.685), (0.635, 0.725), (0.5, 0.775), (0.365, 0.725)]),
        "#3c6fb0",
        "#284f86",
    )
    scene.add(ellipse(0.5, 0.785, 0.033, 0.033), "#ffd65a", "#c58a1f", shading="round")
    return scene


def _castle(scene: Scene) -> None:
    wall = [
        (-0.2, 0.62),
        (-0.2, 0.4),
        (0.06, 0.4),
        (0.06, 0.3),
        (0.2, 0.3),
        (0.2, 0.46),
        (1.2, 0.46),
        (1.2, 0.7),
        (-0.2, 0.7),
    ]
    scene.add(wall, "#a89a8c", "#8b7e73")
    for x in (0.06, 0.11, 0.16):
        scene.add(box(x, 0.265, x + 0.03, 0.305), "#a89a8c")
    scene.add(box(0.76, 0.24, 0.93, 0.6), "#9a8c80", "#7d7167")
    scene.add([(0.74, 0.245), (0.845, 0.09), (0.95, 0.245)], "#7a3d48", "#5c2b38")
    scene.add(box(0.842, 0.03, 0.848, 0.1), "#4a3b34", line=False)
    scene.add([(0.848, 0.03), (0.93, 0.05), (0.848, 0.072)], "#e0b040")
    scene.add(box(0.825, 0.31, 0.862, 0.39), "#3c332f")
    scene.add(box(0.115, 0.36, 0.145, 0.42), "#3c332f")


def _armour(scene: Scene) -> None:
    scene.add(
        mirror(smooth([(0.42, 0.56), (0.3, 0.64), (0.27, 0.8), (0.29, 1.15)], closed=False)),
        "#c9d1dc",
        "#5f6b7d",
        shading="round",
    )
    scene.add(box(0.494, 0.66, 0.506, 1.1), "#76829a", line=False)
    for side in (1, -1):
        plate = np.array(
            [(0.37, 0.57), (0.25, 0.57), (0.15, 0.64), (0.12, 0.76), (0.19, 0.8), (0.3, 0.73)],
            dtype=np.float32,
        )
        rim = np.array(
            [(0.135, 0.79), (0.11, 0.9), (0.16, 0.94), (0.25, 0.88), (0.28, 0.77), (0.19, 0.81)],
            dtype=np.float32,
        )
        for points, colour, fade in ((rim, "#aab4c4", "#566275"), (plate, "#dde3ec", "#6b778b")):
            shape = points.copy()
            shape[:, 0] = 0.5 + (shape[:, 0] - 0.5) * side
            scene.add(smooth(shape), colour, fade, shading="round")


def _helmet(scene: Scene) -> None:
    plume = [
        (0.5, 0.2),
        (0.47, 0.09),
        (0.56, 0.03),
        (0.7, 0.06),
        (0.79, 0.17),
        (0.8, 0.33),
        (0.74, 0.42),
        (0.72, 0.28),
        (0.64, 0.19),
    ]
    scene.add(smooth(plume), "#d8483a", "#8f2530", shading="across")
    scene.add(
        ribbon([(0.52, 0.17), (0.62, 0.11), (0.72, 0.2), (0.76, 0.34)], 0.012, 0.004), "#f08a6b", line=False
    )
    half = [(0.5, 0.165), (0.42, 0.18), (0.35, 0.26), (0.335, 0.38), (0.35, 0.5), (0.41, 0.58), (0.5, 0.63)]
    scene.add(mirror(smooth(half, closed=False)), "#eef2f7", "#66728a", shading="round")
    visor = [(0.5, 0.345), (0.41, 0.335), (0.335, 0.31), (0.33, 0.4), (0.36, 0.5), (0.5, 0.6)]
    scene.add(mirror(visor), "#cfd7e3", "#7b879c", shading="across")
    scene.add(
        mirror([(0.47, 0.385), (0.385, 0.37), (0.35, 0.355), (0.355, 0.385), (0.39, 0.402), (0.47, 0.415)]),
        "#12141c",
    )
    scene.add(box(0.488, 0.17, 0.512, 0.6), "#d9a93f", "#94691f")
    for side in (-1, 1):
        for i in range(3):
            scene.add(
                ellipse(0.5 + side * (0.05 + 0.032 * i), 0.475 + 0.01 * (2 - i), 0.006, 0.016),
                "#12141c",
                line=False,
            )


def knight(rng: np.random.Generator) -> Scene:
    """A knight with plumed helmet, shield and sword before a castle."""
    scene = Scene()
    scene.add(box(-0.2, -0.2, 1.2, 0.75), "#7aa3c9", "#f2dcb8")
    scene.add(blob(rng, 0.3, 0.14, 0.17, 0.045), "#ffffff", "#e9e2d6", line=False)
    scene.depth = 0.25
    _castle(scene)
    scene.depth = 0.4
    scene.add(
        smooth([(-0.2, 0.66), (0.3, 0.62), (0.7, 0.65), (1.2, 0.61), (1.2, 1.2), (-0.2, 1.2)]),
        "#88a05a",
        "#4f6f3d",
    )
    scene.depth = 0.6
    scene.add(
        [(0.855, 0.3), (0.88, 0.24), (0.905, 0.3), (0.9, 0.78), (0.86, 0.78)],
        "#eef3f8",
        "#8f9cb0",
        shading="across",
    )
    scene.add(
        smooth([(0.77, 0.775), (0.88, 0.765), (0.99, 0.775), (0.985, 0.805), (0.88, 0.8), (0.775, 0.805)]),
        "#d9a93f",
        "#94691f",
    )
    scene.add(box(0.865, 0.8, 0.895, 0.93), "#5a3420")
    scene.add(ellipse(0.88, 0.945, 0.024, 0.024), "#d9a93f", "#94691f", shading="round")
    scene.depth = 0.7
    _armour(scene)
    scene.depth = 0.85
    _helmet(scene)
    scene.depth = 0.95
    shield = [(0.27, 0.7), (0.12, 0.725), (0.06, 0.73), (0.065, 0.88), (0.13, 1.0), (0.27, 1.09)]
    scene.add(mirror(shield, 0.27), "#f3ead6", "#b9a98c", shading="round")
    scene.add(
        mirror(
            [(0.27, 0.725), (0.13, 0.748), (0.085, 0.75), (0.09, 0.87), (0.15, 0.985), (0.27, 1.06)], 0.27
        ),
        "#2f5ea8",
        "#1c3a75",
    )
    star = [
        (
            0.27 + (0.1 if i % 2 == 0 else 0.042) * np.sin(i * np.pi / 5),
            0.88 - (0.1 if i % 2 == 0 else 0.042) * np.cos(i * np.pi / 5),
        )
        for i in range(10)
    ]
    scene.add([(float(x), float(y)) for x, y in star], "#f6cf52", "#d29a26")
    return scene
