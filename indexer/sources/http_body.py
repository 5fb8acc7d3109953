"""Bodies of answers under a budget: read part by part, inflated by us, stopped before they grow too big.

httpx inflates whole parts at once and every encoding that is installed; a part of 64 KiB may become 64 MiB.
Only gzip is asked for and understood here (one member, no chain of encodings), in steps of 256 KiB.
"""

import zlib
from collections.abc import Iterator

import httpx

from indexer.sources.http_errors import Fault

__all__ = ["body_parts", "declared_size", "media_type", "read_body", "read_up_to"]

_STEP = 256 * 1024
_GZIP_WINDOW = 31  # zlib's name for "a gzip wrapper, any window"


def media_type(response: httpx.Response) -> str:
    """Content-Type without parameters, lower case; empty where there is none."""
    text: str = response.headers.get("content-type", "")
    return text.partition(";")[0].strip().lower()


def declared_size(response: httpx.Response) -> int | None:
    """Content-Length; None where the answer has none."""
    text = response.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else None


def _encoding(response: httpx.Response) -> str:
    found = response.headers.get("content-encoding", "").strip().lower()
    return "" if found == "identity" else found


def body_parts(response: httpx.Response, limit: int, *, gzip: bool) -> Iterator[bytes]:
    """The body, decoded; never more than ``limit`` bytes.

    Raises ``Fault``: ``body_size`` at the limit, ``bad_answer`` for an encoding nobody asked for (``range``'s
    and files' answers must have none: ``gzip`` False), ``short_body`` when compressed data is damaged or cut.
    """
    encoding = _encoding(response)
    if encoding and not (gzip and encoding in ("gzip", "x-gzip")):
        raise Fault("bad_answer", "the body has an encoding that was not asked for")
    if (declared_size(response) or 0) > limit:
        raise _too_big(limit)
    parts = _counted(response.iter_raw(), limit)
    return _counted(_inflated(parts), limit) if encoding else parts


def read_body(response: httpx.Response, limit: int) -> bytes:
    """The whole body, which may be compressed by gzip; faults as in ``body_parts``."""
    body = bytearray()
    for part in body_parts(response, limit, gzip=True):
        body += part
    return bytes(body)


def read_up_to(response: httpx.Response, size: int) -> bytes:
    """The first ``size`` bytes of an unencoded body, or all of it where it is shorter; the rest is left
    unread."""
    body = bytearray()
    for part in response.iter_raw():
        body += part
        if len(body) >= size:
            break
    return bytes(body[:size])


def _too_big(limit: int) -> Fault:
    return Fault("body_size", f"the body is larger than {limit:,} bytes")


def _counted(parts: Iterator[bytes], limit: int) -> Iterator[bytes]:
    size = 0
    for part in parts:
        size += len(part)
        if size > limit:
            raise _too_big(limit)
        yield part


def _inflated(parts: Iterator[bytes]) -> Iterator[bytes]:
    inflater = zlib.decompressobj(_GZIP_WINDOW)
    for part in parts:
        yield from _inflate(inflater, part)
    if not inflater.eof:
        raise Fault("short_body", "the compressed body broke off")


def _inflate(inflater: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    while not inflater.eof:
        try:
            out = inflater.decompress(data, _STEP)
        except zlib.error:
            raise Fault("short_body", "the compressed body is damaged") from None
        if out:
            yield out
        data = inflater.unconsumed_tail
        if not data and not inflater.eof and len(out) < _STEP:
            return
    if data or inflater.unused_data:
        raise Fault("bad_answer", "something follows the compressed body")
