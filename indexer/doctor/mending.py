"""Repairs: what can be made again from the catalog is made again. No model folder is written to.

Each step is a transaction of its own or replaces files whole, so a repair may be stopped at any moment and
run again. What only a person can mend is left, and told.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from indexer.catalog import entries, health
from indexer.catalog import health_pictures as rows
from indexer.catalog.database import Catalog, Session
from indexer.doctor.examining import Report, examine
from indexer.doctor.pictures import shelf_of, to_make_again
from indexer.domain.vocabulary import architecture_path
from indexer.encoders import active_encoders
from indexer.errors import CatalogError
from indexer.pipeline import writing
from indexer.progress import Progress, Silent
from indexer.settings import Settings
from indexer.stages.pictures import embed_pictures
from indexer.stages.publish import publish_text, publish_vectors
from indexer.stages.publish_cuts import publish_cuts
from indexer.stages.publish_gist import publish_gist

__all__ = ["mend"]

_ROUNDS = 3
"""What an older catalog hid is only seen when its tables are new: then there is more to mend."""

_PAGE = 500


def mend(settings: Settings, progress: Progress, found: Report) -> Report:
    """Mend what ``found`` tells of, look again, and answer what is left.

    Raises ``CatalogError`` when another program writes the catalog, or the disk refuses.
    """
    before, report = found, found
    for _ in range(_ROUNDS):
        wanted = report.repairs
        if not wanted:
            break
        try:
            with writing(settings) as catalog:
                _mend(catalog, settings, progress, wanted)
        except CatalogError as error:
            if error.code != "catalog_corrupt":
                raise
            break  # as it was found; only a copy of it helps
        report = examine(settings, progress)
        if report.repairs >= wanted:
            break
    bad = {finding.check for finding in before.findings if finding.repair}
    left = {finding.check for finding in report.findings if finding.state == "fault" or finding.repair}
    seconds = found.seconds + (report.seconds if report is not found else 0.0)
    return replace(report, mended=tuple(sorted(bad - left)), seconds=seconds)


def _mend(catalog: Catalog, settings: Settings, progress: Progress, wanted: frozenset[str]) -> None:
    if "reindex" in wanted and not _made_indexes_anew(catalog, progress):
        return
    _mend_books(catalog, progress, wanted)
    if "entries" in wanted:
        _make_entries(catalog, progress)
    if wanted & {"thumbnails", "spare"}:
        _mend_shelf(catalog, settings, progress, wanted)
    _make_anew(catalog, settings, progress, wanted)


def _made_indexes_anew(catalog: Catalog, progress: Progress) -> bool:
    """Whether the database is whole afterwards: nothing is built on a damaged one."""
    with progress.stage("Making the database's indexes anew", "steps", 1) as stage:
        try:
            health.make_indexes_anew(catalog)
        except CatalogError as error:
            progress.note(error.detail)
            return False
        stage.advance()
    return not health.integrity_faults(catalog)


def _mend_references(session: Session) -> None:
    health.mend_references(session)


_BOOKS: Mapping[str, tuple[str, Callable[[Session], None]]] = {
    "references": ("Mending references", _mend_references),
    "counters": ("Setting counters", health.mend_counters),
    "leases": ("Freeing leases", health.clear_leases),
    "forgotten": ("Noting files to be read again", health.read_forgotten_again),
    "vectors": ("Dropping damaged vectors", rows.drop_damaged_vectors),
}


def _mend_books(catalog: Catalog, progress: Progress, wanted: frozenset[str]) -> None:
    """Small repairs of rows, a transaction each."""
    for name, (title, act) in _BOOKS.items():
        if name in wanted:
            with progress.stage(title, "steps", 1) as stage, catalog.write() as session:
                act(session)
                stage.advance()


def _make_entries(catalog: Catalog, progress: Progress) -> None:
    with catalog.read() as session:
        ids = health.versions_without_entry(session)
    with progress.stage("Making entries", "entries", len(ids)) as stage:
        for start in range(0, len(ids), _PAGE):
            page = ids[start : start + _PAGE]
            with catalog.write() as session:
                entries.refresh_entries(session, page, architecture_path)
            stage.advance(len(page))


def _mend_shelf(catalog: Catalog, settings: Settings, progress: Progress, wanted: frozenset[str]) -> None:
    """Damaged thumbnails go, so that new ones take their place; their pictures wait for that. What belongs to
    nobody goes too."""
    shelf = shelf_of(catalog, settings, progress)
    if "thumbnails" in wanted:
        ids, unfetched = to_make_again(catalog, settings, shelf)
        for path in shelf.damaged:
            Path(path).unlink(missing_ok=True)
        with catalog.write() as session:
            rows.make_again(session, ids, unfetched)
    if "spare" in wanted:
        for path in shelf.spare:
            Path(path).unlink(missing_ok=True)


def _make_anew(catalog: Catalog, settings: Settings, progress: Progress, wanted: frozenset[str]) -> None:
    """Pictures are looked at again where they lost something; then indexes follow the catalog."""
    if "gist" in wanted:
        publish_gist(catalog, settings, progress, afresh=True)
    if "prompts" in wanted:
        settings.prompt_makers_file.unlink(missing_ok=True)
        publish_cuts(catalog, settings, progress, afresh=True)
    text_is_there = _text_can_be_written(settings, progress)
    if text_is_there:
        publish_text(catalog, settings, progress, afresh="text" in wanted)
    said = Silent()
    encoders = active_encoders(settings, said)
    if said.notes:
        return  # with other vectors than those wanted, indexes that are whole would be replaced
    if wanted & {"thumbnails", "vectors", "pictures"}:
        embed_pictures(catalog, settings, encoders, progress)
        if text_is_there:
            publish_text(catalog, settings, progress)
    for name in wanted & {"content", "style"}:
        shutil.rmtree(settings.vector_folder / name, ignore_errors=True)
    publish_vectors(catalog, settings, encoders, progress)


def _text_can_be_written(settings: Settings, progress: Progress) -> bool:
    """A server that is away hinders no other repair."""
    from indexer.indexes.text_health import look_at_text

    away = look_at_text(settings).away
    if away is not None:
        progress.note(away)
    return away is None
