"""The pages of creators and of trends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from indexer.domain.fields import FIELDS
from search.overview import CREATOR_SORTS
from search.service import Pinakes
from search.web.charts import Area, area_chart
from search.web.parameters import Clause
from search.web.views import cover
from search.web.words import title_of

__all__ = ["creators_view", "trends_view"]

_PAGE = 50
_RISING = 24
_UNKNOWN = "unknown"
_SORT_TITLES = {"downloads": "Downloads", "models": "Models", "rating": "Rating", "name": "Name"}


@dataclass(frozen=True, slots=True)
class Legend:
    """A band's words: what it stands for, and the address that shows it in the gallery."""

    area: Area
    title: str
    address: str | None


def creators_view(pinakes: Pinakes, sort: str, offset: int) -> dict[str, Any]:
    """Everything that ``creators.html`` shows. Raises ``UsageError``."""
    page = pinakes.overviews.creators(sort=sort, limit=_PAGE, offset=offset)
    most = max((one.downloads for one in page.creators), default=0)
    return {
        "page": page,
        "rows": [(one, _address("creator", one.name), _share(one.downloads, most)) for one in page.creators],
        "sort": sort,
        "sorts": [(name, _SORT_TITLES[name]) for name in CREATOR_SORTS],
        "offset": offset,
        "before": max(0, offset - _PAGE) if offset else None,
        "after": offset + _PAGE if offset + _PAGE < page.total else None,
    }


def trends_view(pinakes: Pinakes, days: int) -> dict[str, Any]:
    """Everything that ``trends.html`` shows. Raises ``UsageError``."""
    trends = pinakes.overviews.trends(days=days, limit=_RISING)
    told = trends.to_json()["months"]
    chart = area_chart(told, rest=(_UNKNOWN,))
    return {
        "chart": chart,
        "legend": [_legend(area) for area in chart.areas] if chart else [],
        "table": _table(told, [area.key for area in chart.areas if area.key]) if chart else [],
        "rising": [(one, title_of(one.document.architecture), cover(one.document)) for one in trends.rising],
        "days": days,
        "spans": (7, 30, 90, 365),
    }


def _legend(area: Area) -> Legend:
    if area.key is None:
        return Legend(area, "all others", None)
    return Legend(area, title_of(area.key), _address("arch", area.key))


def _address(field: str, value: str) -> str:
    return f"/?{urlencode([Clause(FIELDS[field], (value,)).parameter])}"


def _table(months: Mapping[str, Mapping[str, int]], keys: Sequence[str]) -> list[tuple[str, list[int], int]]:
    """Month, counts by key, and all; the latest first."""
    return [
        (month, [counts.get(key, 0) for key in keys], sum(counts.values()))
        for month, counts in sorted(months.items(), reverse=True)
    ]


def _share(value: int, most: int) -> float:
    """Percent."""
    return round(100 * value / most, 1) if most else 0.0
