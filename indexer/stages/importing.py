"""Put models that hubs publish into the catalog: from dumps, or page by page from a crawl."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from indexer.catalog import entries, hubs
from indexer.catalog.database import Catalog, Session
from indexer.domain.collector import collector_paused
from indexer.domain.hubs import HubModel, Refused
from indexer.domain.vocabulary import architecture_path, base_label
from indexer.errors import BadFileError
from indexer.parsers.civitai import parse_item
from indexer.parsers.dumps import BadLine, read_dump
from indexer.progress import Progress
from indexer.stages.generation import read_hub_words

__all__ = ["HubReport", "import_dump", "store_page"]

_BATCH = 200
_REASONS = 10
"""So many reasons of refusals are told at once; the catalog keeps all."""


@dataclass(slots=True)
class HubReport:
    """What was taken from hubs. ``images`` became previews beside those that models show; ``words`` are
    creators, tags and the hub's own words. ``unknown_labels`` counts base labels that no table maps,
    ``unknown_words`` lists the hub's words that none has; ``problems`` tells files that could not be read to
    their end; ``reasons`` are the first refusals, each a sentence."""

    items: int = 0
    models: int = 0
    versions: int = 0
    refused: int = 0
    linked: int = 0
    warnings: int = 0
    images: int = 0
    words: int = 0
    unknown_labels: Counter[str] = field(default_factory=Counter)
    unknown_words: dict[str, list[str]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)

    def refuse(self, items: Sequence[Refused]) -> None:
        """Count items that were refused, and keep the first reasons."""
        self.refused += len(items)
        self.reasons += [item.detail for item in items[: _REASONS - len(self.reasons)]]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data; unknown labels most frequent first."""
        counts = {name: getattr(self, name) for name in self.__slots__}
        return counts | {"unknown_labels": dict(self.unknown_labels.most_common())}


def import_dump(path: Path, catalog: Catalog, progress: Progress, report: HubReport) -> None:
    """Read a dump of Civitai's API into the catalog, in small transactions: it can be stopped at any time.

    Importing the same dump again changes nothing. A damaged end is noted in ``report.problems``.
    """
    with progress.stage(f"Importing {path.name}", "bytes", path.stat().st_size) as stage:
        items = read_dump(path, stage.advance)
        try:
            while batch := list(islice(items, _BATCH)):
                with collector_paused():
                    parsed = [_parsed(item, path.name) for item in batch]
                    with catalog.write() as session:
                        store_page(session, parsed, report)
        except BadFileError as error:
            report.problems[str(path)] = error.detail


def _parsed(item: Any, name: str) -> HubModel | Refused:
    if isinstance(item, BadLine):
        key = hashlib.sha256(f"{name}:{item.number}".encode()).hexdigest()[:16]
        return Refused("civitai", key, "line", f"line {item.number} of {name}: {item.detail}")
    return parse_item(item, nameless=True)


def store_page(session: Session, parsed: Sequence[HubModel | Refused], report: HubReport) -> None:
    """Store one page of a hub, good and refused items alike, and recompute the entries it touches."""
    models = [item for item in parsed if isinstance(item, HubModel)]
    refused = [item for item in parsed if isinstance(item, Refused)]
    stored = hubs.store_hub_models(session, models)
    hubs.store_refused(session, refused)
    # Before the documents, which show prompts: afterwards they would be made a second time.
    read_hub_words(session, stored.versions)
    entries.refresh_entries(session, stored.versions, architecture_path)
    report.items += len(parsed)
    report.models += len(models)
    report.refuse(refused)
    report.linked += stored.linked
    report.versions += sum(len(model.versions) for model in models)
    report.warnings += sum(len(model.warnings) for model in models)
    report.unknown_labels.update(label for label in _labels(models) if base_label(label) is None)


def _labels(models: Iterable[HubModel]) -> Iterator[str]:
    for model in models:
        for version in model.versions:
            yield from (c.value for c in version.claims.claims if c.name == "base_label")
