"""One question to a hub, page by page: each page and the place to read on are stored in one transaction.

``kill -9`` loses nothing that was stored and repeats at most the request that was under way.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from indexer.catalog import crawls
from indexer.catalog.database import Catalog
from indexer.domain.hubs import HubModel, Refused
from indexer.progress import Progress
from indexer.sources.http_errors import HubError, HubUnavailable
from indexer.sources.pages import Page
from indexer.stages.ahead import Fetch, ReadAhead, ReadPage, walk
from indexer.stages.importing import HubReport, store_page
from indexer.stages.spool import Spool

__all__ = ["CrawlReport", "Question", "Rest", "crawl_pages", "note_end"]

Parse = Callable[[Any], HubModel | Refused]
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


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: parameters as the hub names them, and how many items at most (None: all)."""

    source: str
    base_url: str
    parameters: Mapping[str, Any]
    most: int | None = None

    @property
    def stored(self) -> dict[str, Any]:
        """How the catalog names it; the same question goes on where it was stopped."""
        return {**self.parameters, **({"most": self.most} if self.most is not None else {})}


def crawl_pages(
    catalog: Catalog,
    question: Question,
    fetch: Fetch,
    parse: Parse,
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
    pages = walk(_kept(fetch, spool), state.cursor, left)
    try:
        with (
            progress.stage(f"Reading {question.source}", "items", left) as stage,
            ReadAhead(pages, stop) as ahead,
        ):
            for page in ahead:
                _store(catalog, state.id, page, parse, report)
                spool.drop(page.cursor)
                stage.advance(len(page.items))
                rest(ahead.is_waiting)
    except HubError as error:
        note_end(catalog, state.id, report, error)
        return
    if report.state == "done":
        spool.clear()


def _store(catalog: Catalog, crawl_id: int, page: ReadPage, parse: Parse, report: CrawlReport) -> None:
    parsed = [parse(item) for item in page.items]
    refused = sum(isinstance(item, Refused) for item in parsed)
    with catalog.write() as session:
        store_page(session, parsed, report.taken)
        if not page.repeated:
            crawls.move_crawl(session, crawl_id, page.next_cursor, len(parsed), refused)
        if page.next_cursor is None:
            crawls.finish_crawl(session, crawl_id)
        if page.looped:
            crawls.pause_crawl(session, crawl_id, "done", "cursor_loop", _LOOPED)
    report.pages += 1
    if page.next_cursor is None:
        report.state = "done"
    if page.looped:
        report.code, report.detail = "cursor_loop", _LOOPED


def note_end(catalog: Catalog, crawl_id: int, report: CrawlReport, error: HubError) -> None:
    """The hub ended the crawl: keep why, in the catalog and in the report."""
    report.state = "waiting" if isinstance(error, HubUnavailable) else "failed"
    report.code, report.detail = error.code, error.detail
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
