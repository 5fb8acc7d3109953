"""Fetch the pictures that hubs show, once, into the home folder, while a budget of bytes lasts."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from indexer.catalog.database import Catalog
from indexer.catalog.fetched import (
    Fetchable,
    FetchedPicture,
    next_position,
    note_fetched,
    pictures_to_fetch,
)
from indexer.progress import Progress
from indexer.settings import Settings
from indexer.sources.http import HubClient
from indexer.sources.http_errors import HubRefused, HubUnavailable

__all__ = ["FetchReport", "fetch_previews"]

_LARGEST = 32 << 20
_TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif")
_AT_ONCE = 4
_BATCH = 32


@dataclass(slots=True)
class FetchReport:
    """What was fetched. ``refused``: pictures that cannot be had; ``postponed``: those whose host did not
    answer for now; ``full``: the budget is used up."""

    fetched: int = 0
    bytes: int = 0
    refused: int = 0
    postponed: int = 0
    full: bool = False


class _Budget:
    """Bytes that may still be kept. Whoever fetches holds as much as a picture may have, and no two more than
    there is."""

    def __init__(self, left: int) -> None:
        self._left = max(0, left)
        self._holders = 0
        self._changed = threading.Condition()

    def take(self) -> int:
        with self._changed:
            while self._left < _LARGEST and self._holders:
                self._changed.wait()
            share = min(_LARGEST, self._left)
            self._left -= share
            self._holders += 1
            return share

    def give_back(self, unused: int) -> None:
        with self._changed:
            self._left += unused
            self._holders -= 1
            self._changed.notify_all()


@dataclass(frozen=True, slots=True)
class _Outcome:
    picture: FetchedPicture
    new_bytes: int = 0
    postponed: bool = False
    full: bool = False


def fetch_previews(
    catalog: Catalog, settings: Settings, client: HubClient, progress: Progress
) -> FetchReport:
    """Fetch pictures, the first ones of all versions first, until all are here or the budget is used up.

    Adult ones only with ``show_adult``. A picture whose host does not answer now waits for the next time.
    Raises ``TemporaryError`` (``disk``) when the home folder cannot be written.
    """
    report = FetchReport()
    folder = settings.fetched_folder
    budget = _Budget(settings.preview_budget - _sweep(folder))
    with (
        progress.stage("Fetching previews", "pictures", None) as stage,
        ThreadPoolExecutor(_AT_ONCE) as pool,
    ):
        for batch in _batches(catalog, settings.show_adult):
            outcomes = list(pool.map(lambda wanted: _fetch(client, folder, wanted, budget), batch))
            with catalog.write() as session:
                note_fetched(session, [o.picture for o in outcomes if not o.postponed and not o.full])
            _count(report, outcomes)
            stage.advance(len(batch))
            if report.full or all(outcome.postponed for outcome in outcomes):
                break
    return report


def _batches(catalog: Catalog, adult: bool) -> Iterator[list[Fetchable]]:
    position = -1
    while True:
        with catalog.read() as session:
            following = next_position(session, position)
        if following is None:
            return
        position, last = following, 0
        while True:
            with catalog.read() as session:
                batch = pictures_to_fetch(session, position, last, _BATCH, adult=adult)
            if not batch:
                break
            last = batch[-1].id
            yield batch


def _fetch(client: HubClient, folder: Path, wanted: Fetchable, budget: _Budget) -> _Outcome:
    share = budget.take()
    used = 0
    try:
        if share:
            outcome = _fetch_one(client, folder, wanted, share)
            used = outcome.new_bytes
            return outcome
        return _Outcome(FetchedPicture(wanted.id), full=True)
    finally:
        budget.give_back(share - used)


def _fetch_one(client: HubClient, folder: Path, wanted: Fetchable, share: int) -> _Outcome:
    try:
        got = client.get_file(wanted.url, folder / f".{wanted.id}.new", limit=share, types=_TYPES)
    except HubUnavailable:
        return _Outcome(FetchedPicture(wanted.id), postponed=True)
    except HubRefused as error:
        if error.code == "auth":
            return _Outcome(FetchedPicture(wanted.id), postponed=True)
        if error.code == "body_size" and share < _LARGEST:
            return _Outcome(FetchedPicture(wanted.id), full=True)
        return _Outcome(FetchedPicture(wanted.id, code=error.code, detail=error.detail))
    target = folder / got.sha256
    known = target.exists()
    got.path.replace(target)
    return _Outcome(FetchedPicture(wanted.id, got.sha256, got.size), 0 if known else got.size)


def _count(report: FetchReport, outcomes: Sequence[_Outcome]) -> None:
    report.fetched += sum(outcome.picture.original is not None for outcome in outcomes)
    report.bytes += sum(outcome.new_bytes for outcome in outcomes)
    report.refused += sum(outcome.picture.code is not None for outcome in outcomes)
    report.postponed += sum(outcome.postponed for outcome in outcomes)
    report.full |= any(outcome.full for outcome in outcomes)


def _sweep(folder: Path) -> int:
    """Bytes of the pictures that are here; what a killed run left unfinished is removed."""
    total = 0
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name.startswith("."):
            path.unlink(missing_ok=True)
        else:
            total += path.stat().st_size
    return total
