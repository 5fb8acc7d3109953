"""One run over a hub: its client and the catalog open, its end noted, what was stored made searchable.

Can be stopped at any moment; the same run goes on. Whoever waits for a hub stores and indexes meanwhile.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from indexer.catalog.database import Catalog
from indexer.encoders import active_encoders
from indexer.pipeline import writing
from indexer.progress import Progress
from indexer.settings import Settings
from indexer.sources.clients import hub_client
from indexer.sources.http import HubClient, Limits, Timing
from indexer.sources.http_errors import HubError
from indexer.stages.ahead import Stopping
from indexer.stages.crawling import CrawlReport
from indexer.stages.fetching import FetchReport, fetch_previews
from indexer.stages.generation import RecordReport, learn_models, read_records
from indexer.stages.pictures import embed_pictures
from indexer.stages.publish import publish_text, publish_vectors
from indexer.under_way import telling

__all__ = ["Access", "HubRun", "Run", "running"]

_MOST_UNPUBLISHED = 5_000
_SPARE_TIME = 500
"""Models stored since words were last indexed: so many are indexed while the hub is awaited, so many more
whether there is time or not."""


@dataclass(slots=True)
class HubRun:
    """What a run did: the crawl, and what followed. ``previews`` is None when none were asked for;
    ``asked``: files of ours that were looked for by hash."""

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


@dataclass(frozen=True, slots=True)
class Access:
    """How a hub is reached: ``source`` is its name, ``base_url`` alone gets ``token``. ``previews``: its
    pictures are wanted, too."""

    source: str
    base_url: str
    token: SecretStr | None
    settings: Settings
    progress: Progress
    limits: Limits
    previews: bool = False

    def client(self, stop: threading.Event | None = None) -> HubClient:
        """A client; its waits end by ``Stopping`` once ``stop`` is set."""
        return hub_client(
            self.settings,
            {self.base_url: self.token},
            limits=self.limits,
            note=self.progress.note,
            timing=Timing() if stop is None else Timing(sleep=_sleeper(stop)),
        )


@dataclass(slots=True)
class Run:
    """A run under way. ``stop`` ends the waits of ``client``."""

    access: Access
    client: HubClient
    catalog: Catalog
    stop: threading.Event
    told: HubRun
    _published: int = field(default=0, init=False)

    def rest(self, is_waiting: bool) -> None:
        """A page was stored; ``is_waiting``: the next one is not here yet. Indexes words now and then, so
        that a long crawl can be searched while it runs, and has little left to do at its end."""
        waiting = self.told.crawl.taken.models - self._published
        if waiting >= (_SPARE_TIME if is_waiting else _MOST_UNPUBLISHED):
            learn_models(self.catalog, RecordReport())
            self.publish()
            self._published = self.told.crawl.taken.models

    def publish(self) -> None:
        """Index the words of what changed."""
        self.told.published += publish_text(self.catalog, self.access.settings, self.access.progress)

    def finish(self) -> None:
        """Make searchable what was stored, whatever became of the crawl; fetch previews if they are
        wanted."""
        catalog, settings, progress = self.catalog, self.access.settings, self.access.progress
        read_records(catalog, settings, progress)
        self.publish()
        if self.access.previews:
            with self.access.client() as client:
                self.told.previews = fetch_previews(catalog, settings, client, progress)
        elif not self.told.crawl.taken.linked:
            return
        # Pictures of files that were found at the hub stand under the hub's version now.
        encoders = active_encoders(settings, progress, download=True)
        if self.told.previews and self.told.previews.fetched:
            read_records(catalog, settings, progress)
            self.told.embedded = embed_pictures(catalog, settings, encoders, progress).embedded
            self.publish()
        publish_vectors(catalog, settings, encoders, progress)


@contextmanager
def running(access: Access) -> Iterator[Run]:
    """Open client and catalog for one run, and finish it: a ``HubError`` of the body is told in the report.

    Raises ``UsageError`` for an address or token that cannot be used, ``CatalogError`` when the catalog
    cannot be written.
    """
    stop = threading.Event()
    with (
        access.client(stop) as client,
        writing(access.settings) as catalog,
        telling(access.settings, f"Asking {urlsplit(access.base_url).hostname}", access.progress) as progress,
    ):
        access = replace(access, progress=progress)
        run = Run(access, client, catalog, stop, HubRun(CrawlReport(access.source, access.base_url)))
        try:
            yield run
        except HubError as error:
            run.told.crawl.end(error)
        run.finish()


def _sleeper(stop: threading.Event) -> Callable[[float], None]:
    def sleep(seconds: float) -> None:
        if stop.wait(seconds):
            raise Stopping("stopping", "The run is ending.")

    return sleep
