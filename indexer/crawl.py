"""From Civitai to a searchable catalog: crawl a listing, identify files of ours, refresh what is known."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from indexer.catalog import updates
from indexer.catalog.database import opened_catalog
from indexer.hub_questions import civitai_question
from indexer.hub_run import Access, HubRun, Run, running
from indexer.parsers.civitai import parse_item
from indexer.parsers.civitai_listings import parse_creator, parse_picture, parse_tag
from indexer.progress import Progress
from indexer.settings import Settings
from indexer.sources.civitai import PAGE_SIZE, Civitai
from indexer.sources.http import Limits
from indexer.stages.crawling import Pages, Question, crawl_pages
from indexer.stages.generation import RecordReport, learn_models
from indexer.stages.importing import store_page
from indexer.stages.listings import read_enums, store_images, store_words
from indexer.stages.refreshing import identify_files, refresh_models, take_models

__all__ = [
    "civitai_question",
    "crawl_hub",
    "fetch_models",
    "find_newer",
    "identify_library",
    "refresh_hub",
]

_MOST = {"models": PAGE_SIZE, "images": 200, "creators": 200, "tags": 200}
"""Items that a listing gives at once."""


def crawl_hub(
    question: Mapping[str, Any],
    settings: Settings,
    progress: Progress,
    *,
    what: str = "models",
    base_url: str | None = None,
    limit: int | None = None,
    afresh: bool = False,
    previews: bool = False,
    limits: Limits = Limits(),
) -> HubRun:
    """Read Civitai's answer to a question (see ``civitai_question``) into the catalog and make it searchable.

    The same question goes on where it was stopped, unless ``afresh``. ``limit``: exactly so many items.
    Images become previews of the versions they were made with that are known here. A hub that does not
    answer, or refuses, is told in ``crawl.state``; what was stored stays. Raises ``UsageError`` for an
    address or token that cannot be used, ``CatalogError`` when the catalog cannot be written.
    """
    with running(_access(settings, progress, base_url, limits, previews)) as run:
        hub = Civitai(run.client, run.access.base_url)
        if what == "enums":
            read_enums(run.catalog, hub, run.told.crawl)
            return run.told
        if what == "images":
            learn_models(run.catalog, RecordReport())  # by whose numbers the images name them
        crawl_pages(
            run.catalog,
            Question("civitai", hub.base_url, question, limit, what),
            _listing(hub, what, question, min(_MOST[what], limit or _MOST[what])),
            settings.home,
            run.access.progress,
            run.told.crawl,
            stop=run.stop,
            afresh=afresh,
            rest=run.rest,
        )
    return run.told


def _listing(hub: Civitai, what: str, question: Mapping[str, Any], size: int) -> Pages[Any]:
    if what == "images":
        return Pages(lambda at: hub.images(question, at, size=size), parse_picture, store_images(question))
    if what == "creators":
        return Pages(lambda at: hub.creators(question, at, size=size), parse_creator, store_words)
    if what == "tags":
        return Pages(lambda at: hub.tags(question, at, size=size), parse_tag, store_words)
    return Pages(lambda at: hub.models(question, at, size=size), parse_item, store_page)


def fetch_models(
    numbers: Sequence[int],
    settings: Settings,
    progress: Progress,
    *,
    base_url: str | None = None,
    previews: bool = False,
    limits: Limits = Limits(),
) -> HubRun:
    """Take models by their ids at Civitai. Ids that are not there are told in ``crawl.absent``."""

    def work(hub: Civitai, run: Run) -> None:
        take_models(run.catalog, hub, numbers, run.access.progress, run.told.crawl)

    return _asking(work, _access(settings, progress, base_url, limits, previews))


def identify_library(
    settings: Settings,
    progress: Progress,
    *,
    base_url: str | None = None,
    previews: bool = False,
    limits: Limits = Limits(),
) -> HubRun:
    """Ask Civitai which models our hashed files are; those found are stored whole and linked."""

    def work(hub: Civitai, run: Run) -> None:
        run.told.asked = identify_files(run.catalog, hub, run.access.progress, run.told.crawl)
        run.told.crawl.state = "done"

    return _asking(work, _access(settings, progress, base_url, limits, previews))


def refresh_hub(
    settings: Settings,
    progress: Progress,
    *,
    base_url: str | None = None,
    afresh: bool = False,
    previews: bool = False,
    limits: Limits = Limits(),
) -> HubRun:
    """Ask Civitai anew for all models known from there: statistics, new versions, what is gone."""

    def work(hub: Civitai, run: Run) -> None:
        refresh_models(run.catalog, hub, run.access.progress, run.told.crawl, afresh=afresh)

    return _asking(work, _access(settings, progress, base_url, limits, previews))


def find_newer(settings: Settings, *, any_base: bool = False) -> Iterator[updates.Update]:
    """Newer releases of what lies in my folders (see ``catalog.updates``), out of the catalog alone."""
    with opened_catalog(settings) as catalog, catalog.read() as session:
        yield from updates.find_updates(session, any_base=any_base)


def _access(
    settings: Settings, progress: Progress, base_url: str | None, limits: Limits, previews: bool
) -> Access:
    base = (base_url or settings.civitai_url).rstrip("/").removesuffix("/api/v1")
    return Access("civitai", base, settings.civitai_token, settings, progress, limits, previews)


def _asking(work: Callable[[Civitai, Run], None], access: Access) -> HubRun:
    with running(access) as run:
        work(Civitai(run.client, access.base_url), run)
    return run.told
