"""A model's lineage as a drawing: what it was made from on the left, what was made from it on the right.

Pure: relatives in, boxes and lines in pixels out; the template only writes them down.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from search.lineage import Kin, Lineage

__all__ = ["Box", "Drawing", "draw_lineage"]

WIDTH, HEIGHT = 196, 46
"""Of a box, in pixels."""

_ACROSS, _DOWN, _MARGIN = 56, 14, 4
_MOST = 10
"""So many children of one parent are drawn; the others are counted."""
_LETTERS = 24
_RELATIONS = {
    "trained_on": "trained on it",
    "merged_from": "merged from it",
    "same": "the same weights",
    "near": "nearly the same weights",
}


@dataclass(frozen=True, slots=True)
class Box:
    """A relative at ``x``, ``y`` (upper left). ``sort`` is self, known, unknown or more; ``label`` is cut to
    the box, ``name`` whole; ``under`` is a second line."""

    x: float
    y: float
    sort: str
    label: str
    name: str
    under: str = ""
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Drawing:
    """``lines`` are paths of SVG; those in ``loose`` join what is alike, not parent and child."""

    width: float
    height: float
    boxes: Sequence[Box]
    lines: Sequence[str]
    loose: Sequence[str]


@dataclass(slots=True)
class _Place:
    """A relative on one side: ``depth`` generations away, at ``row``; ``above`` is the place that leads to
    it, None for the model itself."""

    kin: Kin
    depth: int
    above: "_Place | None"
    row: float = 0.0


@dataclass(slots=True)
class _Side:
    """One side of the drawing, laid out row by row."""

    places: list[_Place] = field(default_factory=list)
    rows: int = 0

    def lay(self, kin: Iterable[Kin], more: int = 0) -> "_Side":
        self._lay([*kin], more, 1, None)
        return self

    def _lay(self, every: list[Kin], more: int, depth: int, above: _Place | None) -> tuple[float, float]:
        """Place relatives and all beyond them; answers the first and the last row."""
        shown, more = every[:_MOST], more + max(0, len(every) - _MOST)
        if more:
            shown.append(Kin(f"{more:,} more", relation="more"))
        rows = []
        for kin in shown:
            place = _Place(kin, depth, above)
            self.places.append(place)
            if kin.kin or kin.more:
                first, last = self._lay(kin.kin, kin.more, depth + 1, place)
                place.row = (first + last) / 2
            else:
                place.row = self.rows
                self.rows += 1
            rows.append(place.row)
        return rows[0], rows[-1]

    @property
    def depth(self) -> int:
        return max((place.depth for place in self.places), default=0)


def draw_lineage(lineage: Lineage) -> Drawing:
    """The drawing of a lineage."""
    left = _Side().lay(lineage.ancestors) if lineage.ancestors else _Side()
    right = _Side().lay(lineage.descendants, lineage.more) if lineage.descendants else _Side()
    beside = lineage.siblings[:_MOST]
    rows = max(left.rows, right.rows, 1 + len(beside))
    own = (rows - 1 - len(beside)) / 2
    boxes = [_own_box(lineage, left.depth, own)]
    lines: list[str] = []
    for side, way in ((left, -1), (right, 1)):
        shift = (rows - side.rows) / 2
        for place in side.places:
            column = left.depth + way * place.depth
            boxes.append(_box(place.kin, column, place.row + shift))
            nearer = own if place.above is None else place.above.row + shift
            ends = (column, place.row + shift), (column - way, nearer)
            lines.append(_line(*(ends if way < 0 else ends[::-1])))
    for number, kin in enumerate(beside, 1):
        boxes.append(_box(kin, left.depth, own + number))
    loose = [_drop(left.depth, own, own + number) for number in range(1, len(beside) + 1)]
    width = (left.depth + 1 + right.depth) * (WIDTH + _ACROSS) - _ACROSS + 2 * _MARGIN
    return Drawing(width, rows * (HEIGHT + _DOWN) - _DOWN + 2 * _MARGIN, boxes, lines, loose)


def _corner(column: float, row: float) -> tuple[float, float]:
    return _MARGIN + column * (WIDTH + _ACROSS), _MARGIN + row * (HEIGHT + _DOWN)


def _own_box(lineage: Lineage, column: int, row: float) -> Box:
    document = lineage.document
    return Box(*_corner(column, row), "self", _cut(document.name), document.name, "this model", document.id)


def _box(kin: Kin, column: int, row: float) -> Box:
    sort = "more" if kin.relation == "more" else "unknown" if kin.id is None else "known"
    under = "" if sort == "more" else _RELATIONS.get(kin.relation, kin.relation.replace("_", " "))
    if sort == "unknown":
        under = f"{under}; not in the catalog" if under else "not in the catalog"
    return Box(*_corner(column, row), sort, _cut(kin.name), kin.name, under, kin.id)


def _line(start: tuple[float, float], end: tuple[float, float]) -> str:
    """From the right edge of a box to the left edge of the next one."""
    (x1, y1), (x2, y2) = _corner(*start), _corner(*end)
    x1, y1, y2, middle = x1 + WIDTH, y1 + HEIGHT / 2, y2 + HEIGHT / 2, (x1 + WIDTH + x2) / 2
    return f"M{x1:.1f} {y1:.1f}C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"


def _drop(column: int, upper: float, lower: float) -> str:
    x, y1 = _corner(column, upper)
    _, y2 = _corner(column, lower)
    x += WIDTH / 2
    return f"M{x:.1f} {y1 + HEIGHT:.1f}L{x:.1f} {y2:.1f}"


def _cut(name: str) -> str:
    """As much as fits; wide characters count twice."""
    room, kept = _LETTERS, ""
    for letter in name:
        room -= 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if room < 0:
            return kept.rstrip() + "…"
        kept += letter
    return kept
