"""Plans made behind the page: one at a time, with progress to look at and a way to stop. Finished ones are
kept for a while, so that a page can be reloaded, filtered and downloaded; memory stays bounded.
"""

import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from indexer.catalog.changes import last_number
from indexer.errors import PinakesError, TemporaryError
from search.plan_answer import Plan
from search.plan_make import PlanRequest, make_plan
from search.plan_scope import source_of, target_of
from search.query import parse_query
from search.service import Pinakes

__all__ = ["ENDED", "Identity", "PlanJobs", "PlanState", "identity_of"]

ENDED = frozenset(("done", "stopped", "failed"))
"""States in which nothing more will happen."""

_LOG = logging.getLogger("pinakes.plan")
_MOST_ITEMS = 40_000
"""Models of all kept plans together; a plan of more is kept alone."""
_MOST_WAITING = 4

Identity = tuple[str, str | None, str | None, str]
"""What makes two plans the same question: architecture, family, source, query."""


class Stopped(PinakesError):
    """A person stopped the plan."""

    def __init__(self) -> None:
        super().__init__("stopped", "The plan was stopped.")


@dataclass(frozen=True, slots=True)
class PlanState:
    """A plan as it stands. ``state`` is ``waiting``, ``running`` or one of ``ENDED``; ``done`` of ``total``
    models are planned (None: not known yet). ``plan`` is there when it is done; ``older``: the library has
    changed since."""

    identity: Identity
    state: str
    title: str = ""
    done: int = 0
    total: int | None = None
    detail: str = ""
    plan: Plan | None = None
    older: bool = False

    def to_json(self) -> dict[str, Any]:
        """What the page's script is told while it looks on."""
        return {
            "state": self.state,
            "title": self.title,
            "done": self.done,
            "total": self.total,
            "detail": self.detail,
        }


@dataclass(slots=True)
class _Job:
    """Written by the worker, read by requests; single assignments, so that no lock is needed for reading."""

    identity: Identity
    request: PlanRequest
    change: int
    state: str = "waiting"
    title: str = ""
    done: int = 0
    total: int | None = None
    detail: str = ""
    plan: Plan | None = None
    ended: float = 0.0
    stop: threading.Event = field(default_factory=threading.Event)

    def end(self, state: str, detail: str = "") -> None:
        """Nothing more will happen; the state is set last, since others go by it."""
        self.ended, self.detail = time.monotonic(), detail
        self.state = state

    def told(self, change: int) -> PlanState:
        """What others see of it; ``change`` is the catalog's number now."""
        return PlanState(
            self.identity,
            self.state,
            self.title,
            self.done,
            self.total,
            self.detail,
            self.plan,
            older=change != self.change,
        )


class _Watch:
    """A ``Progress`` that writes into a job, and leaves it when it is to stop."""

    def __init__(self, job: _Job) -> None:
        self._job = job

    @contextmanager
    def stage(self, title: str, unit: str, total: int | None) -> Iterator["_Watch"]:
        """See ``Progress.stage``."""
        self._job.title, self._job.done, self._job.total = title, 0, total
        self.advance(0)
        yield self

    def advance(self, count: int = 1) -> None:
        """See ``Stage.advance``. Raises ``Stopped``."""
        self._job.done += count
        if self._job.stop.is_set():
            raise Stopped

    def note(self, text: str) -> None:
        """See ``Progress.note``."""
        self._job.detail = text


def identity_of(request: PlanRequest) -> Identity:
    """What a request asks, however it is spelled. Raises ``UsageError`` and ``QueryError``."""
    target = target_of(request.to)
    parse_query(request.query)
    return target.architecture, target.family, source_of(request.source), " ".join(request.query.split())


class PlanJobs:
    """The plans of one server; at most ``kept`` finished ones, each for ``seconds``."""

    def __init__(self, pinakes: Pinakes, *, kept: int = 8, seconds: float = 3_600.0) -> None:
        self._pinakes, self._kept, self._seconds = pinakes, kept, seconds
        self._lock = threading.Lock()
        self._jobs: dict[Identity, _Job] = {}
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="plan")

    def state(self, identity: Identity) -> PlanState | None:
        """The plan of an identity as it stands; None where nobody asked for it, or it is no longer kept."""
        with self._lock:
            self._forget()
            job = self._jobs.get(identity)
        return None if job is None else job.told(self._change() if job.state == "done" else job.change)

    def start(self, request: PlanRequest) -> Identity:
        """Begin a plan, or join the one that is being made or was made of the same library.

        Raises ``UsageError`` and ``QueryError`` for what cannot be planned, ``TemporaryError`` when too many
        others wait.
        """
        identity, change = identity_of(request), self._change()
        with self._lock:
            self._forget()
            known = self._jobs.get(identity)
            if known is not None and (known.state not in ENDED or _is_good(known, change)):
                return identity
            if sum(job.state == "waiting" for job in self._jobs.values()) >= _MOST_WAITING:
                raise TemporaryError(
                    "busy", "Other plans are waiting to be made. Stop one of them, or ask again later."
                )
            job = _Job(identity, request, change)
            self._jobs.pop(identity, None)  # the newest stand last
            self._jobs[identity] = job
            self._worker.submit(self._run, job).add_done_callback(partial(_after, job))
        return identity

    def stop(self, identity: Identity) -> None:
        """Stop a plan that is being made or waits; of others nothing changes."""
        with self._lock:
            job = self._jobs.get(identity)
            if job is not None and job.state not in ENDED:
                job.stop.set()

    def close(self) -> None:
        """Stop all and wait for the one that is being made to notice."""
        with self._lock:
            for job in self._jobs.values():
                job.stop.set()
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _run(self, job: _Job) -> None:
        try:
            if job.stop.is_set():
                raise Stopped
            job.state = "running"
            job.plan = make_plan(self._pinakes, job.request, _Watch(job))
        except Stopped:
            job.end("stopped")
        except PinakesError as error:
            job.end("failed", error.detail)
        else:
            job.end("done")

    def _change(self) -> int:
        """The number of the catalog's last change: the same number, the same plan."""
        with self._pinakes.catalog.read() as session:
            return last_number(session, "change")

    def _forget(self) -> None:
        """Let go of what ended long ago, and of the oldest where the kept ones are too many or too large."""
        now = time.monotonic()
        ended = [job for job in self._jobs.values() if job.state in ENDED]
        items = 0
        for place, job in enumerate(sorted(ended, key=lambda job: -job.ended)):
            items += len(job.plan.items) if job.plan else 0
            old = now - job.ended > self._seconds
            if old or (place and (place >= self._kept or items > _MOST_ITEMS)):
                del self._jobs[job.identity]


def _is_good(job: _Job, change: int) -> bool:
    return job.state == "done" and job.change == change


def _after(job: _Job, future: "Future[None]") -> None:
    """Note the end; a fault of ours is told here, for nobody waits for the worker's answer."""
    if future.cancelled():
        job.end("stopped")
    elif (error := future.exception()) is not None:
        _LOG.error("planning %s failed", job.identity, exc_info=error)
        job.end("failed", "Something went wrong; the terminal of pinakes serve tells more.")
