"""What the tests of the HTTP client share: a clock that only sleeping moves, clients for servers, caught errors."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from indexer.sources.http import HubClient, Limits, Timing
from indexer.sources.http_errors import HubError
from tests.hub_server import HubServer

__all__ = ["Clock", "client", "error_of"]

QUICK = Limits(connect=20, idle=20, total=60)


@dataclass
class Clock:
    """Seconds that pass only while somebody sleeps; ``waits`` are the sleeps of a second or more."""

    now: float = 1000.0
    waits: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if seconds >= 0.99:
            self.waits.append(round(seconds, 1))

    def timing(self, dice: float = 1.0) -> Timing:
        return Timing(lambda: self.now, self.sleep, lambda: dice)


def client(*hubs: HubServer, clock: Clock | None = None, limits: Limits = QUICK, **given: Any) -> HubClient:
    """A client that may speak to these servers."""
    timing = (clock or Clock()).timing()
    return HubClient(
        allowed_hosts=[hub.url for hub in hubs], per_second=1000, limits=limits, timing=timing, **given
    )


def error_of(work: Callable[..., object], *arguments: Any, **named: Any) -> HubError:
    """The error that a call ends with."""
    with pytest.raises(HubError) as caught:
        work(*arguments, **named)
    return caught.value
