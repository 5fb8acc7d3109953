"""Batches side by side on a CPU: as many threads as cores, each of which computes alone.

torch spreads every operation over all cores and waits for the slowest, hundreds of times a batch, in a loop
that burns the others. Decoders take parts of cores all the time, so everything waits for them: two threads on
two busy cores cost 2.5 times the CPU seconds of two lanes (ViT-B-32 in int8). Torch comes in as an argument.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

__all__ = ["Lanes"]

Item = TypeVar("Item")
Result = TypeVar("Result")


class Lanes:
    """``count`` threads, started with the first work; on a GPU one, while the caller goes on."""

    def __init__(self, torch: Any, count: int, *, on_cpu: bool) -> None:
        self.count = count
        self._torch = torch
        self._on_cpu = on_cpu
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None

    def begin(self, work: Callable[[Item], Result], items: Sequence[Item]) -> list[Future[Result]]:
        """Start ``work`` on each of ``items``, after what was begun before; the caller goes on."""
        pool = self._threads()
        return [pool.submit(work, item) for item in items]

    def each(self, work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """``work`` of each of ``items``, in their order; a single one is done here, with all cores."""
        if len(items) < 2:
            return [work(item) for item in items]
        return [future.result() for future in self.begin(work, items)]

    def _threads(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None:
                self._pool = self._started() if self._on_cpu else ThreadPoolExecutor(self.count, "lane")
            return self._pool

    def _started(self) -> ThreadPoolExecutor:
        """All threads at once: what one of them sets for itself becomes the default of threads to come, here
        and in a server, until it is set back."""
        before = self._torch.get_num_threads()
        together = threading.Barrier(self.count + 1)
        pool = ThreadPoolExecutor(self.count, "lane", self._set_out)
        for _ in range(self.count):
            pool.submit(together.wait)
        together.wait()
        self._torch.set_num_threads(before)
        return pool

    def _set_out(self) -> None:
        """A thread takes the default when it first asks for it: that must be before it is set back."""
        self._torch.set_num_threads(1)
        self._torch.get_num_threads()
