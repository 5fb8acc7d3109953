"""What the tests of crawls share: a quick crawl of a fake hub, and a look into the catalog."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import func, select

from indexer.catalog.database import Session, open_catalog
from indexer.catalog.entries import changed_entries
from indexer.catalog.schema import ClaimRow, HashRow, HubFileRow, Model, Preview, Statistic, Version
from indexer.crawl import crawl_hub
from indexer.domain.records import Document
from indexer.hub_run import HubRun
from indexer.progress import Silent
from indexer.settings import Settings
from indexer.sources.http_records import Limits
from tests.hubs.fake_civitai import FakeCivitai

__all__ = ["QUICK", "contents", "crawl", "documents", "looking", "quick"]

QUICK = Limits(connect=20, idle=20, total=60, retries=3, backoff=0.02, backoff_cap=0.1, cooldown=0.1)
TABLES = (Model, Version, ClaimRow, Statistic, HubFileRow, HashRow, Preview)


def quick(settings: Settings, **more: Any) -> Settings:
    """The same settings, for a hub that need not be spared."""
    return settings.model_copy(update={"requests_per_second": 1_000.0, **more})


def crawl(hub: FakeCivitai, settings: Settings, **how: Any) -> HubRun:
    question = how.pop("question", {})
    return crawl_hub(question, quick(settings), Silent(), base_url=hub.url, limits=QUICK, **how)


@contextmanager
def looking(settings: Settings) -> Iterator[Session]:
    catalog = open_catalog(settings)
    with catalog.read() as session:
        yield session
    catalog.close()


def documents(settings: Settings) -> list[Document]:
    with looking(settings) as session:
        return [d for _, _, d in changed_entries(session, 0, 100_000) if d is not None]


def contents(settings: Settings) -> dict[str, Any]:
    """All that must be equal however the catalog was filled."""
    with looking(settings) as session:
        counts = {t.__tablename__: session.scalar(select(func.count()).select_from(t)) for t in TABLES}
        keys = sorted(session.scalars(select(Model.key)))
        gone = sorted(session.scalars(select(Model.key).where(Model.gone_at.is_not(None))))
    named = sorted((d.name, d.version, d.base_label, d.architecture) for d in documents(settings))
    return {"counts": counts, "models": keys, "gone": gone, "documents": named}
