"""The library as a whole: creators, trends, hubs and what is being done."""

import threading
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate, islice
from typing import Any, Generic, TypeVar

from indexer.catalog import changes, entries
from indexer.catalog.crawls import list_crawls
from indexer.catalog.database import Catalog, Session
from indexer.catalog.overview import CreatorCount, Overview, Rise, overview, rising
from indexer.catalog.published_words import told_creators
from indexer.catalog.updates import Update, find_updates
from indexer.domain.records import Document
from indexer.errors import UsageError
from indexer.settings import Settings
from indexer.under_way import under_way
from search.query import parse_query
from search.safe import kept_back

_T = TypeVar("_T")

__all__ = ["CREATOR_SORTS", "Creators", "Overviews", "Risen", "Trends"]

CREATOR_SORTS = ("downloads", "models", "rating", "name")
UPDATES = 1_000
MONTHS = 36
"""So many are told of, the last ones."""
DAYS = 365
_PATIENCE = 20
"""An overview is made anew when the library changed, but not before so many times the time it took."""


@dataclass(frozen=True, slots=True)
class Creators:
    """A page of creators. ``half_models`` and ``half_downloads``: how few made one half of these."""

    total: int
    creators: Sequence[CreatorCount]
    half_models: int
    half_downloads: int
    nobody: int
    hidden: int

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        rows = [
            {"name": one.name, "models": one.models, "versions": one.versions, "downloads": one.downloads}
            | {"votes": one.votes, "stars": one.stars}
            for one in self.creators
        ]
        half = {"models": self.half_models, "downloads": self.half_downloads}
        return {
            "total": self.total,
            "half_made_by": half,
            "without_creator": self.nobody,
            "hidden": self.hidden,
            "creators": rows,
        }


@dataclass(frozen=True, slots=True)
class Risen:
    """A version that gained downloads."""

    document: Document
    rise: Rise


@dataclass(frozen=True, slots=True)
class Trends:
    """``months``: month -> root architecture or None -> versions, without gaps. ``days``: of ``rising``."""

    months: Mapping[str, Mapping[str | None, int]]
    rising: Sequence[Risen]
    days: int

    def to_json(self) -> dict[str, Any]:
        """Plain data; an unknown architecture is ``unknown``."""
        months = {
            month: {root or "unknown": count for root, count in counts.items()}
            for month, counts in self.months.items()
        }
        risen = [
            {"id": one.document.id, "name": one.document.name, "version": one.document.version}
            | {"before": one.rise.before, "after": one.rise.after, "gained": one.rise.gained}
            | {"first": one.rise.first.isoformat(), "last": one.rise.last.isoformat()}
            for one in self.rising
        ]
        return {"months": months, "days": self.days, "rising": risen}


class _Kept(Generic[_T]):
    """What takes long to make, remembered for the day until the library changes; threads wait for each
    other."""

    def __init__(self, make: Callable[[Session], _T]) -> None:
        self._make = make
        self._making = threading.Lock()
        self._kept: tuple[Hashable, _T] | None = None
        self._fresh_until = 0.0

    def read(self, catalog: Catalog) -> _T:
        """As the library is now, or was a moment ago where it changes all the time."""
        with self._making, catalog.read() as session:
            number = changes.last_number(session, "change"), datetime.now(UTC).date()
            started = time.monotonic()
            if self._kept is not None and (self._kept[0] == number or started < self._fresh_until):
                return self._kept[1]
            made = self._make(session)
            self._kept = number, made
            ended = time.monotonic()
            self._fresh_until = ended + _PATIENCE * (ended - started)
            return made


class Overviews:
    """The library as a whole. Counts are remembered until it changes; many threads may share it and wait for
    each other. What is hidden by default does not count, unless the settings show it."""

    def __init__(self, catalog: Catalog, settings: Settings) -> None:
        self._catalog = catalog
        self._settings = settings
        self._whole = _Kept(lambda session: overview(session, self._hidden()))
        self._newer = _Kept(self._updates)
        self._told = _Kept(told_creators)

    def creators(self, *, sort: str = "downloads", limit: int = 50, offset: int = 0) -> Creators:
        """Who made the library, a page at a time, and how few made half of it. Raises ``UsageError``
        (``sort``)."""
        if sort not in CREATOR_SORTS:
            known = ", ".join(CREATOR_SORTS)
            raise UsageError("sort", f"Creators cannot be sorted by {sort!r}. Choose one of: {known}.")
        whole = self._overview()
        page = sorted(whole.creators, key=_ORDERS[sort])[offset : offset + limit]
        models, downloads = (
            [getattr(one, name) for one in whole.creators] for name in ("models", "downloads")
        )
        total = len(whole.creators)
        return Creators(total, page, _half(models), _half(downloads), whole.nobody, whole.hidden)

    def told_creators(self) -> Mapping[str, int]:
        """Creators whom no hub tells of here, but files beside models do, by name, with their models."""
        return self._told.read(self._catalog)

    def trends(self, *, days: int = 30, limit: int = 24) -> Trends:
        """Versions a month by base architecture, and what gained most downloads in so many days by the
        snapshots of statistics that crawls take. Raises ``UsageError`` (``days``)."""
        if not 1 <= days <= DAYS:
            raise UsageError("days", f"Trends over {days} days cannot be told. Choose 1 to {DAYS}.")
        today = f"{datetime.now(UTC):%Y-%m}"
        said = self._overview().months
        months = _without_gaps({month: said[month] for month in said if month <= today})
        with self._catalog.read() as session:
            # Hidden ones fall out below: so some more are read.
            rises = rising(session, datetime.now(UTC) - timedelta(days), 2 * limit)
            found = entries.documents(session, [rise.version_id for rise in rises])
        told = [Risen(found[rise.version_id], rise) for rise in rises if rise.version_id in found]
        hidden = self._hidden()
        return Trends(months, [one for one in told if hidden.isdisjoint(one.document.hidden)][:limit], days)

    def crawls(self, limit: int = 20) -> list[dict[str, Any]]:
        """Questions put to hubs, the last one first: how far each was read, and why one waits or failed."""
        with self._catalog.read() as session:
            return [asdict(state) for state in list_crawls(session, limit)]

    def updates(self, limit: int = 20) -> list[Update]:
        """Models of which hubs have a newer version for the same base than what lies here, the first
        ``UPDATES`` at most."""
        return list(self._newer.read(self._catalog)[:limit])

    def _updates(self, session: Session) -> Sequence[Update]:
        hidden = self._hidden()
        newer = (update for update in find_updates(session) if hidden.isdisjoint(update.hidden))
        return tuple(islice(newer, UPDATES))

    def under_way(self) -> list[dict[str, Any]]:
        """What processes of this machine are doing with the library: what, the stage's title, how much is
        done of what, since when."""
        return [asdict(work) for work in under_way(self._settings)]

    def _overview(self) -> Overview:
        return self._whole.read(self._catalog)

    def _hidden(self) -> frozenset[str]:
        return frozenset(kept_back(self._settings, parse_query("")))


_ORDERS: Mapping[str, Any] = {
    "downloads": lambda one: (-one.downloads, -one.models, one.name),
    "models": lambda one: (-one.models, -one.downloads, one.name),
    "rating": lambda one: (-(one.stars or 0.0), -one.votes, one.name),
    "name": lambda one: (one.name.casefold(), one.name),
}


def _half(counts: Sequence[int]) -> int:
    """How few of them make at least one half of their sum; 0 where there is nothing."""
    wanted = sum(counts) / 2
    sums = accumulate(sorted(counts, reverse=True))
    return next((place for place, so_far in enumerate(sums, 1) if so_far >= wanted), 0) if wanted else 0


def _without_gaps(months: Mapping[str, Mapping[str | None, int]]) -> dict[str, Mapping[str | None, int]]:
    """The last months, those in which nothing came too."""
    if not months:
        return {}
    last = _number(max(months))
    first = max(_number(min(months)), last - MONTHS + 1)
    return {month: months.get(month, {}) for month in map(_month, range(first, last + 1))}


def _number(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:7]) - 1


def _month(number: int) -> str:
    return f"{number // 12:04}-{number % 12 + 1:02}"
