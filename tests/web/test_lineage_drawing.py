"""The drawing of a lineage: everything inside, nothing on top of each other, lines that meet boxes."""

import itertools
import re

from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.records import Document
from search.lineage import Kin, Lineage
from search.web.lineage_drawing import HEIGHT, WIDTH, Drawing, draw_lineage

SELF = Document(1, 1, "Self")


def kin(name: str = "x", *, id_: int | None = 2, more: int = 0, below: tuple[Kin, ...] = ()) -> Kin:
    return Kin(name, id_, relation="trained_on", more=more, kin=[*below])


TREES = st.recursive(
    st.builds(kin, id_=st.sampled_from([None, 2]), more=st.sampled_from([0, 0, 7])),
    lambda inner: st.builds(lambda below: kin(below=tuple(below)), st.lists(inner, max_size=12)),
    max_leaves=25,
)
SIDES = st.lists(TREES, max_size=13)


def ends(drawing: Drawing) -> list[tuple[float, float]]:
    numbers = [[float(n) for n in re.findall(r"[\d.]+", line)] for line in (*drawing.lines, *drawing.loose)]
    return [point for row in numbers for point in ((row[0], row[1]), (row[-2], row[-1]))]


@given(SIDES, SIDES, st.lists(st.builds(kin), max_size=12), st.sampled_from([0, 3]))
def test_boxes_stand_apart_and_lines_touch_them(
    up: list[Kin], down: list[Kin], beside: list[Kin], more: int
) -> None:
    drawing = draw_lineage(Lineage(SELF, up, down, beside, more))
    for box in drawing.boxes:
        assert 0 <= box.x <= drawing.width - WIDTH and 0 <= box.y <= drawing.height - HEIGHT + 0.01
    columns: dict[float, list[float]] = {}
    for box in drawing.boxes:
        columns.setdefault(box.x, []).append(box.y)
    for rows in columns.values():
        rows.sort()
        assert all(lower - upper >= HEIGHT for upper, lower in itertools.pairwise(rows))
    for x, y in ends(drawing):
        assert any(
            box.x - 0.1 <= x <= box.x + WIDTH + 0.1 and box.y - 0.1 <= y <= box.y + HEIGHT + 0.1
            for box in drawing.boxes
        )


def test_ancestors_stand_left_and_descendants_right() -> None:
    drawing = draw_lineage(Lineage(SELF, [kin("up", below=(kin("older"),))], [kin("down")], [kin("twin")]))
    places = {box.name: box.x for box in drawing.boxes}
    assert places["older"] < places["up"] < places["Self"] == places["twin"] < places["down"]


def test_long_names_are_cut_and_wide_ones_sooner() -> None:
    drawing = draw_lineage(Lineage(SELF, [kin("n" * 60), kin("水" * 60)], [], []))
    labels = {box.name[0]: box.label for box in drawing.boxes}
    assert (len(labels["n"]), len(labels["水"])) == (25, 13)
    assert labels["n"].endswith("…")


def test_many_children_are_counted() -> None:
    drawing = draw_lineage(Lineage(SELF, [], [kin(f"child {n}") for n in range(25)], [], 100))
    assert [box.label for box in drawing.boxes if box.sort == "more"] == ["115 more"]
    assert sum(box.sort == "known" for box in drawing.boxes) == 10


def test_what_is_unknown_says_so() -> None:
    (_, box) = draw_lineage(Lineage(SELF, [kin("secret", id_=None)], [], [])).boxes
    assert (box.sort, box.id, box.under) == ("unknown", None, "trained on it; not in the catalog")
