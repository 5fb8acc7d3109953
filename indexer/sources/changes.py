"""What changes on disk, as the system tells it (watchfiles); network disks tell nothing and are polled."""

import os
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from watchfiles import watch

__all__ = ["ChangeWatch", "Changes", "is_network"]

_NETWORK = frozenset(
    (
        *(
            "nfs",
            "nfs4",
            "cifs",
            "smb3",
            "smbfs",
            "9p",
            "afs",
            "ceph",
            "glusterfs",
            "vboxsf",
            "drvfs",
        ),
        *(
            "fuse.sshfs",
            "fuse.rclone",
            "fuse.s3fs",
            "fuse.vmhgfs-fuse",
            "fuse.glusterfs",
            "virtiofs",
            "davfs",
        ),
    )
)
"""Types of file systems on which another machine may write without this one being told."""

_GROUPED_MS = 400
_POLL_MS = 5_000
_WAKE_MS = 250


@dataclass(frozen=True, slots=True)
class Changes:
    """Paths that changed; or why nothing more will be heard (``lost``)."""

    paths: Sequence[bytes] = ()
    lost: str = ""


class ChangeWatch:
    """Watches folders with all below them, from ``__enter__`` on until the end of the context.

    ``polled`` are looked at every few seconds instead. Symbolic links are not followed.
    """

    def __init__(self, folders: Sequence[Path], polled: Sequence[Path]) -> None:
        self._queue: queue.Queue[Changes] = queue.Queue()
        self._stop = threading.Event()
        self._groups = [(paths, poll) for paths, poll in ((folders, False), (polled, True)) if paths]
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> "ChangeWatch":
        """Begin; from here on nothing is missed. Lasts about as long as listing the folders."""
        for paths, poll in self._groups:
            ready = threading.Event()
            thread = threading.Thread(target=self._listen, args=(paths, poll, ready), daemon=True)
            thread.start()
            self._threads.append(thread)
            ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=5)

    def next(self, timeout: float) -> Changes | None:
        """What happened, waiting at most ``timeout`` seconds for it."""
        try:
            return self._queue.get(timeout=timeout)
        except queue.Empty:
            return None

    def _listen(self, paths: Sequence[Path], poll: bool, ready: threading.Event) -> None:
        lost = "it ended"
        try:
            for changes in watch(
                *paths,
                watch_filter=None,
                debounce=_GROUPED_MS,
                step=50,
                stop_event=self._stop,
                rust_timeout=_WAKE_MS,
                yield_on_timeout=True,
                raise_interrupt=False,
                force_polling=poll or None,
                poll_delay_ms=_POLL_MS,
                ignore_permission_denied=True,
            ):
                ready.set()
                if changes:
                    self._queue.put(Changes([os.fsencode(path) for _, path in changes]))
        except (OSError, RuntimeError) as error:  # the number of watches is limited; a folder vanished
            lost = str(error)
        ready.set()
        if not self._stop.is_set():
            self._queue.put(Changes(lost=lost))


def is_network(path: Path) -> bool:
    """Whether a folder lies on a disk that other machines write to (Linux: by ``/proc/mounts``)."""
    try:
        lines = Path("/proc/mounts").read_text("utf-8", "replace").splitlines()
    except OSError:
        return False
    best, kind = "", ""
    for line in lines:
        words = line.split(" ")
        where = words[1].replace("\\040", " ") if len(words) > 2 else ""
        if where and Path(where) in (path, *path.parents) and len(where) >= len(best):
            best, kind = where, words[2]
    return kind in _NETWORK
