"""Charts as SVG shapes: computed here, drawn by templates. No script, no style of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

__all__ = ["Area", "AreaChart", "area_chart"]

WIDTH, HEIGHT = 960, 320
_LEFT, _BOTTOM, _TOP = 46, 24, 8
SERIES = 8
"""So many are told apart; the rest is one series."""


@dataclass(frozen=True, slots=True)
class Area:
    """A band of the chart; ``key`` is None for the rest of all series. ``path`` is an SVG path."""

    key: str | None
    total: int
    path: str


@dataclass(frozen=True, slots=True)
class AreaChart:
    """Bands from the ground up; ``lines`` are (y, label), ``ticks`` (x, label)."""

    areas: Sequence[Area]
    lines: Sequence[tuple[float, str]]
    ticks: Sequence[tuple[float, str]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT


def area_chart(columns: Mapping[str, Mapping[str, int]], rest: Sequence[str] = ()) -> AreaChart | None:
    """Counts by column and key as stacked bands, the largest below. Keys of ``rest`` join the rest.

    None for fewer than two columns, or when nothing is counted.
    """
    totals: dict[str, int] = {}
    for counts in columns.values():
        for key, count in counts.items():
            totals[key] = totals.get(key, 0) + count
    highest = max((sum(counts.values()) for counts in columns.values()), default=0)
    if len(columns) < 2 or not highest:
        return None
    ordered = sorted((key for key in totals if key not in rest), key=lambda key: (-totals[key], key))[:SERIES]
    left = sum(totals.values()) - sum(totals[key] for key in ordered)
    keys: list[str | None] = [*ordered, *([None] if left else [])]
    top, lines = _scale(highest)
    stacked = [[0, *accumulate(_counts(counts, keys))] for counts in columns.values()]
    places = _places(len(columns))
    areas = [
        Area(key, left if key is None else totals[key], _band(places, stacked, number, top))
        for number, key in enumerate(keys)
    ]
    return AreaChart(areas, [(_y(value, top), f"{value:,}") for value in lines], _ticks(columns, places))


def _counts(counts: Mapping[str, int], keys: Sequence[str | None]) -> list[int]:
    shown = [counts.get(key, 0) for key in keys if key is not None]
    return [*shown, sum(counts.values()) - sum(shown)][: len(keys)]


def _band(places: Sequence[float], stacked: Sequence[Sequence[int]], number: int, top: int) -> str:
    upper = [f"{x:.1f} {_y(column[number + 1], top):.1f}" for x, column in zip(places, stacked, strict=True)]
    lower = [f"{x:.1f} {_y(column[number], top):.1f}" for x, column in zip(places, stacked, strict=True)]
    return f"M{' L'.join([*upper, *reversed(lower)])}Z"


def _scale(highest: int) -> tuple[int, list[int]]:
    """A round number not below ``highest``, and the lines up to it."""
    step = next(
        size * 10**power for power in range(19) for size in (1, 2, 5) if size * 10**power * 5 >= highest
    )
    count = -(-highest // step)
    return step * count, [step * number for number in range(1, count + 1)]


def _y(value: int, top: int) -> float:
    return round(HEIGHT - _BOTTOM - (HEIGHT - _BOTTOM - _TOP) * value / top, 1)


def _places(count: int) -> list[float]:
    return [_LEFT + (WIDTH - _LEFT - 8) * number / (count - 1) for number in range(count)]


def _ticks(columns: Mapping[str, object], places: Sequence[float]) -> list[tuple[float, str]]:
    """About six labels."""
    every = max(1, -(-len(places) // 6))
    labelled = list(zip(places, columns, strict=True))
    return [(round(x, 1), label) for number, (x, label) in enumerate(labelled) if number % every == 0]
