"""Publish the gists: what move plans compare. Small changes are left to the plan, which reads them itself."""

import shutil
from collections.abc import Iterator

from indexer.catalog import changes, entries
from indexer.catalog.database import Catalog
from indexer.domain.records import Document
from indexer.indexes.gist import GistIndex, GistWriter, build_segment, open_gists
from indexer.progress import Progress
from indexer.settings import Settings
from indexer.stages.changed import changed_pages

__all__ = ["MOST_UNNOTED", "publish_gist", "read_gist"]

_SEGMENT = 10_000
MOST_UNNOTED = 1_000
"""So many entries a plan reads by itself in half a second; a segment on disk for fewer is not worth it."""
_NAME = "gist"

_Change = tuple[int, Document | None]


def publish_gist(catalog: Catalog, settings: Settings, progress: Progress, *, afresh: bool = False) -> int:
    """Write the gists of changed entries, unless they are few; answers how many were written.

    Raises ``CatalogError`` when they cannot be written.
    """
    if afresh:
        shutil.rmtree(settings.gist_folder, ignore_errors=True)
    with catalog.read() as session:
        _, detail = changes.read_watermark(session, _NAME)
        last = changes.last_number(session, "change")
    writer = GistWriter(settings.gist_folder)
    if detail.get("generation") != writer.generation or writer.seq > last:
        writer = GistWriter(settings.gist_folder, afresh=True)
    with catalog.read() as session:
        total = entries.count_entries(session, writer.seq)
    if total < MOST_UNNOTED:
        return 0
    with progress.stage("Noting what models are about", "entries", total) as stage:
        for found, seq in _read(catalog, writer.seq):
            writer.put(found, seq)
            with catalog.write() as session:
                changes.write_watermark(session, _NAME, writer.seq, {"generation": writer.generation})
            stage.advance(len(found))
    return total


def read_gist(catalog: Catalog, settings: Settings, progress: Progress) -> GistIndex:
    """The gists of all entries as they are now: what was published, and the rest read here, in memory."""
    manifest, segments = open_gists(settings.gist_folder)
    with catalog.read() as session:
        _, detail = changes.read_watermark(session, _NAME)
        last = changes.last_number(session, "change")
        if detail.get("generation") != manifest.generation or manifest.seq > last:
            manifest, segments = manifest.fresh(), []
        total = entries.count_entries(session, manifest.seq)
    if total:
        with progress.stage("Reading what models are about", "entries", total) as stage:
            for found, _ in _read(catalog, manifest.seq):
                segments.append(build_segment(found))
                stage.advance(len(found))
    return GistIndex(segments)


def _read(catalog: Catalog, after: int) -> Iterator[tuple[list[_Change], int]]:
    """What entries became since a change, a segment's worth at a time, with the number of the last."""
    found: list[_Change] = []
    for page in changed_pages(catalog, after):
        found += [(id_, document) for _, id_, document in page]
        after = page[-1][0]
        if len(found) >= _SEGMENT:
            yield found, after
            found = []
    if found:
        yield found, after
