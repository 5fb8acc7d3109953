"""Small pictures of a few subjects in a few styles, drawn by rule: what the descriptors must tell apart."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["STYLES", "SUBJECTS", "draw", "gallery"]

SUBJECTS = ("disc", "bars", "horizon", "cross")
# ground, figure, grain in grey levels, smoothing passes, outline
STYLES = {
    "ink": ((250, 250, 245), (15, 15, 20), 0.0, 0, True),
    "pastel": ((235, 215, 225), (150, 190, 220), 3.0, 3, False),
    "film": ((60, 70, 55), (170, 140, 90), 22.0, 0, False),
    "neon": ((10, 5, 40), (255, 30, 180), 0.0, 2, True),
    "flat": ((90, 200, 180), (240, 120, 60), 0.0, 0, False),
    "oil": ((90, 60, 30), (180, 60, 40), 12.0, 2, False),
}


def _mask(subject: str, side: int, generator: np.random.Generator) -> NDArray[np.bool_]:
    down, right = np.mgrid[:side, :side] / side
    shift = generator.uniform(-0.06, 0.06, 2)
    down, right = down - shift[0], right - shift[1]
    if subject == "disc":
        return np.asarray(np.hypot(down - 0.45, right - 0.5) < 0.28)
    if subject == "bars":
        return np.asarray((right * 6 % 1 < 0.5) & (down > 0.2))
    if subject == "horizon":
        return np.asarray(down > 0.6 + 0.05 * np.sin(right * 12))
    return np.asarray((np.abs(down - right) < 0.1) | (np.abs(down + right - 1) < 0.1))


def draw(subject: str, style: str, seed: int = 0, side: int = 160) -> NDArray[np.uint8]:
    """(side, side, 3) uint8; ``seed`` moves the subject a little and makes the grain."""
    generator = np.random.default_rng([seed, SUBJECTS.index(subject), list(STYLES).index(style)])
    ground, figure, grain, passes, outline = STYLES[style]
    mask = _mask(subject, side, generator)
    picture = np.where(mask[..., None], np.array(figure, float), np.array(ground, float))
    if outline:
        edge = mask ^ np.roll(mask, 2, 0) | mask ^ np.roll(mask, 2, 1)
        picture[edge] = 255 - np.array(ground, float)
    for _ in range(passes):
        picture = np.mean([np.roll(picture, step, axis) for axis in (0, 1) for step in (-1, 1)], axis=0)
    picture += generator.normal(0, 1, (side, side, 1)) * grain
    return np.clip(picture, 0, 255).astype(np.uint8)


def gallery(copies: int = 2) -> tuple[list[NDArray[np.uint8]], NDArray[np.int64], NDArray[np.int64]]:
    """Every style with every subject, ``copies`` times: pictures, style numbers, subject numbers."""
    cases = [(s, c, n) for s in range(len(STYLES)) for c in range(len(SUBJECTS)) for n in range(copies)]
    pictures = [draw(SUBJECTS[subject], list(STYLES)[style], number) for style, subject, number in cases]
    numbers = np.array(cases, np.int64)
    return pictures, numbers[:, 0], numbers[:, 1]
