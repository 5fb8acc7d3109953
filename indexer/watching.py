"""``pinakes index --watch``: after the first run stay, and pick up what changes within seconds.

Only folders that something happened in are looked at. The right to write is held while a batch is stored, and
not in between. A file that is still being written is left until it was quiet for a moment. Notifications may
be lost (a full queue, a disk that goes and comes): then, and once an hour, everything is compared.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from indexer.catalog.database import Catalog
from indexer.encoders import Encoders, active_encoders
from indexer.errors import CatalogError
from indexer.pipeline import IndexReport, finish_indexing, guarded, index_folders, writing
from indexer.progress import Progress
from indexer.settings import Settings
from indexer.sources.changes import Changes, ChangeWatch, is_network
from indexer.sources.libraries import Survey
from indexer.sources.touched import Touched
from indexer.stages.scan import scan_folders
from indexer.stages.scan_roots import scan_roots

__all__ = ["watch_folders"]

_TICK = 0.25
_LOOK = 2.0
"""Seconds between looks at whether the roots are still there."""
_RESCAN = 3_600.0
_BURST = 5_000
"""So many changes at once may have overflowed the system's queue."""

Told = Callable[[IndexReport], None]


def watch_folders(
    folders: Sequence[Path],
    settings: Settings,
    progress: Progress,
    told: Told,
    *,
    hash_all: bool = False,
    stop: threading.Event | None = None,
) -> None:
    """Index ``folders`` (all known ones when none is given), then keep catalog and indexes up to date.

    ``told`` hears the report of the first run and of each batch that changed something. Lasts until ``stop``
    is set, or until Ctrl-C, which passes through. Raises ``UsageError`` and ``CatalogError`` as
    ``index_folders`` does.
    """
    surveys: dict[Path, Survey] = {}
    told(index_folders(folders, settings, progress, hash_all=hash_all, surveys=surveys))
    watcher = _Watcher(settings, progress, told, hash_all, surveys)
    ended = stop or threading.Event()
    while not ended.is_set():
        watcher.watch(ended)


@dataclass
class _Watcher:
    settings: Settings
    progress: Progress
    told: Told
    hash_all: bool
    surveys: dict[Path, Survey]
    touched: Touched = field(default_factory=Touched)
    rescan: set[Path] = field(default_factory=set)
    encoders: Encoders | None = None
    waiting: bool = False
    polling: bool = False
    announced: frozenset[Path] = frozenset()

    def watch(self, ended: threading.Event) -> None:
        """Watch until the folders to watch change, or the watch is lost."""
        targets = self._targets()
        polled = [path for path in targets if self.polling or is_network(path)]
        with ChangeWatch([path for path in targets if path not in polled], polled) as changes:
            self.rescan |= set(self.surveys)  # what happened before the watch began
            self._announce(targets)
            there, looked, scanned = _identities(self.surveys), time.monotonic(), time.monotonic()
            while not ended.is_set():
                heard = changes.next(_TICK)
                if heard is not None and not self._hear(heard):
                    ended.wait(_LOOK)
                    return
                if self._work() and self._targets() != targets:
                    return
                now = time.monotonic()
                if now - looked > _LOOK:
                    looked = now
                    if _identities(self.surveys) != there:
                        return
                if now - scanned > _RESCAN:
                    scanned = now
                    self.rescan |= set(self.surveys)

    def _targets(self) -> list[Path]:
        """The roots that are there, and what links in them lead to outside."""
        roots = [root for root in self.surveys if root.is_dir()]
        real = (Path(os.fsdecode(path)) for found in self.surveys.values() for path in found.links)
        outside = {path for path in real if path.is_dir() and not {path, *path.parents} & {*roots}}
        return sorted({*roots, *outside})

    def _announce(self, targets: Sequence[Path]) -> None:
        if frozenset(targets) != self.announced:
            self.announced = frozenset(targets)
            named = ", ".join(map(str, targets)) or "nothing: no folder is there now"
            self.progress.note(f"Watching {named}. Ctrl-C ends it.")

    def _hear(self, changes: Changes) -> bool:
        """Note what happened; False when the watch was lost."""
        if changes.lost:
            self.progress.note(f"The watch was lost ({changes.lost}). Everything is compared again.")
            self.polling = True
            return False
        if len(changes.paths) > _BURST:
            self.rescan |= set(self.surveys)
            return True
        for path in changes.paths:
            root, shown = self._shown(path)
            if root is not None and self.touched.is_configuration(shown):
                self.rescan.add(root)
            elif root is not None and not path.startswith(os.fsencode(self.settings.home) + b"/"):
                self.touched.add(root, shown, time.monotonic())
        return True

    def _shown(self, path: bytes) -> tuple[Path | None, bytes]:
        """The root of a changed path, and the path under which a walk meets it: links are followed."""
        for root, found in self.surveys.items():
            for real, shown in found.links.items():
                if path == real or path.startswith(real + b"/"):
                    return root, shown + path[len(real) :]
        inside = [root for root in self.surveys if root in Path(os.fsdecode(path)).parents]
        return max(inside, key=lambda root: len(str(root)), default=None), path

    def _work(self) -> bool:
        """Store one batch if something is due; whether it was."""
        now = time.monotonic()
        if not self.rescan and not self.touched.due(now):
            return False
        begun = False
        try:
            with writing(self.settings) as catalog:
                begun = True
                report = self._batch(catalog, now)
        except CatalogError as error:
            if error.code != "locked":
                raise
            if not self.waiting:
                self.progress.note(f"{error} The changes wait until then.")
            self.waiting = True
            self.rescan |= set(self.surveys) if begun else set()  # what was taken is not stored
            return False
        self.waiting = False
        if _did_something(report):
            self.told(report)
        return True

    def _batch(self, catalog: Catalog, now: float) -> IndexReport:
        report = IndexReport()
        judge = guarded(self.settings)
        roots = [root for root in self.rescan if root.is_dir()]
        if roots:
            self.touched.forget(roots, now)
            for root, scan in scan_roots(roots, catalog, self.settings, self.progress, judge, self.surveys):
                report.scans[str(root)] = scan
        self.rescan.clear()
        leave = self.touched.writing(now)
        for root, starts in self.touched.take(now).items():
            scan = scan_folders(
                root, self.surveys[root], starts, catalog, self.settings, self.progress, judge, leave=leave
            )
            report.scans[str(root)] = scan
            if scan.postponed:
                self.touched.again(root, starts, now + max(1.0, self.settings.unstable_seconds))
        if not _did_something(report):
            return report
        self.encoders = self.encoders or active_encoders(self.settings, self.progress, download=True)
        return finish_indexing(
            report, catalog, self.settings, self.progress, hash_all=self.hash_all, encoders=self.encoders
        )


def _identities(roots: Sequence[Path] | dict[Path, Survey]) -> dict[Path, tuple[int, int] | None]:
    """Device and inode of each root; None for one that is not there."""
    found: dict[Path, tuple[int, int] | None] = {}
    for root in roots:
        try:
            status = root.stat()
        except OSError:
            found[root] = None
        else:
            found[root] = (status.st_dev, status.st_ino)
    return found


def _did_something(report: IndexReport) -> bool:
    scans = report.scans.values()
    return any(s.read or s.quarantined or s.moved or s.missing or s.offline or s.postponed for s in scans)
