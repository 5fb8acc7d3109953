"""How pictures were made: read previews' own texts and what hubs say of them, and link the models they name.

No pixels are decoded but those that may hide a text. A picture is read once; one that changed is read anew.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from indexer.catalog import changes, entries, generations, resources
from indexer.catalog.database import Catalog, Session
from indexer.catalog.generations import UntoldPreview
from indexer.domain.generation import GenerationRecord
from indexer.domain.vocabulary import architecture_path
from indexer.parsers.generation import record_of_civitai
from indexer.parsers.image_file import parse_image
from indexer.progress import Progress
from indexer.settings import Settings
from indexer.stages.uses import count_uses

__all__ = ["RecordReport", "learn_models", "read_hub_words", "read_records", "skip_own_changes"]

_BATCH = 500
_VERSIONS = 500
_WATERMARK = "generation"


@dataclass(slots=True)
class RecordReport:
    """What was done: pictures ``read``, of which so many ``told`` how they were made; ``linked``: models that
    earlier pictures named and that are known now."""

    read: int = 0
    told: int = 0
    linked: int = 0


def read_records(catalog: Catalog, settings: Settings, progress: Progress) -> RecordReport:
    """Read every preview that was not read yet; small transactions, so it can be stopped at any time."""
    report = RecordReport()
    learn_models(catalog, report)
    with catalog.read() as session:
        total = generations.count_untold(session)
    if not total:
        count_uses(catalog)
        return report
    last = 0
    with progress.stage("Reading how pictures were made", "pictures", total) as stage:
        while True:
            with catalog.read() as session:
                batch = generations.untold_previews(session, last, _BATCH)
            if not batch:
                break
            last = batch[-1].id
            _store(catalog, settings, batch, report)
            stage.advance(len(batch))
    count_uses(catalog)
    skip_own_changes(catalog)
    return report


def read_hub_words(session: Session, version_ids: Iterable[int]) -> None:
    """Store what hubs say of how pictures of these versions were made. Where a hub says nothing the picture
    itself is still to be read: see ``read_records``."""
    said = generations.said_by_hubs(session, version_ids)
    told = [(id_, record_of_civitai(meta.get("meta"))) for id_, meta in said.items()]
    generations.store_records(session, [(id_, record) for id_, record in told if record is not None])


def learn_models(catalog: Catalog, report: RecordReport) -> None:
    """Learn the names of models that changed since the last run, and link the pictures that name them."""
    with catalog.read() as session:
        last, _ = changes.read_watermark(session, _WATERMARK)
    while True:
        with catalog.read() as session:
            page = resources.changed_versions(session, last, _VERSIONS)
        if not page:
            return
        last = page[-1][0]
        with catalog.write() as session:
            relinked: set[int] = set()
            report.linked += resources.learn_names(session, {id_: kind for _, id_, kind in page}, relinked)
            entries.refresh_entries(session, relinked, architecture_path)
            changes.write_watermark(session, _WATERMARK, last, {})


def skip_own_changes(catalog: Catalog) -> None:
    """Note that entries changed since ``read_records`` in prompts and looks only, which name nothing: they
    need not be learned anew. Only for whoever holds the right to write since then."""
    with catalog.read() as session:
        last = changes.last_number(session, "change")
        known, _ = changes.read_watermark(session, _WATERMARK)
    if known != last:
        with catalog.write() as session:
            changes.write_watermark(session, _WATERMARK, last, {})


def _store(
    catalog: Catalog, settings: Settings, batch: Sequence[UntoldPreview], report: RecordReport
) -> None:
    told = []
    for preview in batch:
        try:
            told.append((preview.id, _record(preview, settings.fetched_folder)))
        except OSError:  # its disk is away, or it may not be read: asked again at the next run
            continue
    heard = {id_ for id_, record in told if record is not None}
    with catalog.write() as session:
        generations.store_records(session, told)
        versions = {preview.version_id for preview in batch if preview.id in heard}
        entries.refresh_entries(session, versions, architecture_path)
    report.read += len(told)
    report.told += len(heard)


def _record(preview: UntoldPreview, fetched: Path) -> GenerationRecord | None:
    """What a picture says; a hub's word about it first. Raises ``OSError`` where its file cannot be read."""
    said = record_of_civitai((preview.meta or {}).get("meta"))
    if said is not None or preview.media != "image":
        return said
    if preview.original is not None:
        return parse_image(fetched / preview.original).generation
    return parse_image(Path(os.fsdecode(preview.location))).generation if preview.is_local else None
