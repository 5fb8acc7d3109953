"""Server-sent events of a state that is looked at (HTML standard, server-sent events)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
from fastapi.responses import StreamingResponse

__all__ = ["events"]

_LONGEST = 600.0
"""Seconds after which a stream ends; the browser then asks again by itself."""


def events(look: Callable[[], tuple[Any, bool]], tick: float) -> StreamingResponse:
    """``progress`` events whenever ``look`` answers something new, ``tick`` seconds between two looks; with
    its second value an ``end`` event and the stream's end."""
    return StreamingResponse(
        _told(look, tick),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _told(look: Callable[[], tuple[Any, bool]], tick: float) -> AsyncIterator[bytes]:
    last: Any = None
    for number in range(int(_LONGEST / tick)):
        state, ended = await asyncio.to_thread(look)
        if ended:
            yield _event("end", state)
            return
        if number == 0 or state != last:
            yield _event("progress", state)
            last = state
        await asyncio.sleep(tick)


def _event(name: str, told: Any) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps(told))
