"""From the Hugging Face Hub to a searchable catalog, by runs as ``hub_run.py`` has them."""

from collections.abc import Mapping
from typing import Any

from indexer.catalog.database import Catalog
from indexer.domain.hubs import HubModel, Refused
from indexer.errors import UsageError
from indexer.hub_run import Access, HubRun, running
from indexer.parsers.huggingface import SOURCE, parse_repo
from indexer.progress import Progress
from indexer.settings import Settings
from indexer.sources.http import HubClient, Limits
from indexer.sources.huggingface import PAGE_SIZE, HuggingFace
from indexer.sources.pages import Page
from indexer.stages.crawling import Pages, Question, crawl_pages
from indexer.stages.importing import store_page
from indexer.stages.remote_headers import judge_offered

__all__ = ["crawl_huggingface", "huggingface_question"]

_SORTS = {
    "newest": "createdAt",
    "updated": "lastModified",
    "downloads": "downloads",
    "likes": "likes",
    "trending": "trendingScore",
}


def huggingface_question(
    *,
    query: str | None = None,
    author: str | None = None,
    tags: tuple[str, ...] = (),
    sort: str | None = None,
) -> dict[str, Any]:
    """Parameters of the Hub's models listing. Raises ``UsageError`` (``question``) for an unknown sort."""
    known = _SORTS | {name: name for name in _SORTS.values()}
    if sort is not None and sort not in known:
        raise UsageError("question", f"The Hub knows no sort {sort!r}. Choose: {', '.join(_SORTS)}.")
    given: dict[str, Any] = {
        "search": query,
        "author": author,
        "filter": list(tags),
        # The newest first stays in order while new models arrive; a search has an order of its own.
        "sort": known[sort] if sort else (None if query else "createdAt"),
    }
    return {name: value for name, value in given.items() if value not in (None, "", [])}


def crawl_huggingface(
    question: Mapping[str, Any],
    settings: Settings,
    progress: Progress,
    *,
    base_url: str | None = None,
    limit: int | None = None,
    afresh: bool = False,
    previews: bool = False,
    headers: bool = False,
    limits: Limits = Limits(),
) -> HubRun:
    """Read the Hub's answer to a question (see ``huggingface_question``) into the catalog.

    ``headers``: read the headers of the files too, by range, and store what they are. Otherwise as
    ``crawl.crawl_hub``.
    """
    base = (base_url or settings.huggingface_url).rstrip("/")
    access = Access(SOURCE, base, settings.huggingface_token, settings, progress, limits, previews)
    with running(access) as run:
        reader = _Reader(
            HuggingFace(run.client, base), run.client, run.catalog, question, limit, headers=headers
        )
        crawl_pages(
            run.catalog,
            Question(SOURCE, base, question, limit),
            Pages(reader.page, reader.parse, store_page),
            settings.home,
            run.access.progress,
            run.told.crawl,
            stop=run.stop,
            afresh=afresh,
            rest=run.rest,
        )
    return run.told


class _Reader:
    """Pages of repositories, and how each becomes a record."""

    def __init__(
        self,
        hub: HuggingFace,
        client: HubClient,
        catalog: Catalog,
        question: Mapping[str, Any],
        limit: int | None,
        *,
        headers: bool,
    ) -> None:
        self._hub, self._client, self._catalog = hub, client, catalog
        self._question, self._headers = question, headers
        self._size = min(PAGE_SIZE, limit or PAGE_SIZE)

    def page(self, cursor: str | None) -> Page:
        """A page with all that is asked of the Hub about it: headers too, so that storing never waits."""
        page = self._hub.models(self._question, cursor, size=self._size, wanted=self._is_wanted)
        if self._headers:
            for item in page.items:
                model = self.parse(item)
                if isinstance(model, HubModel):
                    item["verdicts"] = judge_offered(self._catalog, self._client, model)
        return page

    def parse(self, item: Any) -> HubModel | Refused:
        """An item of ``page`` as a record."""
        return parse_repo(item["info"], item["card"], item.get("verdicts"), base_url=self._hub.base_url)

    def _is_wanted(self, listed: Mapping[str, Any]) -> bool:
        """Whether it is worth asking more: not where the listing shows another field, or no weights."""
        outcome = parse_repo(listed)
        unlisted = isinstance(outcome, Refused) and outcome.code == "no_weights" and "siblings" not in listed
        return unlisted or isinstance(outcome, HubModel)
