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
from indexer.encoders import active_encoders
from indexer.errors import CatalogError, UsageError
from indexer.indexes.vectors import VectorIndexError
from indexer.progress import Progress
from indexer.reading import judge
from indexer.settings import Settings
from indexer.stages.hashing import hash_places
from indexer.stages.pictures import PictureReport, embed_pictures
from indexer.stages.publish import publish_text, publish_vectors
from indexer.stages.scan import ScanReport, scan_root

__all__ = ["IndexReport", "index_folders", "rebuild_indexes"]


@dataclass(slots=True)
class IndexReport:
    """What a run did."""

    scans: dict[str, ScanReport] = field(default_factory=dict)
    hashed: int = 0
    pictures: PictureReport = field(default_factory=PictureReport)
    published: int = 0
    vectors: int = 0


def index_folders(
    folders: Sequence[Path], settings: Settings, progress: Progress, *, hash_all: bool = False
) -> IndexReport:
    """Index folders (all known ones when none is given), embed their previews, publish the indexes.

    Raises ``UsageError`` for a folder that is not there, ``CatalogError`` when the catalog cannot be written.
    """
    with _writing(settings) as catalog:
        return _index(_roots(folders, catalog, progress), catalog, settings, progress, hash_all)


def _index(
    roots: Sequence[Path], catalog: Catalog, settings: Settings, progress: Progress, hash_all: bool
) -> IndexReport:
    report = IndexReport()

    def guarded(found: FoundFile) -> Judged | Problem:
        return _guarded(found, settings)

    for root in roots:
        report.scans[str(root)] = scan_root(root, catalog, settings, progress, guarded)
    report.hashed = hash_places(catalog, progress, everything=hash_all)
    # Words are searchable before the pictures are done: those take the longest.
    report.published = publish_text(catalog, settings, progress)
    encoders = active_encoders(settings, progress, download=True)
    report.pictures = embed_pictures(catalog, settings, encoders, progress)
    report.published += publish_text(catalog, settings, progress)
    report.vectors = publish_vectors(catalog, settings, encoders, progress)
    return report


def rebuild_indexes(settings: Settings, progress: Progress) -> IndexReport:
    """Throw the indexes away and build them from the catalog."""
    with _writing(settings) as catalog:
        report = IndexReport()
        report.published = publish_text(catalog, settings, progress, afresh=True)
        encoders = active_encoders(settings, progress, download=True)
        report.vectors = publish_vectors(catalog, settings, encoders, progress, afresh=True)
        return report


@contextmanager
def _writing(settings: Settings) -> Iterator[Catalog]:
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


def _guarded(found: FoundFile, settings: Settings) -> Judged | Problem:
    """The one place that catches everything: a fault of ours in one file must not stop the others."""
    try:
        return judge(found, settings.unstable_seconds)
    except Exception as error:  # noqa: BLE001
        detail = (
            f"Reading it failed inside Pinakes ({type(error).__name__}: {error}). Please report this file."
        )
        return Problem(found, "internal", detail[:2_000], retry=False)


def _roots(folders: Sequence[Path], catalog: Catalog, progress: Progress) -> list[Path]:
    """The folders to walk, each resolved once: a root may itself be a symbolic link."""
    if folders:
        return list(dict.fromkeys(_checked(folder) for folder in folders))
    with catalog.read() as session:
        known = known_roots(session)
    if not known:
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
