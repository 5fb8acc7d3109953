"""Scan a root: what is new or changed is judged and stored, what is gone is marked, the rest costs a stat."""

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from indexer.catalog import entries, library, roots
from indexer.catalog.database import Catalog
from indexer.catalog.moves import Twin, keep_hashes, move_places, twins
from indexer.domain.found import FoundFile, FoundPath, Judged, Problem, WalkProblem
from indexer.domain.vocabulary import architecture_path
from indexer.parsers.sidecars import SIDECAR_SUFFIXES
from indexer.progress import Progress, Stage
from indexer.reading import PARSER_VERSION
from indexer.settings import Settings
from indexer.sources.folders import recognise_layout
from indexer.sources.libraries import Elsewhere, Survey, survey
from indexer.sources.local import Start, walk
from indexer.stages.away import is_away, still_mounted
from indexer.thumbnails import store_picture

__all__ = ["Judge", "ScanReport", "scan_folders", "scan_root"]

Judge = Callable[[FoundFile], Judged | Problem]

_SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}


@dataclass(slots=True)
class ScanReport:
    """What a scan did, in files. ``moved`` ones were recognised and not read; ``elsewhere`` are folders that
    tools in this one read models from."""

    unchanged: int = 0
    read: int = 0
    quarantined: int = 0
    postponed: int = 0
    missing: int = 0
    offline: bool = False
    moved: int = 0
    elsewhere: list[Elsewhere] = field(default_factory=list)


@dataclass(slots=True)
class _Scan:
    catalog: Catalog
    settings: Settings
    progress: Progress
    judge: Judge
    root: Path
    root_id: int
    leave: Collection[bytes] = ()
    report: ScanReport = field(default_factory=ScanReport)
    met: int = 0
    seen: set[int] = field(default_factory=set)
    back: list[int] = field(default_factory=list)
    unread: list[bytes] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    moves: list[tuple[Twin, FoundFile]] = field(default_factory=list)
    hashed: list[tuple[Twin, FoundFile]] = field(default_factory=list)
    taken: set[int] = field(default_factory=set)


def scan_root(
    root: Path,
    catalog: Catalog,
    settings: Settings,
    progress: Progress,
    judge: Judge,
    *,
    named: Elsewhere | None = None,
    apart: Sequence[Path] = (),
) -> tuple[ScanReport, Survey]:
    """Bring the catalog up to date with one folder.

    Each batch is one transaction, so a stop at any moment loses at most the batch under way, and the next run
    takes it up. A root that is suddenly empty is taken for an unmounted disk: nothing is marked missing.
    ``named`` is how a tool called the folder; ``apart`` are folders in it that are roots of their own.
    Answers also which libraries were found in it.
    """
    layout, category = (named.tool, named.category) if named else (recognise_layout(root), "")
    with catalog.write() as session:
        root_id = roots.open_root(session, str(root), layout, category)
        state = roots.root_state(session, root_id)
    found = survey(root, (settings.home,), apart, state.category)
    for text in found.problems:
        progress.note(text + ("" if text.endswith((".", "?")) else "."))
    scan = _Scan(catalog, settings, progress, judge, root, root_id)
    scan.report.elsewhere = found.elsewhere()
    _walk(scan, found, None)
    _finish(scan, state)
    return scan.report, found


def scan_folders(
    root: Path,
    found: Survey,
    starts: Sequence[Start],
    catalog: Catalog,
    settings: Settings,
    progress: Progress,
    judge: Judge,
    *,
    leave: Collection[bytes] = (),
) -> ScanReport:
    """Bring the catalog up to date with a few folders of a root that was scanned before.

    ``found`` is that scan's survey; files in ``leave`` (absolute paths) are still being written and left as
    they are. A root that is away or empty is left alone.
    """
    with catalog.read() as session:
        root_id = next((id_ for id_, path in roots.known_roots(session) if path == str(root)), None)
    if root_id is None or not _holds_anything(root):
        return ScanReport(offline=True)
    scan = _Scan(catalog, settings, progress, judge, root, root_id, leave)
    _walk(scan, found, starts)
    top = os.fsencode(root)
    inside = {start: os.path.relpath(start.directory, top).removeprefix(b".") for start in starts}
    scope = roots.Scope(
        {path for start, path in inside.items() if not start.deep},
        {path for start, path in inside.items() if start.deep},
    )
    with catalog.read() as session:
        state = roots.root_state(session, root_id)
        gone = roots.unseen_places(session, root_id, scan.seen, scan.unread, scope)
    _mark_missing(scan, still_mounted(root, state, gone))
    return scan.report


def _holds_anything(root: Path) -> bool:
    try:
        return next(root.iterdir(), None) is not None
    except OSError:
        return False


def _walk(scan: _Scan, found: Survey, starts: Sequence[Start] | None) -> None:
    with scan.progress.stage(f"Reading {scan.root}", "files", None) as stage:
        skip = (scan.settings.home, *found.apart)
        for group in walk(scan.root, tuple(SIDECAR_SUFFIXES), skip, found, starts):
            if isinstance(group, WalkProblem):
                _note_unread(scan, group)
            else:
                _sort(scan, group, stage)
        _flush(scan)


def _note_unread(scan: _Scan, problem: WalkProblem) -> None:
    scan.progress.note(problem.detail)
    relative = os.path.relpath(problem.path, os.fsencode(scan.root))
    scan.unread.append(b"" if relative == b"." else relative)


def _sort(scan: _Scan, group: list[FoundFile], stage: Stage) -> None:
    """Compare one folder with what is known; read what is new or changed."""
    with scan.catalog.read() as session:
        known = roots.known_places(session, scan.root_id, group[0].directory)
        changed = [f for f in group if (p := known.get(f.name)) is None or not _unchanged(f, p)]
        same = twins(session, changed) if changed else {}
    fresh = {found.path for found in changed}
    for found in group:
        place = known.get(found.name)
        scan.met += place is not None
        if place is not None and found.path not in fresh:
            scan.seen.add(place.id)
            scan.report.unchanged += 1
            if place.missing:
                scan.back.append(place.id)
        elif found.path in scan.leave:
            scan.report.postponed += 1
            if place is not None:
                scan.seen.add(place.id)
        elif not _recognised(scan, found, same.get(found.path, []), new=place is None):
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


def _recognised(scan: _Scan, found: FoundFile, same: Sequence[Twin], *, new: bool) -> bool:
    """Whether stats alone say all: the file was moved with everything that lay beside it.

    Otherwise its header is read again; a full hash of the same bytes is kept either way.
    """
    twin = next((twin for twin in same if new and _left(scan, twin)), None)
    if twin is not None:
        scan.taken.add(twin.id)
        scan.seen.add(twin.id)
        scan.moves.append((twin, found))
        scan.met += 1
        words = (PARSER_VERSION, found.name, found.surroundings)
        if (twin.parser, twin.name, twin.surroundings) == words:
            scan.report.moved += 1
            _flush_when_full(scan)
            return True
    hashed = next((other for other in same if other.sha256), None)
    if hashed is not None:
        scan.hashed.append((hashed, found))
    return False


def _left(scan: _Scan, twin: Twin) -> bool:
    """Whether a place that held the same file holds it no more, on a disk that is here."""
    if twin.id in scan.taken or not Path(twin.root).is_dir():
        return False
    try:
        status = Path(os.fsdecode(twin.path)).stat()
    except OSError:
        return True
    return str(status.st_ino) != twin.inode


def _read(scan: _Scan, found: FoundFile) -> None:
    outcome = scan.judge(found)
    if isinstance(outcome, Problem):
        scan.problems.append(outcome)
    else:
        scan.judged.append(_with_picture(scan, outcome))
    _flush_when_full(scan)


def _with_picture(scan: _Scan, outcome: Judged) -> Judged:
    """The picture inside a file goes to the home folder and becomes its last preview."""
    if outcome.picture is None:
        return outcome
    media, content = outcome.picture
    name = store_picture(scan.settings.fetched_folder, content, _SUFFIXES[media])
    inside = FoundPath(b"header:" + os.fsencode(name), len(content), 0, original=name)
    found = replace(outcome.found, previews=(*outcome.found.previews, inside))
    return replace(outcome, found=found, picture=None)


def _flush_when_full(scan: _Scan) -> None:
    if len(scan.judged) + len(scan.problems) + len(scan.moves) >= scan.settings.batch_size:
        _flush(scan)


def _flush(scan: _Scan) -> None:
    """Store the batch in one transaction: places, files, verdicts, claims, previews, entries."""
    if not (scan.judged or scan.problems or scan.back or scan.moves):
        return
    with scan.catalog.write() as session:
        moved = move_places(session, scan.root_id, scan.moves)
        good = library.store_judged(session, scan.root_id, scan.judged, PARSER_VERSION)
        keep_hashes(session, scan.root_id, scan.hashed)
        bad = library.store_problems(session, scan.root_id, scan.problems, PARSER_VERSION)
        again = entries.versions_of_files(session, moved | roots.mark_present(session, scan.back))
        entries.refresh_entries(session, good.versions | bad.versions | again, architecture_path)
    scan.seen |= good.places | bad.places
    scan.report.read += len(scan.judged)
    scan.report.postponed += sum(problem.retry for problem in scan.problems)
    scan.report.quarantined += sum(not problem.retry for problem in scan.problems)
    for batch in (scan.judged, scan.problems, scan.back, scan.moves, scan.hashed):
        batch.clear()


def _finish(scan: _Scan, state: roots.RootState) -> None:
    """Mark what the walk did not meet, unless the whole root seems to be away."""
    report = scan.report
    with scan.catalog.read() as session:
        gone = roots.unseen_places(session, scan.root_id, scan.seen, scan.unread)
    if gone and is_away(scan.root, state, seen=len(scan.seen), met=scan.met):
        report.offline = True
        scan.progress.note(
            f"{scan.root} holds no model any more that was known. It is taken for an unmounted disk: nothing "
            "is marked missing."
        )
        with scan.catalog.write() as session:
            roots.mark_offline(session, scan.root_id)
        return
    gone = still_mounted(scan.root, state, gone) if gone else []
    changed = report.read or report.quarantined or report.moved or state.offline or not report.unchanged
    if not gone and not changed:
        return  # nothing new, nothing gone: a second run writes nothing
    _mark_missing(scan, gone)
    try:
        device = scan.root.stat().st_dev
    except OSError:
        return  # it vanished a moment ago
    with scan.catalog.write() as session:
        roots.finish_walk(session, scan.root_id, device)


def _mark_missing(scan: _Scan, gone: Sequence[roots.GonePlace]) -> None:
    if gone:
        with scan.catalog.write() as session:
            files = roots.mark_missing(session, [place.id for place in gone])
            versions = entries.versions_of_files(session, files)
            entries.refresh_entries(session, versions, architecture_path)
    scan.report.missing += len(gone)
