"""From hubs to a searchable catalog: crawl a question, identify files of ours, refresh what is known.

Can be stopped at any moment; the same call goes on. Whoever waits for a hub stores and indexes meanwhile.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, fields
from typing import Any

from indexer.catalog import updates
from indexer.catalog.database import Catalog, open_catalog
from indexer.domain.vocabulary import base_label, read_table
from indexer.encoders import active_encoders
from indexer.errors import UsageError
from indexer.parsers.civitai import parse_item
from indexer.pipeline import writing
from indexer.progress import Progress
from indexer.settings import Settings
from indexer.sources.civitai import Civitai
from indexer.sources.http import HubClient, Limits, Timing
from indexer.sources.http_errors import HubError, HubUnavailable
from indexer.stages.ahead import Stopping
from indexer.stages.crawling import CrawlReport, Question, crawl_pages
from indexer.stages.fetching import FetchReport, fetch_previews
from indexer.stages.generation import read_records
from indexer.stages.pictures import embed_pictures
from indexer.stages.publish import publish_text, publish_vectors
from indexer.stages.refreshing import identify_files, refresh_models, take_models

__all__ = [
    "Connect",
    "HubRun",
    "Publisher",
    "civitai_question",
    "crawl_hub",
    "fetch_models",
    "find_newer",
    "finish_run",
    "identify_library",
    "refresh_hub",
    "sleeper",
]

Connect = Callable[[], AbstractContextManager[HubClient]]
"""Opens a client of the hub that is being read, for its pictures."""

_MOST_UNPUBLISHED = 5_000
_SPARE_TIME = 1_000
"""Models stored since words were last indexed: so many are indexed while the hub is awaited, so many more
whether there is time or not."""


@dataclass(slots=True)
class HubRun:
    """A crawl, and what followed. ``previews`` is None when none were asked for; ``asked``: files of ours
    that were looked for by hash."""

    crawl: CrawlReport
    previews: FetchReport | None = None
    asked: int = 0
    embedded: int = 0
    published: int = 0

    def to_json(self) -> dict[str, Any]:
        """As flat JSON data: state and counts of the crawl, of previews, of the indexes."""
        told = {f.name: getattr(self.crawl, f.name) for f in fields(self.crawl) if f.name != "taken"}
        previews = None if self.previews is None else asdict(self.previews)
        rest = {"asked": self.asked, "embedded": self.embedded, "published": self.published}
        return {**told, **self.crawl.taken.to_json(), "previews": previews, **rest}


def civitai_question(
    *,
    query: str | None = None,
    tag: str | None = None,
    username: str | None = None,
    types: Sequence[str] = (),
    base_models: Sequence[str] = (),
    sort: str | None = None,
    period: str | None = None,
    nsfw: bool | None = None,
    favorites: bool = False,
) -> dict[str, Any]:
    """Parameters of Civitai's models listing, in its own spelling. Base models may be spelled as elsewhere.

    Raises ``UsageError`` (``question``) for a word that the listing does not know, with those it knows.
    """
    words = read_table("civitai_listing.toml")
    bases = [label.id if (label := base_label(text)) else text for text in base_models]
    given: dict[str, Any] = {
        "query": query,
        "tag": tag,
        "username": username,
        "types": [_spelled("type", text, words["types"]) for text in types],
        "baseModels": bases,
        # The newest first stays in order while new models arrive; a query has an order of its own.
        "sort": _spelled("sort", sort or "Newest", words["sort"]) if sort or not query else None,
        "period": _spelled("period", period, words["period"]) if period else None,
        "nsfw": None if nsfw is None else str(nsfw).lower(),
        "favorites": "true" if favorites else None,
    }
    return {name: value for name, value in given.items() if value not in (None, "", [])}


def _spelled(what: str, text: str, known: Sequence[str]) -> str:
    folded = {word.lower().replace(" ", ""): word for word in known}
    found = folded.get(text.lower().replace(" ", ""))
    if found is None:
        raise UsageError("question", f"Civitai knows no {what} {text!r}. Choose: {', '.join(known)}.")
    return found


def crawl_hub(
    question: Mapping[str, Any],
    settings: Settings,
    progress: Progress,
    *,
    base_url: str | None = None,
    limit: int | None = None,
    afresh: bool = False,
    previews: bool = False,
    limits: Limits = Limits(),
) -> HubRun:
    """Read Civitai's answer to a question (see ``civitai_question``) into the catalog and make it searchable.

    The same question goes on where it was stopped, unless ``afresh``. ``limit``: exactly so many items.
    A hub that does not answer, or refuses, is told in ``crawl.state``; what was stored stays. Raises
    ``UsageError`` for an address or token that cannot be used, ``CatalogError`` when the catalog cannot be
    written.
    """
    stop = threading.Event()
    with _hub(settings, base_url, progress, limits, stop) as (hub, _), writing(settings) as catalog:
        run = HubRun(CrawlReport("civitai", hub.base_url))
        asked = Question("civitai", hub.base_url, question, limit)
        publisher = Publisher(catalog, settings, progress, run)
        crawl_pages(
            catalog,
            asked,
            lambda cursor: hub.models(asked.parameters, cursor, size=min(100, limit or 100)),
            parse_item,
            settings.home,
            progress,
            run.crawl,
            stop=stop,
            afresh=afresh,
            rest=publisher.rest,
        )
        finish_run(
            catalog,
            settings,
            progress,
            run,
            _connect(settings, base_url, progress, limits) if previews else None,
        )
    return run


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

    def work(catalog: Catalog, hub: Civitai, run: HubRun) -> None:
        take_models(catalog, hub, numbers, progress, run.crawl)

    return _asking(work, settings, progress, base_url, previews, limits)


def identify_library(
    settings: Settings,
    progress: Progress,
    *,
    base_url: str | None = None,
    previews: bool = False,
    limits: Limits = Limits(),
) -> HubRun:
    """Ask Civitai which models our hashed files are; those found are stored whole and linked."""

    def work(catalog: Catalog, hub: Civitai, run: HubRun) -> None:
        run.asked = identify_files(catalog, hub, progress, run.crawl)
        run.crawl.state = "done"

    return _asking(work, settings, progress, base_url, previews, limits)


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

    def work(catalog: Catalog, hub: Civitai, run: HubRun) -> None:
        refresh_models(catalog, hub, progress, run.crawl, afresh=afresh)

    return _asking(work, settings, progress, base_url, previews, limits)


def find_newer(settings: Settings, *, any_base: bool = False) -> Iterator[updates.Update]:
    """Newer releases of what lies in my folders (see ``catalog.updates``), out of the catalog alone."""
    catalog = open_catalog(settings)
    try:
        with catalog.read() as session:
            yield from updates.find_updates(session, any_base=any_base)
    finally:
        catalog.close()


def _asking(
    work: Callable[[Catalog, Civitai, HubRun], None],
    settings: Settings,
    progress: Progress,
    base_url: str | None,
    previews: bool,
    limits: Limits,
) -> HubRun:
    with _hub(settings, base_url, progress, limits) as (hub, _), writing(settings) as catalog:
        run = HubRun(CrawlReport("civitai", hub.base_url))
        try:
            work(catalog, hub, run)
        except HubError as error:
            run.crawl.state = "waiting" if isinstance(error, HubUnavailable) else "failed"
            run.crawl.code, run.crawl.detail = error.code, error.detail
        finish_run(
            catalog,
            settings,
            progress,
            run,
            _connect(settings, base_url, progress, limits) if previews else None,
        )
    return run


@contextmanager
def _hub(
    settings: Settings,
    base_url: str | None,
    progress: Progress,
    limits: Limits,
    stop: threading.Event | None = None,
) -> Iterator[tuple[Civitai, HubClient]]:
    """Civitai's API at the address that was configured, the only one that gets our key."""
    base = base_url or settings.civitai_url
    secrets = {base: settings.civitai_token} if settings.civitai_token else {}
    timing = Timing() if stop is None else Timing(sleep=sleeper(stop))
    with HubClient(
        allowed_hosts=[base],
        secrets=secrets,
        per_second=settings.requests_per_second,
        limits=limits,
        note=progress.note,
        timing=timing,
    ) as client:
        yield Civitai(client, base), client


def sleeper(stop: threading.Event) -> Callable[[float], None]:
    """How a thread waits that is to end when ``stop`` is set: by ``Stopping``."""

    def sleep(seconds: float) -> None:
        if stop.wait(seconds):
            raise Stopping("stopping", "The run is ending.")

    return sleep


class Publisher:
    """Indexes words now and then, so that a long crawl can be searched while it runs."""

    def __init__(self, catalog: Catalog, settings: Settings, progress: Progress, run: HubRun) -> None:
        self._work = (catalog, settings, progress)
        self._run = run
        self._done = 0

    def rest(self, is_waiting: bool) -> None:
        """A page was stored; ``is_waiting``: the next one is not here yet."""
        waiting = self._run.crawl.taken.models - self._done
        if waiting >= (_SPARE_TIME if is_waiting else _MOST_UNPUBLISHED):
            self._run.published += publish_text(*self._work)
            self._done = self._run.crawl.taken.models


def _connect(settings: Settings, base_url: str | None, progress: Progress, limits: Limits) -> Connect:
    @contextmanager
    def connect() -> Iterator[HubClient]:
        with _hub(settings, base_url, progress, limits) as (_, client):
            yield client

    return connect


def finish_run(
    catalog: Catalog, settings: Settings, progress: Progress, run: HubRun, connect: Connect | None
) -> None:
    """Make searchable what was stored, whatever became of the crawl; with ``connect`` fetch previews too."""
    read_records(catalog, settings, progress)
    run.published += publish_text(catalog, settings, progress)
    if connect is not None:
        with connect() as client:
            run.previews = fetch_previews(catalog, settings, client, progress)
    if connect is None and not run.crawl.taken.linked:
        return
    # Pictures of files that were found at the hub stand under the hub's version now.
    encoders = active_encoders(settings, progress, download=True)
    if run.previews and run.previews.fetched:
        read_records(catalog, settings, progress)
        run.embedded = embed_pictures(catalog, settings, encoders, progress).embedded
        run.published += publish_text(catalog, settings, progress)
    publish_vectors(catalog, settings, encoders, progress)
