"""Scan several roots, and the folders outside them that tools in them read models from."""

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from indexer.catalog.database import Catalog
from indexer.catalog.roots import known_roots, named_roots
from indexer.progress import Progress
from indexer.settings import Settings
from indexer.sources.libraries import Elsewhere, Survey
from indexer.stages.scan import Judge, ScanReport, scan_root

__all__ = ["scan_roots"]


def scan_roots(
    roots: Sequence[Path],
    catalog: Catalog,
    settings: Settings,
    progress: Progress,
    judge: Judge,
    surveys: dict[Path, Survey] | None = None,
    named: Sequence[Elsewhere] = (),
) -> Iterator[tuple[Path, ScanReport]]:
    """Scan each root and what its tools name outside it; yields each as it is done.

    A folder that a tool named is a root of its own, also inside another; one below a root that somebody chose
    belongs to that. ``surveys`` receives what was found in each root. ``named`` are further folders that
    tools were told, scanned unless they lie in a root.
    """
    pending: deque[tuple[Path, Elsewhere | None]] = deque((root, None) for root in roots)
    pending.extend((o.path, o) for o in named if _is_new(o.path, roots, settings.home))
    done: set[Path] = set()
    while pending:
        root, by = pending.popleft()
        if root in done:
            continue
        done.add(root)
        with catalog.read() as session:
            apart = {Path(path) for path in named_roots(session)}
        apart |= {path for path, other in pending if other is not None and other.category}
        inner = sorted(path for path in apart if root in path.parents and path.is_dir())
        report, found = scan_root(root, catalog, settings, progress, judge, named=by, apart=inner)
        if surveys is not None:
            surveys[root] = found
        pending.extend((path, None) for path in inner if all(path != other for other, _ in pending))
        with catalog.read() as session:
            known = {Path(path) for _, path in known_roots(session)}
        pending.extend((o.path, o) for o in report.elsewhere if _is_new(o.path, known, settings.home))
        yield root, report


def _is_new(path: Path, known: Collection[Path], home: Path) -> bool:
    """Whether a folder is a root, or lies in none."""
    above = (path, *path.parents)
    return home not in above and (path in known or not any(parent in known for parent in above))
