"""How far each question to a hub was read: the cursor is stored with the page it follows, at once."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from indexer.catalog.columns import clean_json
from indexer.catalog.hub_schema import Crawl
from indexer.catalog.table_base import now
from indexer.catalog.upsert import upsert

__all__ = [
    "CrawlState",
    "crawl_key",
    "finish_crawl",
    "list_crawls",
    "move_crawl",
    "open_crawl",
    "pause_crawl",
]


@dataclass(frozen=True, slots=True)
class CrawlState:
    """A crawl as stored. ``cursor`` is None at the start; ``state`` is running, waiting, done or failed;
    ``moved_at`` is when its last page was stored."""

    id: int
    source: str
    base_url: str
    question: Mapping[str, Any]
    cursor: str | None
    state: str
    pages: int
    items: int
    refused: int
    code: str | None
    detail: str | None
    moved_at: datetime


def crawl_key(source: str, base_url: str, question: Mapping[str, Any]) -> str:
    """The name of a question: the same one, asked again, goes on where it stopped."""
    text = clean_json([source, base_url, dict(question)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def open_crawl(
    session: Session, source: str, base_url: str, question: Mapping[str, Any], *, afresh: bool = False
) -> CrawlState:
    """The crawl of this question: a new one, or the unfinished one where it stopped.

    A finished crawl, or ``afresh``, starts again from the first page.
    """
    key = crawl_key(source, base_url, question)
    row = {"key": key, "source": source, "base_url": base_url, "question": dict(question), "state": "running"}
    stamp = now()
    upsert(
        session,
        Crawl,
        [row | {"started_at": stamp, "moved_at": stamp, "pages": 0, "items": 0, "refused": 0}],
        ["key"],
        update=False,
    )
    crawl = session.scalars(select(Crawl).where(Crawl.key == key)).one()
    if crawl.state == "done" or afresh:
        crawl.cursor, crawl.pages, crawl.items, crawl.refused = None, 0, 0, 0
        crawl.started_at, crawl.finished_at = stamp, None
    crawl.state, crawl.code, crawl.detail = "running", None, None
    session.flush()
    return _state(crawl)


def move_crawl(session: Session, crawl_id: int, cursor: str | None, items: int, refused: int) -> None:
    """A page was stored (in this very transaction); read on at ``cursor``."""
    session.execute(
        update(Crawl)
        .where(Crawl.id == crawl_id)
        .values(
            cursor=cursor,
            pages=Crawl.pages + 1,
            items=Crawl.items + items,
            refused=Crawl.refused + refused,
            moved_at=now(),
        )
    )


def finish_crawl(session: Session, crawl_id: int) -> None:
    """The last page was stored."""
    session.execute(
        update(Crawl).where(Crawl.id == crawl_id).values(state="done", cursor=None, finished_at=now())
    )


def pause_crawl(session: Session, crawl_id: int, state: str, code: str, detail: str) -> None:
    """The hub does not answer for now (``waiting``) or refuses for good (``failed``); the cursor stays."""
    session.execute(
        update(Crawl).where(Crawl.id == crawl_id).values(state=state, code=code, detail=detail[:2_000])
    )


def list_crawls(session: Session, limit: int = 100) -> list[CrawlState]:
    """The crawls that moved last, newest first."""
    return [
        _state(row) for row in session.scalars(select(Crawl).order_by(Crawl.moved_at.desc()).limit(limit))
    ]


def _state(row: Crawl) -> CrawlState:
    return CrawlState(
        row.id,
        row.source,
        row.base_url,
        row.question,
        row.cursor,
        row.state,
        row.pages,
        row.items,
        row.refused,
        row.code,
        row.detail,
        row.moved_at,
    )
