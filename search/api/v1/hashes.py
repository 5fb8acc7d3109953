"""Hashes as clients send them: of any kind in an address, full SHA-256 in a body."""

import string
from collections.abc import Sequence
from typing import Annotated, Any

import orjson
from fastapi import Depends, Request

from search.api.v1.errors import HubError, missing, wrong

__all__ = ["Digests", "full_hashes", "hash_asked"]

_HEX = frozenset(string.hexdigits)
_LENGTHS = (8, 10, 12, 64)
"""Digits of AutoV1 and CRC-32, AutoV2, AutoV3, SHA-256 and BLAKE3."""


async def _body(request: Request) -> Any:
    try:
        return orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        raise HubError(400, "The body is not JSON; send an array of hashes.") from None


Digests = Annotated[Any, Depends(_body)]
"""A body of JSON."""


def hash_asked(text: str) -> str:
    """A hash of any kind as it is stored. Raises ``HubError`` (404, as the hub answers: to clients any other
    error is one of the server)."""
    digits = text.strip().lower().removeprefix("0x")
    if len(digits) not in _LENGTHS or not _HEX.issuperset(digits):
        lengths = ", ".join(map(str, _LENGTHS))
        raise missing(f"model version with hash {text[:70]!r}; send {lengths} hexadecimal digits")
    return digits


def full_hashes(body: Any, most: int) -> Sequence[str]:
    """SHA-256 from a body, each once. Raises ``HubError`` (400)."""
    if not isinstance(body, list):
        raise wrong("body", "Expected an array of SHA-256.", "invalid_type")
    if len(body) > most:
        raise wrong("body", f"Expected at most {most:,} hashes, received {len(body):,}.", "too_big")
    found: dict[str, None] = {}
    for place, value in enumerate(body):
        digits = value.strip().lower() if isinstance(value, str) else ""
        if len(digits) != 64 or not _HEX.issuperset(digits):
            raise wrong(f"body.{place}", "Expected a SHA-256 of 64 hexadecimal digits.", "invalid_string")
        found[digits] = None
    return list(found)
