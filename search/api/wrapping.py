"""What stands around the application's ``receive`` and ``send``: limits on bodies, headers on answers."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson
from starlette.datastructures import MutableHeaders
from starlette.types import Message, Receive, Scope, Send

__all__ = ["Dressed", "Limited", "Refusal", "refuse"]

BODY_SECONDS = 20.0
"""So long may the next part of a body take; a sender that drips holds no place for ever."""

_CSP = (
    "default-src 'none'; img-src 'self' data: blob:; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: dict[str, str] = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    status: int
    code: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)
    told_as: str = "message"
    """Name of the message in the answer; Civitai's clients look for ``error``."""


async def refuse(send: Send, refusal: Refusal) -> None:
    body = orjson.dumps({"code": refusal.code, refusal.told_as: refusal.message})
    headers = {"content-type": "application/json", "content-length": str(len(body)), **refusal.headers}
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": refusal.status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


_PICTURES = {"Cross-Origin-Resource-Policy": "same-site"}
"""Clients of Civitai's API show our previews in pages of their own at another port of this machine."""


class Dressed:
    """``send`` that adds the security headers; ``bare`` leaves the body out, as HEAD wants it."""

    def __init__(self, send: Send, scope: Scope, *, private: bool) -> None:
        self._send = send
        self._headers = _HEADERS | _PICTURES if scope["path"].startswith("/api/previews/") else _HEADERS
        self._own_cache = scope["path"].startswith(("/static/", "/api/previews/"))
        self._private = private
        self.bare = scope["method"] == "HEAD"

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in self._headers.items():
                headers[name] = value
            if "cache-control" not in headers:
                headers["Cache-Control"] = "no-store" if self._private or not self._own_cache else "no-cache"
            elif self._private and not self._own_cache:
                headers["Cache-Control"] = "no-store"
        elif self.bare:
            message = {**message, "body": b""}
        await self._send(message)


class Limited:
    """``receive`` that counts bytes and seconds; past a limit the answer becomes 413 or 408."""

    def __init__(self, receive: Receive, send: Send, limit: int) -> None:
        self._receive = receive
        self._send = send
        self._left = limit
        self._whole = self._started = False
        self._fault: Refusal | None = None

    async def receive(self) -> Message:
        """The next part of the body; a disconnect when a limit is passed."""
        if self._whole:
            return await self._receive()  # now it only tells that the browser went away, whenever that is
        try:
            async with asyncio.timeout(BODY_SECONDS):
                message = await self._receive()
        except TimeoutError:
            self._fault = Refusal(408, "slow", "The body came too slowly.", {"Connection": "close"})
            return {"type": "http.disconnect"}
        self._whole = not message.get("more_body", False)
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            self._fault = Refusal(
                413, "too_large", "The body is larger than this path takes.", {"Connection": "close"}
            )
            return {"type": "http.disconnect"}
        return message

    async def send(self, message: Message) -> None:
        """Pass the answer on, or the fault's in its place."""
        if self._fault is None or self._started:
            self._started = True
            await self._send(message)
        elif message["type"] == "http.response.start":
            await refuse(self._send, self._fault)
