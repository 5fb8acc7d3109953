"""Stacked bands: shapes add up, and what is drawn can be told."""

import re

from hypothesis import given
from hypothesis import strategies as st

from search.web.charts import HEIGHT, SERIES, WIDTH, area_chart

columns = st.dictionaries(
    st.sampled_from([f"2026-{month:02}" for month in range(1, 13)]),
    st.dictionaries(st.sampled_from([f"base{number}" for number in range(12)]), st.integers(0, 10**7)),
)


@given(columns)
def test_bands_hold_every_count_and_stay_on_the_sheet(counts: dict[str, dict[str, int]]) -> None:
    chart = area_chart(counts, rest=("base0",))
    whole = sum(sum(column.values()) for column in counts.values())
    if len(counts) < 2 or not whole:
        assert chart is None
        return
    assert chart is not None
    assert sum(area.total for area in chart.areas) == whole
    assert len([area for area in chart.areas if area.key]) <= SERIES
    assert all(area.key != "base0" for area in chart.areas)
    points = [
        tuple(map(float, pair))
        for area in chart.areas
        for pair in re.findall(r"([\d.]+) ([\d.]+)", area.path)
    ]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)


def test_the_largest_lies_below() -> None:
    chart = area_chart({"2026-01": {"small": 1, "large": 5}, "2026-02": {"small": 2, "large": 3}})
    assert chart is not None
    assert [area.key for area in chart.areas] == ["large", "small"]
    assert chart.lines[-1][1] == "6"
