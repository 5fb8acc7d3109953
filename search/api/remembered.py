"""Answers that were made before, for as long as the library is as it was then.

People page to and fro, type the same words again, and several of them look at one gallery; programs poll. An
answer is known by its whole address and by who it was made for (host and scheme stand in links); it counts
while the catalog, the indexes and the day are the same, and for a minute at most.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from indexer.errors import CatalogError

__all__ = ["Remembered"]

SECONDS = 60.0
"""So long at most: what an answer depends on beside the library, such as a period that ends now."""

BYTES = 64 << 20
"""Of all bodies together; one may have an eighth of that."""

_PATHS = (
    "/",
    "/fragment/results",
    "/fragment/cards",
    "/fragment/row",
    "/fragment/works-with",
    "/fragment/why",
)
_BEGINNINGS = ("/api/search", "/api/similar", "/api/models/", "/api/v1/models", "/api/v1/model-versions/")
_CHANCE = b"random"
"""A gallery in random order is another one each time."""


@dataclass(slots=True)
class _Answer:
    state: Hashable
    until: float
    start: Message
    body: bytes


@dataclass(slots=True)
class _Taken:
    """``send`` that keeps what passes; nothing of an answer that is no success, or too large."""

    send: Send
    start: Message | None = None
    parts: list[bytes] = field(default_factory=list)
    size: int = 0
    whole: bool = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = (
                {**message, "headers": list(message["headers"])} if message["status"] == 200 else None
            )
        elif self.start is not None:
            body = message.get("body", b"")
            self.size += len(body)
            if self.size > BYTES // 8:
                self.start = None
                self.parts.clear()
            else:
                self.parts.append(body)
                self.whole = not message.get("more_body", False)
        await self.send(message)


class Remembered:
    """ASGI application around another. ``state`` tells the library's state from what it was; ``quick``: so
    fast that it need not leave the event loop."""

    def __init__(self, app: ASGIApp, state: Callable[[], Hashable], *, quick: bool) -> None:
        self._app = app
        self._state = state
        self._quick = quick
        self._kept: OrderedDict[Hashable, _Answer] = OrderedDict()
        self._size = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _may_be_kept(scope):
            await self._app(scope, receive, send)
            return
        state = await self._now()
        key = _key(scope)
        answer = self._kept.get(key)
        if (
            answer is not None
            and state is not None
            and answer.state == state
            and time.monotonic() < answer.until
        ):
            self._kept.move_to_end(key)
            await send({**answer.start, "headers": list(answer.start["headers"])})
            await send({"type": "http.response.body", "body": answer.body})
            return
        taken = _Taken(send)
        await self._app(scope, receive, taken)
        if state is not None and taken.whole and taken.start is not None:
            self._keep(key, _Answer(state, time.monotonic() + SECONDS, taken.start, b"".join(taken.parts)))

    async def _now(self) -> Hashable:
        """The library's state; None when it cannot be told: the answer will say why."""
        try:
            return self._state() if self._quick else await run_in_threadpool(self._state)
        except CatalogError:
            return None

    def _keep(self, key: Hashable, answer: _Answer) -> None:
        before = self._kept.pop(key, None)
        self._size += len(answer.body) - (len(before.body) if before else 0)
        self._kept[key] = answer
        while self._size > BYTES:
            _, oldest = self._kept.popitem(last=False)
            self._size -= len(oldest.body)


def _may_be_kept(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "GET" or _CHANCE in scope["query_string"]:
        return False
    path: str = scope["path"]
    if path.startswith("/model/"):  # a person's visit is noted
        return Headers(scope=scope).get("sec-fetch-mode") != "navigate"
    return path in _PATHS or path.startswith(_BEGINNINGS)


def _key(scope: Scope) -> tuple[Any, ...]:
    host = Headers(scope=scope).get("host", "")
    return scope["scheme"], host, scope.get("root_path", ""), scope["path"], scope["query_string"]
