"""Scan a root: what is new or changed is judged and stored, what is gone is marked, the rest costs a stat."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from indexer.catalog import entries, library, roots
from indexer.catalog.database import Catalog
from indexer.domain.found import FoundFile, Judged, Problem, WalkProblem
from indexer.domain.vocabulary import architecture_path
from indexer.parsers.sidecars import SIDECAR_SUFFIXES
from indexer.progress import Progress, Stage
from indexer.reading import PARSER_VERSION
from indexer.settings import Settings
from indexer.sources.folders import recognise_layout
from indexer.sources.local import walk

__all__ = ["ScanReport", "scan_root"]

Judge = Callable[[FoundFile], Judged | Problem]


@dataclass(slots=True)
class ScanReport:
    """What a scan did, in files."""

    unchanged: int = 0
    read: int = 0
    quarantined: int = 0
    postponed: int = 0
    missing: int = 0
    offline: bool = False


@dataclass(slots=True)
class _Scan:
    catalog: Catalog
    settings: Settings
    progress: Progress
    judge: Judge
    root_id: int
    report: ScanReport = field(default_factory=ScanReport)
    seen: set[int] = field(default_factory=set)
    back: list[int] = field(default_factory=list)
    unread: list[bytes] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def scan_root(
    root: Path, catalog: Catalog, settings: Settings, progress: Progress, judge: Judge
) -> ScanReport:
    """Bring the catalog up to date with one folder.

    Each batch is one transaction, so a stop at any moment loses at most the batch under way, and the next run
    takes it up. A root that is suddenly empty is taken for an unmounted disk: nothing is marked missing.
    """
    with catalog.write() as session:
        root_id = roots.open_root(session, str(root), recognise_layout(root))
    scan = _Scan(catalog, settings, progress, judge, root_id)
    with progress.stage(f"Reading {root}", "files", None) as stage:
        for group in walk(root, tuple(SIDECAR_SUFFIXES), skip=(settings.home,)):
            if isinstance(group, WalkProblem):
                _note_unread(scan, root, group)
            else:
                _sort(scan, group, stage)
        _flush(scan)
    _finish(scan, root)
    return scan.report


def _note_unread(scan: _Scan, root: Path, problem: WalkProblem) -> None:
    scan.progress.note(problem.detail)
    relative = os.path.relpath(problem.path, os.fsencode(root))
    scan.unread.append(b"" if relative == b"." else relative)


def _sort(scan: _Scan, group: list[FoundFile], stage: Stage) -> None:
    """Compare one folder with what is known; read what is new or changed."""
    with scan.catalog.read() as session:
        known = roots.known_places(session, scan.root_id, group[0].directory)
    for found in group:
        place = known.get(found.name)
        if place is not None and _unchanged(found, place):
            scan.seen.add(place.id)
            scan.report.unchanged += 1
            if place.missing:
                scan.back.append(place.id)
        else:
            _read(scan, found)
        stage.advance()


def _unchanged(found: FoundFile, place: roots.KnownPlace) -> bool:
    """Size, time, inode number and surroundings are as they were. Device numbers change at a remount."""
    return (
        not place.retry
        and place.parser == PARSER_VERSION
        and (place.size, place.mtime_ns) == (found.size, found.mtime_ns)
        and place.inode.partition(":")[2] == found.inode.partition(":")[2]
        and place.surroundings == found.surroundings
    )


def _read(scan: _Scan, found: FoundFile) -> None:
    outcome = scan.judge(found)
    if isinstance(outcome, Problem):
        scan.problems.append(outcome)
    else:
        scan.judged.append(outcome)
    if len(scan.judged) + len(scan.problems) >= scan.settings.batch_size:
        _flush(scan)


def _flush(scan: _Scan) -> None:
    """Store the batch in one transaction: places, files, verdicts, claims, previews, entries."""
    if not (scan.judged or scan.problems or scan.back):
        return
    with scan.catalog.write() as session:
        good = library.store_judged(session, scan.root_id, scan.judged, PARSER_VERSION)
        bad = library.store_problems(session, scan.root_id, scan.problems, PARSER_VERSION)
        again = entries.versions_of_files(session, roots.mark_present(session, scan.back))
        entries.refresh_entries(session, good.versions | bad.versions | again, architecture_path)
    scan.seen |= good.places | bad.places
    scan.report.read += len(scan.judged)
    scan.report.postponed += sum(problem.retry for problem in scan.problems)
    scan.report.quarantined += sum(not problem.retry for problem in scan.problems)
    for batch in (scan.judged, scan.problems, scan.back):
        batch.clear()


def _finish(scan: _Scan, root: Path) -> None:
    """Mark what the walk did not meet, unless the whole root seems to be away."""
    with scan.catalog.read() as session:
        gone = roots.unseen_places(session, scan.root_id, scan.seen, scan.unread)
    if gone and not scan.seen:
        scan.report.offline = True
        scan.progress.note(
            f"{root} holds no model any more. It is taken for an unmounted disk: nothing is marked missing."
        )
        with scan.catalog.write() as session:
            roots.mark_offline(session, scan.root_id)
        return
    if not gone and not scan.report.read and not scan.report.quarantined and scan.report.unchanged:
        return  # nothing new, nothing gone: a second run writes nothing
    with scan.catalog.write() as session:
        files = roots.mark_missing(session, gone)
        versions = entries.versions_of_files(session, files)
        entries.refresh_entries(session, versions, architecture_path)
        roots.finish_walk(session, scan.root_id, root.stat().st_dev)
    scan.report.missing = len(gone)
