"""Storing what Civitai lists beside models; each page in the transaction that moves the crawl on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from indexer.catalog import entries, hub_listings, hubs
from indexer.catalog.database import Catalog, Session
from indexer.domain.hubs import HubPicture, HubWord, Refused
from indexer.domain.vocabulary import architecture_path
from indexer.parsers.civitai_listings import parse_enums
from indexer.sources.civitai import Civitai
from indexer.stages.crawling import CrawlReport
from indexer.stages.generation import read_hub_words
from indexer.stages.importing import HubReport

__all__ = ["read_enums", "store_images", "store_words"]


def store_images(
    question: Mapping[str, Any],
) -> Callable[[Session, Sequence[HubPicture | Refused], HubReport], None]:
    """How images that answer ``question`` are stored: as previews of the version or model that was asked
    for, else of all versions they were made with.

    One that no known version takes is kept among the refused (``unknown_version``).
    """
    version, model = question.get("modelVersionId"), question.get("modelId")

    def wanted(key: str) -> bool:
        of_model = model is None or key.startswith(f"civitai:{model}@")
        return of_model and (version is None or key.endswith(f"@{version}"))

    def store(session: Session, parsed: Sequence[HubPicture | Refused], report: HubReport) -> None:
        pictures = [item for item in parsed if isinstance(item, HubPicture)]
        if version is not None:
            pictures = [replace(picture, versions=(int(version),)) for picture in pictures]
        touched, homeless = hub_listings.store_pictures(session, pictures, wanted)
        read_hub_words(session, touched)
        entries.refresh_entries(session, touched, architecture_path)
        report.images += len(pictures) - len(homeless)
        _refuse(session, [*parsed, *map(_homeless, homeless)], report)
        report.items += len(parsed)

    return store


def _homeless(picture: HubPicture) -> Refused:
    made = ", ".join(map(str, picture.versions[:5])) or "none that it names"
    detail = (
        f"{picture.image.url}: no version it was made with is known here ({made}); crawl the models first"
    )
    return Refused(picture.source, picture.key, "unknown_version", detail, {"url": picture.image.url})


def store_words(session: Session, parsed: Sequence[HubWord | Refused], report: HubReport) -> None:
    """Store a page of creators or tags."""
    words = [item for item in parsed if isinstance(item, HubWord)]
    hub_listings.store_hub_words(session, words)
    report.words += len(words)
    report.items += len(parsed)
    _refuse(session, parsed, report)


def _refuse(session: Session, items: Sequence[object], report: HubReport) -> None:
    refused = [item for item in items if isinstance(item, Refused)]
    hubs.store_refused(session, refused)
    report.refuse(refused)


def read_enums(catalog: Catalog, hub: Civitai, report: CrawlReport) -> None:
    """Store the words that the hub's fields may hold; those that no table of ours has are told.

    Raises ``HubError``.
    """
    words = parse_enums(hub.enums())
    with catalog.write() as session:
        hub_listings.store_hub_words(session, words)
    report.taken.items = report.taken.words = len(words)
    for word in words:
        if not word.known:
            name = word.kind.partition(":")[2]
            report.taken.unknown_words.setdefault(name, []).append(word.name)
    report.pages, report.state = 1, "done"
