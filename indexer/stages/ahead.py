"""Reading a hub's pages ahead, in a thread, while those before are stored."""

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from indexer.errors import PinakesError
from indexer.sources.pages import Page

__all__ = ["AHEAD", "Fetch", "ReadAhead", "ReadPage", "Stopping", "walk"]

AHEAD = 4
"""So many pages may wait to be stored."""

_STALE_PAGES = 20

Fetch = Callable[[str | None], Page]


class Stopping(PinakesError):
    """The thread is to end: its waits are over. Never seen outside."""


@dataclass(frozen=True, slots=True)
class ReadPage:
    """A page with the cursor it was read at; ``next_cursor`` is None at the end of the walk. ``looped``: the
    hub leads in a circle. ``repeated``: a page that had been stored before."""

    cursor: str | None
    items: list[Any]
    next_cursor: str | None
    looped: bool = False
    repeated: bool = False


class _Trail:
    """Where a walk has been: a hub whose cursors come back, or whose pages do, would be read for ever."""

    def __init__(self, cursor: str | None) -> None:
        self._cursors = {hash(cursor)}
        self._pages: set[int] = set()
        self._stale = 0

    def loops(self, page: Page) -> bool:
        told = hash(repr([_name(item) for item in page.items]))
        self._stale = self._stale + 1 if not page.items or told in self._pages else 0
        self._pages.add(told)
        back = hash(page.next_cursor) in self._cursors
        self._cursors.add(hash(page.next_cursor))
        return back or self._stale >= _STALE_PAGES


def _name(item: Any) -> Any:
    named = (item.get(field) for field in ("id", "username", "name")) if isinstance(item, dict) else ()
    return next((name for name in named if name is not None), item)


def walk(fetch: Fetch, cursor: str | None, most: int | None = None) -> Iterator[ReadPage]:
    """Page after page from ``cursor`` on, ``most`` items at most; ends where the hub ends or goes in circles.

    Pages by number move when something new is published: a walk that goes on reads the last one again.
    """
    trail = _Trail(cursor)
    if (before := _page_before(cursor)) is not None:
        page = fetch(before)
        yield ReadPage(before, list(page.items), cursor, repeated=True)
    while True:
        page = fetch(cursor)
        items = list(page.items)[:most]
        most = None if most is None else most - len(items)
        looped = page.next_cursor is not None and trail.loops(page)
        following = None if looped or most == 0 else page.next_cursor
        yield ReadPage(cursor, items, following, looped and most != 0)
        if following is None:
            return
        cursor = following


def _page_before(cursor: str | None) -> str | None:
    sort, _, number = (cursor or "").partition(":")
    return f"page:{int(number) - 1}" if sort == "page" and int(number) > 1 else None


class ReadAhead:
    """Iterates over ``pages`` in a thread, some ahead. Use it as a context manager: leaving ends the thread.

    ``stop`` is set on leaving; waits of the thread (``sleep``) then end by ``Stopping``.
    """

    def __init__(self, pages: Iterator[ReadPage], stop: threading.Event) -> None:
        self._pages = pages
        self._stop = stop
        self._whole = False
        self._queue: queue.Queue[ReadPage | PinakesError | None] = queue.Queue(AHEAD)
        # A daemon: a thread that waits for a silent host must not hold up the end of the program.
        self._thread = threading.Thread(target=self._read, name="read ahead", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=1.0)

    @property
    def is_waiting(self) -> bool:
        """Whether the next page is still to come: there is time for something else."""
        return self._queue.empty()

    def __iter__(self) -> Iterator[ReadPage]:
        """The pages. Raises what reading them raised."""
        while isinstance(page := self._queue.get(), ReadPage):
            yield page
        if page is not None:
            raise page
        if not self._whole:
            raise RuntimeError("reading ahead stopped by a fault of its own, which it has printed")

    def _read(self) -> None:
        try:
            for page in self._pages:
                self._give(page)
            self._whole = True
        except PinakesError as error:
            self._give(error)
        finally:
            self._give(None)

    def _give(self, item: ReadPage | PinakesError | None) -> None:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=0.1)
            except queue.Full:
                continue
            return
