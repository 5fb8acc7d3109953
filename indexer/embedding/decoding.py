"""Previews to pixels, in worker processes that a hostile image may crash, fill or stall without harm."""

import fcntl
import itertools
import json
import os
import queue
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, BinaryIO, Self, cast

import numpy as np
from numpy.typing import NDArray

from indexer.embedding.deadlines import Deadlines
from indexer.embedding.decoder_protocol import (
    BYTES,
    PATH,
    DecodeLimits,
    ProtocolError,
    View,
    Wanted,
    limits_to_json,
    read_frame,
    wanted_to_json,
    write_frame,
)
from indexer.errors import BadFileError, TemporaryError

__all__ = ["CODES", "DecodeLimits", "Decoded", "PreviewDecoder", "Request", "Source", "View", "Wanted"]

Source = Path | bytes

CODES = {
    "too_short": "an empty file holds no image",
    "type": "not PNG, JPEG, WebP, GIF or AVIF by its content; no other decoder is exposed",
    "pixels": "more pixels than the limit: a decompression bomb, or an image too large to be a preview",
    "image_size": "more bytes than the limit: refused before it is read",
    "image_broken": "the decoder found it truncated or damaged",
    "memory": "decoding needs more memory than the worker may have",
    "timeout": "decoding took longer than the limit; the worker was killed",
    "decoder_crash": "the worker process died of it twice",
    "not_regular_file": "a folder, pipe, socket or device: reading it could block for ever",
    "no_worker": "no process could be started: temporary, since the machine is out of memory or handles",
    "missing": "no such file: temporary, since a disk may be unmounted or a download unfinished",
    "unreadable": "the system refused to open it: temporary, since permissions and disks recover",
}
TEMPORARY = frozenset({"missing", "unreadable"})  # what a worker may report
ALONE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # the workers share the cores among themselves
ENVIRONMENT = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
FACTS_BYTES, THUMBNAIL_BYTES = 1 << 16, 1 << 24
_PIPE = 1 << 20
ATTEMPTS = 2
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Request:
    """An image and what to make of it."""

    source: Source
    wanted: Wanted = field(default_factory=Wanted)


@dataclass(frozen=True, slots=True)
class Decoded:
    """One preview, with what was wanted of it; what was not is empty.

    ``rgb`` is (rows, columns, 3) uint8, longest side at most ``DecodeLimits.side`` (never enlarged), upright,
    alpha laid over white; ``width`` and ``height`` are the file's own; ``container`` is png, jpeg, webp, gif
    or avif by content; ``colour`` is the dominant one, ``#rrggbb``; ``thumbnail`` is a freshly encoded WebP
    of ``rgb`` without metadata; ``view`` is (side, side, 3) uint8; ``vectors`` are the descriptors, float32.
    """

    rgb: NDArray[np.uint8]
    width: int
    height: int
    container: str
    colour: str
    thumbnail: bytes
    view: NDArray[np.uint8] | None = None
    vectors: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)


Outcome = Decoded | BadFileError | TemporaryError
Frames = tuple[dict[str, object], bytes, bytes, bytes, bytes]


class _WorkerLost(Exception):
    """The worker ended or spoke nonsense; ``timed_out`` when we killed it ourselves."""

    def __init__(self, detail: str, timed_out: bool) -> None:
        super().__init__(detail)
        self.timed_out = timed_out


class _Worker:
    """One worker process, one image at a time."""

    def __init__(self, command: Sequence[str], limits: DecodeLimits, deadlines: Deadlines) -> None:
        self._limits, self._deadlines = limits, deadlines
        environment = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
        environment |= {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"} | ALONE
        self._process = subprocess.Popen(
            [*command, limits_to_json(limits)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
        _widen(self._process.stdout)

    def ask(self, payload: bytes, wanted: Wanted) -> Frames:
        """The answer's frames; raises ``_WorkerLost``."""
        with self._deadlines.over(self._process) as asked:
            try:
                return self._exchange(payload, wanted)
            except (OSError, ValueError, RecursionError) as error:
                code = self.close()
                raise _WorkerLost(f"{error}; exit status {code}", asked.late) from None

    def _exchange(self, payload: bytes, wanted: Wanted) -> Frames:
        stdin, stdout = cast(BinaryIO, self._process.stdin), cast(BinaryIO, self._process.stdout)
        write_frame(stdin, wanted_to_json(wanted))
        write_frame(stdin, payload)
        stdin.flush()
        facts = json.loads(read_frame(stdout, FACTS_BYTES))
        if not isinstance(facts, dict):
            raise ProtocolError("the facts are not an object")
        rgb = read_frame(stdout, 3 * self._limits.side**2)
        thumbnail = read_frame(stdout, THUMBNAIL_BYTES)
        view = read_frame(stdout, 0 if wanted.view is None else 3 * wanted.view.side**2)
        return facts, rgb, thumbnail, view, read_frame(stdout, 4 * sum(wanted.descriptors.values()))

    def close(self) -> int:
        """Kill the process, free its pipes and return its exit status (negative: the signal)."""
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:  # unsent bytes of a request it never read
                    continue
        return self._process.wait()


def _widen(pipe: IO[bytes] | None) -> None:
    """Let the pipe hold a whole answer, so that the worker goes on while its reader is busy; Linux gives
    64 KiB. A user with very many pipes may be refused: then it only waits more often."""
    if pipe is not None and hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE)


class PreviewDecoder:
    """Decodes previews in ``workers`` processes, started on first use and replaced when one is lost.

    A context manager; usable from several threads. ``command`` replaces the worker's command line (tests).
    """

    def __init__(
        self, workers: int = 1, limits: DecodeLimits | None = None, command: Sequence[str] | None = None
    ) -> None:
        self.limits = limits or DecodeLimits()
        self._count = max(1, workers)
        self._command = tuple(command or (sys.executable, "-P", "-m", "indexer.embedding.decoder_worker"))
        self._deadlines = Deadlines(self.limits.seconds)
        self._idle: queue.LifoQueue[_Worker | None] = queue.LifoQueue()
        for _ in range(self._count):
            self._idle.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the workers; the decoder can still be used and would start new ones."""
        for worker in [self._idle.get() for _ in range(self._count)]:
            if worker is not None:
                worker.close()
            self._idle.put(None)
        self._deadlines.close()

    def decode(self, source: Source, wanted: Wanted | None = None) -> Decoded:
        """Decode a file (``Path``) or an image already in memory (``bytes``).

        Raises ``BadFileError`` with one of ``CODES``, or ``TemporaryError`` (``missing``, ``unreadable``).
        """
        outcome = self._outcome(Request(source, wanted or Wanted()))
        if isinstance(outcome, Decoded):
            return outcome
        raise outcome

    def decode_many(
        self, sources: Iterable[Source | Request], ahead: int = 0
    ) -> Iterator[tuple[int, Decoded | BadFileError | TemporaryError]]:
        """``(position, outcome)`` for each source, in the order given.

        At most ``ahead`` images (at least ``4 * workers``) are asked for or wait to be taken, so that workers
        go on while the caller is busy with earlier ones, and memory stays bounded.
        """
        room = max(ahead, 4 * self._count)
        with ThreadPoolExecutor(self._count, thread_name_prefix="preview") as pool:
            pending: deque[Future[Outcome]] = deque()
            feed = (item if isinstance(item, Request) else Request(item) for item in sources)
            try:
                for position in itertools.count():
                    fresh = itertools.islice(feed, room - len(pending))
                    pending.extend(pool.submit(self._outcome, request) for request in fresh)
                    if not pending:
                        return
                    yield position, pending.popleft().result()
            finally:
                for waiting in pending:
                    waiting.cancel()

    def _outcome(self, request: Request) -> Outcome:
        source = request.source
        name = f"image of {len(source)} bytes" if isinstance(source, bytes) else str(source)
        if isinstance(source, bytes) and len(source) > self.limits.file_bytes:
            return BadFileError("image_size", f"{name}: at most {self.limits.file_bytes} are read")
        payload = BYTES + source if isinstance(source, bytes) else PATH + os.fsencode(source.absolute())
        return self._ask_twice(name, payload, request.wanted)

    def _ask_twice(self, name: str, payload: bytes, wanted: Wanted) -> Outcome:
        """A lost worker may have been killed from outside: once more in a fresh one, then blame the file."""
        detail = ""
        for _ in range(ATTEMPTS):
            worker = self._idle.get()
            try:
                worker = worker or _Worker(self._command, self.limits, self._deadlines)
                return _read_answer(name, worker.ask(payload, wanted), wanted)
            except _WorkerLost as lost:
                worker, detail = None, str(lost)
                if lost.timed_out:
                    seconds = self.limits.seconds
                    return BadFileError(
                        "timeout", f"{name}: not decoded within {seconds:g} s; look at the file"
                    )
            finally:
                self._idle.put(worker)
        return BadFileError(
            "decoder_crash", f"{name}: the decoder died of it twice ({detail}); look at the file"
        )


def _read_answer(name: str, frames: Frames, wanted: Wanted) -> Outcome:
    facts, rgb, thumbnail, view, described = frames
    code = facts.get("code")
    if isinstance(code, str) and code in CODES:
        error = TemporaryError if code in TEMPORARY else BadFileError
        return error(code, f"{name}: {facts.get('detail')}")
    sizes = [facts.get(key) for key in ("rows", "columns", "width", "height")]
    rows, columns, width, height = (value if isinstance(value, int) else 0 for value in sizes)
    vectors = np.frombuffer(described, "<f4") if len(described) % 4 == 0 else np.full(1, np.nan, "<f4")
    side = 0 if wanted.view is None else wanted.view.side
    as_wanted = (
        min(rows, columns, width, height) > 0
        and len(rgb) == (rows * columns * 3 if wanted.pixels else 0)
        and len(view) == 3 * side**2
        and len(vectors) == sum(wanted.descriptors.values())
        and bool(np.isfinite(vectors).all())
    )
    if not as_wanted:
        return BadFileError(
            "decoder_crash", f"{name}: the decoder answered with a wrong size; look at the file"
        )
    return Decoded(
        np.frombuffer(rgb, np.uint8).reshape(rows if rgb else 0, columns if rgb else 0, 3),
        width,
        height,
        str(facts.get("container")),
        str(facts.get("colour")),
        thumbnail,
        np.frombuffer(view, np.uint8).reshape(side, side, 3) if side else None,
        _parted(vectors, wanted.descriptors),
    )


def _parted(vectors: NDArray[np.float32], sizes: Mapping[str, int]) -> dict[str, NDArray[np.float32]]:
    ends = list(itertools.accumulate(sizes.values()))
    return dict(zip(sizes, np.split(vectors, ends[:-1]), strict=True)) if sizes else {}
