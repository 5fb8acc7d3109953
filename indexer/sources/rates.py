"""Manners towards a host: how often, how long to wait when it asks for that, when to leave it alone.

``Retry-After``: RFC 9110 section 10.2.3. ``RateLimit: "name";r=0;t=87``: the IETF httpapi rate-limit draft,
as Hugging Face sends it. Waits are measured on a monotonic clock; a host's date is only compared with its own
``Date``.
"""

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from indexer.sources.http_errors import Fault
from indexer.sources.http_records import Limits, Timing

__all__ = ["Circuit", "Hosts", "Pace", "asked_wait"]

_SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
_REMAINING = re.compile(r";\s*r=([0-9]{1,12})(?![0-9])")
_RESET = re.compile(r";\s*t=([0-9]{1,12})(?![0-9])")
_MOST_HOSTS = 1_000


class Pace:
    """A token bucket: ``per_second`` requests on average, at most one second's worth saved up."""

    def __init__(self, per_second: float, now: float) -> None:
        self._interval = 1.0 / per_second
        self._saved = max(0.0, 1.0 - self._interval)
        self._next = now

    def reserve(self, now: float) -> float:
        """Take the next turn; how many seconds to wait for it."""
        turn = max(self._next, now - self._saved)
        self._next = turn + self._interval
        return max(0.0, turn - now)

    def hold(self, until: float) -> None:
        """No turn before this time."""
        self._next = max(self._next, until)


class Circuit:
    """Opens after ``failures`` requests in a row that failed or that all found nothing.

    ``misses`` counts answers "not found" in a row: a hub that lost its database answers so for everything.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.misses = 0
        self._failures = 0
        self._until = float("-inf")
        self._opened = 0

    def left(self, now: float) -> float:
        """Seconds for which it stays open; 0 when requests may pass."""
        return max(0.0, self._until - now)

    def answered(self) -> None:
        """The host gave something useful."""
        self.misses = self._failures = self._opened = 0

    def failed(self, now: float) -> None:
        """A request failed for good."""
        self._failures += 1
        self._open_from(self._failures, now)

    def missed(self, now: float) -> bool:
        """A request found nothing; True where that is no longer believed."""
        self.misses += 1
        return self._open_from(self.misses, now)

    def _open_from(self, count: int, now: float) -> bool:
        if count < self._limits.failures:
            return False
        pause = min(self._limits.cooldown * 2**self._opened, self._limits.backoff_cap)
        self._opened = min(self._opened + 1, 16)
        self._until = now + pause
        return True


class Hosts:
    """Pace and circuit of every host, by ``host:port``; safe to share between threads."""

    def __init__(self, per_second: float, limits: Limits, timing: Timing) -> None:
        self._per_second = per_second
        self._limits = limits
        self._timing = timing
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[Pace, Circuit]] = OrderedDict()

    def turn(self, host: str) -> float:
        """Wait until a request to this host may be sent; the seconds waited. Raises ``Fault``
        (``circuit_open``)."""
        with self._lock:
            pace, circuit = self._of(host)
            now = self._timing.clock()
            left = circuit.left(now)
            wait = 0.0 if left else pace.reserve(now)
        if left:
            raise Fault("circuit_open", "it failed too often in a row", wait=left)
        if wait:
            self._timing.sleep(wait)
        return wait

    def hold(self, host: str, seconds: float) -> None:
        """Send nothing to this host for so long."""
        with self._lock:
            self._of(host)[0].hold(self._timing.clock() + seconds)

    def answered(self, host: str) -> None:
        """The host gave something useful."""
        with self._lock:
            self._of(host)[1].answered()

    def failed(self, host: str) -> None:
        """A request to this host failed for good."""
        with self._lock:
            self._of(host)[1].failed(self._timing.clock())

    def missed(self, host: str) -> bool:
        """A request to this host found nothing; True where that is no longer believed."""
        with self._lock:
            return self._of(host)[1].missed(self._timing.clock())

    def misses(self, host: str) -> int:
        """Answers "not found" in a row, so far."""
        with self._lock:
            return self._of(host)[1].misses

    def _of(self, host: str) -> tuple[Pace, Circuit]:
        if host not in self._known:
            self._known[host] = Pace(self._per_second, self._timing.clock()), Circuit(self._limits)
        self._known.move_to_end(host)
        if len(self._known) > _MOST_HOSTS:
            self._known.popitem(last=False)
        return self._known[host]


def asked_wait(headers: Mapping[str, str], longest: float) -> float | None:
    """Seconds for which an answer asks to be left alone, at most ``longest``; None where it says nothing
    usable."""
    waits = [*_retry_after(headers), *_rate_limit(headers.get("ratelimit", ""))]
    return min(max(waits), longest) if waits else None


def _retry_after(headers: Mapping[str, str]) -> list[float]:
    text = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(text):
        seconds = float(text)
    elif until := _date(text):
        now = _date(headers.get("date", ""))
        seconds = until - (time.time() if now is None else now)
    else:
        return []
    return [seconds] if seconds > 0 else []


def _date(text: str) -> float | None:
    try:
        found: datetime = parsedate_to_datetime(text)
        return found.timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _rate_limit(text: str) -> list[float]:
    waits = []
    for policy in text[:4096].split(","):
        left, reset = _REMAINING.search(policy), _RESET.search(policy)
        if left and reset and int(left[1]) == 0 and int(reset[1]) > 0:
            waits.append(float(reset[1]))
    return waits
