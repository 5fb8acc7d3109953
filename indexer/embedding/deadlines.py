"""Processes that must answer in time. One thread looks at all of them: a thread for each question costs more
than the question does (0.1 ms a picture)."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Deadlines", "Watched"]

_LOOKS = 20
"""A process is killed at most this fraction of its time too late, or a quarter of a second."""


class Watched:
    """One question to a process: ``late`` once it was killed for want of an answer."""

    def __init__(self, process: subprocess.Popen[bytes], due: float) -> None:
        self.process, self.due, self.late = process, due, False


class Deadlines:
    """Kills each process whose question stays unanswered for ``seconds``. Many threads may share it."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._asked: set[Watched] = set()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def over(self, process: subprocess.Popen[bytes]) -> Iterator[Watched]:
        """While a question is put to ``process``; kills it if that takes too long."""
        asked = Watched(process, time.monotonic() + self._seconds)
        with self._lock:
            self._asked.add(asked)
            if self._thread is None:
                self._ended.clear()
                self._thread = threading.Thread(target=self._look, name="deadlines", daemon=True)
                self._thread.start()
        try:
            yield asked
        finally:
            with self._lock:
                self._asked.discard(asked)

    def close(self) -> None:
        """End the thread; the next question starts another."""
        with self._lock:
            thread, self._thread = self._thread, None
            self._ended.set()
        if thread is not None:
            thread.join()

    def _look(self) -> None:
        while not self._ended.wait(min(0.25, self._seconds / _LOOKS)):
            now = time.monotonic()
            with self._lock:
                for asked in self._asked:
                    if now >= asked.due and not asked.late:
                        asked.late = True
                        asked.process.kill()
