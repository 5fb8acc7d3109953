"""One question to a hub, page by page: each page and the place to read on are stored in one transaction.

``kill -9`` loses nothing that was stored and repeats at most the request that was under way.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from indexer.catalog import crawls
from indexer.catalog.database import Catalog, Session
from indexer.domain.collector import collector_paused
from indexer.domain.hubs import Refused
from indexer.progress import Progress
from indexer.sources.http_errors import HubError, HubUnavailable
from indexer.sources.pages import Page
from indexer.stages.ahead import Fetch, ReadAhead, ReadPage, walk
from indexer.stages.importing import HubReport
from indexer.stages.spool import Spool

__all__ = ["CrawlReport", "Pages", "Question", "Rest", "crawl_pages", "note_end"]

T = TypeVar("T")
Rest = Callable[[bool], None]
"""Called after each page; told whether the next one is still awaited, so that there is time to spare."""

_LOOPED = (
    "The hub's pages lead in a circle; what was read is stored, and the next run starts at the first page."
)


@dataclass(slots=True)
class CrawlReport:
    """What a crawl did. ``state`` is ``done``, ``waiting`` (the hub does not answer for now; the same command
    goes on) or ``failed``; ``code`` and ``detail`` tell why. ``resumed``: it went on where an earlier run
    stopped. ``gone``: models that are marked so now; ``absent``: asked for by id, but not there;
    ``unchanged``: models of answers that were the same as last time."""

    source: str
    base_url: str
    state: str = "running"
    code: str | None = None
    detail: str | None = None
    resumed: bool = False
    pages: int = 0
    taken: HubReport = field(default_factory=HubReport)
    gone: int = 0
    unchanged: int = 0
    absent: list[str] = field(default_factory=list)

    def end(self, error: HubError) -> None:
        """The hub ended the crawl: keep why."""
        self.state = "waiting" if isinstance(error, HubUnavailable) else "failed"
        self.code, self.detail = error.code, error.detail


@dataclass(frozen=True, slots=True)
class Pages(Generic[T]):
    """How a listing is read and kept: ``fetch`` the page at a cursor, ``parse`` each item, ``store`` those of
    a page in the transaction that moves the cursor."""

    fetch: Fetch
    parse: Callable[[Any], T | Refused]
    store: Callable[[Session, Sequence[T | Refused], HubReport], None]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: parameters as the hub names them, how many items at most (None: all), which listing."""

    source: str
    base_url: str
    parameters: Mapping[str, Any]
    most: int | None = None
    what: str = "models"

    @property
    def stored(self) -> dict[str, Any]:
        """How the catalog names it; the same question goes on where it was stopped."""
        most = {} if self.most is None else {"most": self.most}
        # Models go without a name: so they were stored before there were other listings.
        what = {} if self.what == "models" else {"what": self.what}
        return {**self.parameters, **most, **what}


def crawl_pages(
    catalog: Catalog,
    question: Question,
    listing: Pages[T],
    home: Path,
    progress: Progress,
    report: CrawlReport,
    *,
    stop: threading.Event,
    afresh: bool = False,
    rest: Rest = lambda _: None,
) -> None:
    """Read the answer to a question into the catalog, from where it stopped unless ``afresh``.

    A hub that fails is no error: ``report.state`` tells, and so does the catalog.
    """
    with catalog.write() as session:
        state = crawls.open_crawl(session, question.source, question.base_url, question.stored, afresh=afresh)
    report.resumed = state.pages > 0
    spool = Spool(home / "ahead" / str(state.id))
    if afresh:
        spool.clear()
    left = None if question.most is None else question.most - state.items
    pages = walk(_kept(listing.fetch, spool), state.cursor, left)
    try:
        with (
            progress.stage(f"Reading {question.what} of {question.source}", "items", left) as stage,
            ReadAhead(pages, stop) as ahead,
        ):
            for page in ahead:
                _store(catalog, state.id, page, listing, report)
                spool.drop(page.cursor)
                stage.advance(len(page.items))
                rest(ahead.is_waiting)
    except HubError as error:
        note_end(catalog, state.id, report, error)
        return
    if report.state == "done":
        spool.clear()


def _store(catalog: Catalog, crawl_id: int, page: ReadPage, listing: Pages[T], report: CrawlReport) -> None:
    with collector_paused():
        parsed = [listing.parse(item) for item in page.items]
        with catalog.write() as session:
            listing.store(session, parsed, report.taken)
            _move(session, crawl_id, page, parsed)
    report.pages += 1
    if page.next_cursor is None:
        report.state = "done"
    if page.looped:
        report.code, report.detail = "cursor_loop", _LOOPED


def _move(session: Session, crawl_id: int, page: ReadPage, parsed: Sequence[Any]) -> None:
    if not page.repeated:
        refused = sum(isinstance(item, Refused) for item in parsed)
        crawls.move_crawl(session, crawl_id, page.next_cursor, len(parsed), refused)
    if page.next_cursor is None:
        crawls.finish_crawl(session, crawl_id)
    if page.looped:
        crawls.pause_crawl(session, crawl_id, "done", "cursor_loop", _LOOPED)


def note_end(catalog: Catalog, crawl_id: int, report: CrawlReport, error: HubError) -> None:
    """The hub ended the crawl: keep why, in the catalog and in the report."""
    report.end(error)
    with catalog.write() as session:
        crawls.pause_crawl(session, crawl_id, report.state, error.code, error.detail)


def _kept(fetch: Fetch, spool: Spool) -> Fetch:
    def page(cursor: str | None) -> Page:
        if (kept := spool.get(cursor)) is not None:
            return kept
        fresh = fetch(cursor)
        spool.put(cursor, fresh)
        return fresh

    return page
