"""What the HTTP client is told and what it gives back."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Answer", "Fetched", "Limits", "RangeAnswer", "Timing"]

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """How far the client goes. Times are in seconds, sizes in bytes after decompression.

    ``idle`` is between two parts of an answer, ``total`` one attempt with its redirects. ``obey`` is the
    longest wait that a host may ask for. ``failures`` requests in a row that fail (with all their retries),
    or that find nothing (404), open a host's circuit for ``cooldown``, doubled each time up to
    ``backoff_cap``.
    """

    connect: float = 10.0
    idle: float = 30.0
    total: float = 120.0
    body: int = 16 * MIB
    ignored_range: int = MIB
    headers: int = 256
    redirects: int = 5
    retries: int = 6
    backoff: float = 1.0
    backoff_cap: float = 600.0
    obey: float = 3600.0
    failures: int = 5
    cooldown: float = 60.0


@dataclass(frozen=True, slots=True)
class Timing:
    """The clock of waits (monotonic seconds), how to sleep, and the dice of full jitter (0 to 1)."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    dice: Callable[[], float] = random.random


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. ``fresh`` is False and ``value`` None where the host says: unchanged (304).

    ``url`` is the one that was asked for. ``headers`` (lower case) holds what callers may need of them.
    """

    value: Any
    url: str
    status: int
    etag: str | None
    last_modified: str | None
    headers: Mapping[str, str] = field(default_factory=dict)
    fresh: bool = True


@dataclass(frozen=True, slots=True)
class RangeAnswer:
    """Bytes from a file. ``total`` is the file's size and ``etag`` its version, where the host says so.

    ``data`` is shorter than asked only where the file ends.
    """

    data: bytes
    total: int | None
    etag: str | None


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that was fetched: where it lies, bytes, lower-case hex SHA-256, media type as the host says."""

    path: Path
    size: int
    sha256: str
    media_type: str
