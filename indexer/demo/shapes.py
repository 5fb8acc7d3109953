"""Vector shapes and their rasterisation: what a subject *is*, before any style says how it is drawn.

Points are float arrays ``(n, 2)`` of ``x, y`` in the unit square, ``y`` downwards. A scene is a list of areas
painted far to near; ``rasterise`` turns it into a ``Plate``, the common ground of every style.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw

__all__ = [
    "Area",
    "Floats",
    "Plate",
    "Scene",
    "blob",
    "box",
    "ellipse",
    "floats",
    "hex_colour",
    "mirror",
    "rasterise",
    "ribbon",
    "ridge",
    "smooth",
]

Floats: TypeAlias = NDArray[np.float32]

_OVERSAMPLING = 2


@dataclass(frozen=True, slots=True)
class Area:
    """One filled shape: ``colour`` at the lit end, ``fade`` at the other (hex), ``depth`` 0 far .. 1 near.

    ``shading``: ``flat``, ``down`` (top to bottom), ``across`` (left to right) or ``round`` (a lit ball).
    ``outline`` says whether drawn styles give it a contour.
    """

    points: Floats
    colour: str
    fade: str
    shading: str = "flat"
    depth: float = 0.5
    outline: bool = True


@dataclass(slots=True)
class Scene:
    """Areas from far to near, with a small builder."""

    areas: list[Area] = field(default_factory=list)
    depth: float = 0.0

    def add(
        self,
        points: Floats | Sequence[Sequence[float]],
        colour: str,
        fade: str = "",
        *,
        shading: str = "",
        line: bool = True,
    ) -> None:
        """Paint one shape over what is there, at the scene's present ``depth``."""
        mode = shading or ("down" if fade else "flat")
        outline = np.asarray(points, dtype=np.float32)
        self.areas.append(Area(outline, colour, fade or colour, mode, self.depth, line))

    def moved(self, scale: float, dx: float, dy: float, flip: bool = False) -> "Scene":
        """The same scene framed otherwise: zoomed about the centre, shifted, perhaps mirrored."""

        def move(points: Floats) -> Floats:
            moved = (points - 0.5) * np.float32(scale) + np.array([0.5 + dx, 0.5 + dy], dtype=np.float32)
            if flip:
                moved[:, 0] = 1 - moved[:, 0]
            return moved.astype(np.float32)

        return Scene([replace(area, points=move(area.points)) for area in self.areas], self.depth)


@dataclass(frozen=True, slots=True)
class Plate:
    """A scene as arrays of ``size`` x ``size``.

    ``colour`` (s, s, 3) and ``tone`` (s, s) are 0..1; ``label`` (s, s) is the index of the area on top;
    ``depth`` (s, s) its depth; ``contour`` (s, s) marks the areas that want an outline.
    """

    scene: Scene
    colour: Floats
    tone: Floats
    label: NDArray[np.int32]
    depth: Floats
    contour: NDArray[np.bool_]

    @property
    def size(self) -> int:
        return int(self.tone.shape[0])


def floats(values: ArrayLike) -> Floats:
    """Any numbers as a float32 array."""
    found: Floats = np.asarray(values, dtype=np.float32)
    return found


def hex_colour(text: str) -> Floats:
    """``#rrggbb`` as three floats 0..1."""
    return np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.float32) / np.float32(255)


def box(left: float, top: float, right: float, bottom: float) -> Floats:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], dtype=np.float32)


def ellipse(
    x: float, y: float, rx: float, ry: float, turn: float = 0.0, start: float = 0.0, end: float = 360.0
) -> Floats:
    """An ellipse or a chord of one; ``turn``, ``start`` and ``end`` in degrees, clockwise on the screen."""
    angle = np.radians(np.linspace(start, end, 48))
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    px, py = rx * np.cos(angle), ry * np.sin(angle)
    return np.stack([x + px * c - py * s, y + px * s + py * c], axis=1).astype(np.float32)


def smooth(points: Sequence[Sequence[float]] | Floats, closed: bool = True, steps: int = 8) -> Floats:
    """A Catmull-Rom curve through the points (Catmull and Rom 1974, uniform, tension 1/2)."""
    p = np.asarray(points, dtype=np.float32)
    ring = np.concatenate([p[-1:], p, p[:2]]) if closed else np.concatenate([p[:1], p, p[-1:]])
    t = np.linspace(0, 1, steps, endpoint=False, dtype=np.float32)[:, None]
    pieces = []
    for a, b, c, d in zip(ring, ring[1:], ring[2:], ring[3:], strict=False):
        pieces.append(
            0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        )
    tail = [] if closed else [p[-1:]]
    return np.concatenate(pieces + tail).astype(np.float32)


def mirror(points: Sequence[Sequence[float]] | Floats, axis: float = 0.5) -> Floats:
    """The left half of a symmetric outline, top to bottom, completed to the right of ``x = axis``."""
    half = np.asarray(points, dtype=np.float32)
    other = half[::-1].copy()
    other[:, 0] = 2 * axis - other[:, 0]
    return np.concatenate([half, other])


def ridge(
    rng: np.random.Generator,
    level: float,
    swing: float,
    knots: int,
    floor: float = 1.05,
    smoothed: bool = True,
) -> Floats:
    """A skyline from edge to edge at about ``level``, ``swing`` high, filled down to ``floor``."""
    x = np.linspace(-0.15, 1.15, knots)
    y = level + swing * (rng.random(knots) - 0.5) * 2
    line = np.stack([x, y], axis=1).astype(np.float32)
    if smoothed:
        line = smooth(line, closed=False)
    return np.concatenate([line, np.array([[1.15, floor], [-0.15, floor]], dtype=np.float32)])


def blob(
    rng: np.random.Generator, x: float, y: float, rx: float, ry: float, knots: int = 11, rough: float = 0.18
) -> Floats:
    """A soft irregular ellipse: clouds, foliage, stones."""
    angle = np.linspace(0, 2 * np.pi, knots, endpoint=False) + rng.random() * 6
    reach = 1 + rough * (rng.random(knots) - 0.5) * 2
    return smooth(
        np.stack([x + rx * reach * np.cos(angle), y + ry * reach * np.sin(angle)], axis=1).astype(np.float32)
    )


def ribbon(points: Sequence[Sequence[float]], width: float, end_width: float | None = None) -> Floats:
    """A curve with body: stems, whiskers, ropes; ``width`` at the start, ``end_width`` at the end."""
    curve = smooth(points, closed=False)
    along = np.gradient(curve, axis=0)
    length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-6)
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1) / length[:, None]
    half = np.linspace(width, width if end_width is None else end_width, len(curve))[:, None] / 2
    return np.concatenate([curve + normal * half, (curve - normal * half)[::-1]]).astype(np.float32)


def _weights(area: Area, box_px: tuple[int, int, int, int], size: int) -> Floats:
    """How far each pixel of the bounding box is from ``colour`` (0) to ``fade`` (1)."""
    left, top, right, bottom = box_px
    low, high = area.points.min(axis=0), area.points.max(axis=0)
    span = np.maximum(high - low, 1e-6)
    x = ((np.arange(left, right, dtype=np.float32) + 0.5) / size - low[0]) / span[0]
    y = ((np.arange(top, bottom, dtype=np.float32) + 0.5) / size - low[1]) / span[1]
    shape = (bottom - top, right - left)
    if area.shading == "down":
        return np.broadcast_to(np.clip(y, 0, 1)[:, None], shape).astype(np.float32)
    if area.shading == "across":
        return np.broadcast_to(np.clip(x, 0, 1)[None, :], shape).astype(np.float32)
    if area.shading == "round":
        away = np.hypot(x[None, :] - 0.36, y[:, None] - 0.3)
        return floats(np.clip(away * np.float32(1.25) - np.float32(0.08), 0, 1))
    return np.zeros(shape, dtype=np.float32)


def _paint(area: Area, colour: Floats, label: NDArray[np.int32], index: int) -> None:
    size = label.shape[0]
    low = np.floor(area.points.min(axis=0) * size).astype(int)
    high = np.ceil(area.points.max(axis=0) * size).astype(int) + 1
    left, top = max(int(low[0]), 0), max(int(low[1]), 0)
    right, bottom = min(int(high[0]), size), min(int(high[1]), size)
    if right <= left or bottom <= top:
        return
    mask_image = Image.new("1", (right - left, bottom - top), 0)
    outline = [(float(x) * size - left, float(y) * size - top) for x, y in area.points]
    ImageDraw.Draw(mask_image).polygon(outline, fill=1)
    mask = np.asarray(mask_image)
    near, far = hex_colour(area.colour), hex_colour(area.fade)
    ink: Floats = near
    if area.shading != "flat":
        ink = near + (far - near) * _weights(area, (left, top, right, bottom), size)[..., None]
    np.copyto(colour[top:bottom, left:right], ink, where=mask[..., None])
    np.copyto(label[top:bottom, left:right], index, where=mask)


def rasterise(scene: Scene, size: int = 512) -> Plate:
    """Paint the scene at ``size`` x ``size`` pixels, antialiased by 2 x 2 oversampling."""
    big = size * _OVERSAMPLING
    colour = np.full((big, big, 3), 0.5, dtype=np.float32)
    label = np.zeros((big, big), dtype=np.int32)
    for index, area in enumerate(scene.areas):
        _paint(area, colour, label, index)
    small = np.zeros((size, size, 3), dtype=np.float32)
    for i in range(_OVERSAMPLING):
        for j in range(_OVERSAMPLING):
            small += colour[i::_OVERSAMPLING, j::_OVERSAMPLING]
    small /= np.float32(_OVERSAMPLING**2)
    tops = np.ascontiguousarray(label[::_OVERSAMPLING, ::_OVERSAMPLING])
    depths = np.array([area.depth for area in scene.areas], dtype=np.float32)
    outlined = np.array([area.outline for area in scene.areas], dtype=np.bool_)
    tone = (small @ np.array([0.299, 0.587, 0.114], dtype=np.float32)).astype(np.float32)
    return Plate(scene, small, tone, tops, depths[tops], outlined[tops])
