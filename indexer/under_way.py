"""What the processes of a home are doing now: each tells it in a small file, for the page to show.

A file is held under a lock while its process works, so one that was killed is told from one that is slow.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import mkstemp

import orjson

from indexer.progress import Progress, Stage
from indexer.settings import Settings

__all__ = ["Work", "telling", "under_way"]

_FOLDER = "working"
_PAUSE = 0.5
"""Seconds between two tellings of the same stage."""
_RECORD = 1_024
"""Bytes of a record, blanks at its end: a shorter one then leaves nothing of a longer one behind."""
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Work:
    """``what`` is being done, in words; the stage's ``title``, and ``done`` of ``total`` ``unit`` (None: not
    known). ``since`` is the Unix time of its begin in seconds."""

    what: str
    title: str = ""
    unit: str = ""
    done: int = 0
    total: int | None = None
    since: float = 0.0


class _Telling:
    """A ``Progress`` that tells what another is told."""

    def __init__(self, progress: Progress, what: str, descriptor: int) -> None:
        self._progress = progress
        self._work = Work(what[:_LONGEST], since=time.time())
        self._descriptor = descriptor
        self._last = 0.0
        self.write(self._work, now=True)

    @contextmanager
    def stage(self, title: str, unit: str, total: int | None) -> Iterator[Stage]:
        """See ``Progress.stage``."""
        with self._progress.stage(title, unit, total) as stage:
            counted = _Counted(
                self, stage, replace(self._work, title=title[:_LONGEST], unit=unit, total=total)
            )
            counted.tell(now=True)
            yield counted

    def note(self, text: str) -> None:
        """See ``Progress.note``."""
        self._progress.note(text)

    def write(self, work: Work, *, now: bool = False) -> None:
        """Put it into the file, unless that was done a moment ago. A full disk shows stale figures."""
        moment = time.monotonic()
        if now or moment - self._last >= _PAUSE:
            self._last = moment
            with suppress(OSError):
                os.pwrite(self._descriptor, orjson.dumps(asdict(work)).ljust(_RECORD), 0)


class _Counted:
    def __init__(self, telling: _Telling, stage: Stage, work: Work) -> None:
        self._telling = telling
        self._stage = stage
        self._work = work
        self._done = 0

    def advance(self, count: int = 1) -> None:
        """See ``Stage.advance``."""
        self._stage.advance(count)
        self._done += count
        self.tell()

    def tell(self, *, now: bool = False) -> None:
        """Tell how far it is."""
        self._telling.write(replace(self._work, done=self._done), now=now)


@contextmanager
def telling(settings: Settings, what: str, progress: Progress) -> Iterator[Progress]:
    """A ``Progress`` that also tells ``under_way`` what is being done. Where the home cannot hold its file,
    the work goes on untold."""
    folder = settings.home / _FOLDER
    try:
        folder.mkdir(exist_ok=True)
        descriptor, name = mkstemp(".json", dir=folder)
    except OSError:
        yield progress
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield _Telling(progress, what, descriptor)
    finally:
        with suppress(OSError):
            Path(name).unlink()
        os.close(descriptor)


def under_way(settings: Settings) -> list[Work]:
    """What is being done by this machine's processes on this home, longest first."""
    try:
        paths = list((settings.home / _FOLDER).glob("*.json"))
    except OSError:
        return []
    found = [work for path in paths if (work := _read(path)) is not None]
    return sorted(found, key=lambda work: work.since)


def _read(path: Path) -> Work | None:
    """The record, None where nobody holds it any more; such a file is taken away."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:  # it has just ended
        return None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return Work(**orjson.loads(os.pread(descriptor, _RECORD, 0)))
        # Nobody holds it: its process was killed, or is between making it and holding it.
        if time.time() - os.fstat(descriptor).st_mtime > 1:
            path.unlink(missing_ok=True)
        return None
    except (OSError, ValueError, TypeError):  # half written, or not ours
        return None
    finally:
        os.close(descriptor)
