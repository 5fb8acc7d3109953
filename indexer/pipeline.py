"""From folders to a searchable library: scan, hash, look at pictures, publish. Resumable at any moment.

Every stage commits small transactions keyed by natural keys, so a run that was killed is finished by the next
one, with nothing lost or doubled.
"""

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from indexer.catalog.database import Catalog, open_catalog
from indexer.catalog.lock import writer_lock
from indexer.catalog.roots import known_roots, mark_offline
from indexer.domain.found import FoundFile, Judged, Problem
from indexer.encoders import Encoders, active_encoders
from indexer.errors import CatalogError, UsageError
from indexer.indexes.vectors import VectorIndexError
from indexer.progress import Progress
from indexer.reading import judge
from indexer.settings import Settings
from indexer.sources.environment import environment_folders
from indexer.sources.libraries import Survey
from indexer.stages.adapters import AdapterReport, measure_adapters
from indexer.stages.generation import RecordReport, read_records, skip_own_changes
from indexer.stages.hashing import hash_places
from indexer.stages.pictures import PictureReport, embed_pictures
from indexer.stages.publish import publish_text, publish_vectors
from indexer.stages.scan import Judge, ScanReport
from indexer.stages.scan_roots import scan_roots
from indexer.under_way import telling

__all__ = [
    "IndexReport",
    "finish_indexing",
    "guarded",
    "index_folders",
    "rebuild_indexes",
    "writing",
]


@dataclass(slots=True)
class IndexReport:
    """What a run did."""

    scans: dict[str, ScanReport] = field(default_factory=dict)
    hashed: int = 0
    records: RecordReport = field(default_factory=RecordReport)
    pictures: PictureReport = field(default_factory=PictureReport)
    adapters: AdapterReport = field(default_factory=AdapterReport)
    published: int = 0
    vectors: int = 0


def index_folders(
    folders: Sequence[Path],
    settings: Settings,
    progress: Progress,
    *,
    hash_all: bool = False,
    surveys: dict[Path, Survey] | None = None,
) -> IndexReport:
    """Index folders, embed their previews, publish the indexes. When none is given: all known ones, and those
    that other tools' environment variables name.

    Folders outside that tools in them read models from are indexed too. ``surveys`` receives the libraries
    found in each.

    Raises ``UsageError`` for a folder that is not there, ``CatalogError`` when the catalog cannot be written.
    """
    with writing(settings) as catalog, telling(settings, "Indexing folders", progress) as progress:
        report = IndexReport()
        named = () if folders else tuple(environment_folders(settings.tool_folders))
        roots = _roots(folders, catalog, progress, may_be_none=bool(named))
        judged = guarded(settings)
        for root, scan in scan_roots(roots, catalog, settings, progress, judged, surveys, named):
            report.scans[str(root)] = scan
        return finish_indexing(report, catalog, settings, progress, hash_all=hash_all)


def finish_indexing(
    report: IndexReport,
    catalog: Catalog,
    settings: Settings,
    progress: Progress,
    *,
    hash_all: bool,
    encoders: Encoders | None = None,
) -> IndexReport:
    """After the scans of ``report``: hash, read and look at pictures, publish. Fills the report."""
    report.hashed = hash_places(catalog, progress, everything=hash_all)
    report.records = read_records(catalog, settings, progress)
    # Words are searchable before the pictures are done: those take the longest.
    report.published = publish_text(catalog, settings, progress)
    encoders = encoders or active_encoders(settings, progress, download=True)
    report.pictures = embed_pictures(catalog, settings, encoders, progress)
    report.published += publish_text(catalog, settings, progress)
    report.vectors = publish_vectors(catalog, settings, encoders, progress)
    if settings.read_weights:  # whole files are read: last, when everything else can be searched
        report.adapters = measure_adapters(catalog, progress)
        report.published += publish_text(catalog, settings, progress)
    skip_own_changes(catalog)
    return report


def rebuild_indexes(settings: Settings, progress: Progress) -> IndexReport:
    """Throw the indexes away and build them from the catalog."""
    with writing(settings) as catalog, telling(settings, "Rebuilding the indexes", progress) as progress:
        report = IndexReport()
        report.published = publish_text(catalog, settings, progress, afresh=True)
        encoders = active_encoders(settings, progress, download=True)
        report.vectors = publish_vectors(catalog, settings, encoders, progress, afresh=True)
        return report


@contextmanager
def writing(settings: Settings) -> Iterator[Catalog]:
    """The open catalog with the sole right to write, closed afterwards."""
    catalog = open_catalog(settings)
    try:
        with writer_lock(catalog, settings), _disk_faults(settings):
            yield catalog
    finally:
        catalog.close()


@contextmanager
def _disk_faults(settings: Settings) -> Iterator[None]:
    """Turn a disk that refuses what we write into ``CatalogError`` with a way out."""
    try:
        yield
    except (OSError, VectorIndexError) as error:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        advice = "Free some space" if full else "Check that disk and its permissions"
        raise CatalogError(
            "disk_full" if full else "disk_io",
            f"Writing below {settings.home} failed ({error}). {advice} and run the same command again; "
            "nothing stored so far is lost.",
        ) from error


def guarded(settings: Settings) -> Judge:
    """``judge`` that never raises."""
    return lambda found: _guarded(found, settings)


def _guarded(found: FoundFile, settings: Settings) -> Judged | Problem:
    """The one place that catches everything: a fault of ours in one file must not stop the others."""
    try:
        return judge(found, settings.unstable_seconds)
    except Exception as error:  # noqa: BLE001
        detail = (
            f"Reading it failed inside Pinakes ({type(error).__name__}: {error}). Please report this file."
        )
        return Problem(found, "internal", detail[:2_000], retry=False)


def _roots(folders: Sequence[Path], catalog: Catalog, progress: Progress, *, may_be_none: bool) -> list[Path]:
    """The folders to walk, each resolved once: a root may itself be a symbolic link."""
    if folders:
        return list(dict.fromkeys(_checked(folder) for folder in folders))
    with catalog.read() as session:
        known = known_roots(session)
    if not known and not may_be_none:
        raise UsageError("no_folder", "No folder is known yet. Name one: pinakes index FOLDER")
    present = []
    for root_id, path in known:
        if Path(path).is_dir():
            present.append(Path(path))
            continue
        progress.note(f"{path} is not there; what it holds is kept as it is. Is its disk mounted?")
        with catalog.write() as session:
            mark_offline(session, root_id)
    return present


def _checked(folder: Path) -> Path:
    resolved = folder.expanduser()
    if not resolved.exists():
        raise UsageError(
            "folder_missing", f"There is no folder {str(folder)!r}. Check its name; is its disk mounted?"
        )
    if not resolved.is_dir():
        raise UsageError("not_a_folder", f"{str(folder)!r} is a file. Name the folder that holds it.")
    try:
        str(resolved.resolve()).encode()
    except UnicodeEncodeError as error:
        raise UsageError(
            "folder_name",
            f"The name of {folder!r} is not valid UTF-8. Rename it, or index the folder above it.",
        ) from error
    return resolved.resolve()
