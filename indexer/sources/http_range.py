"""Part of a file by a byte range (RFC 9110 section 14), and what to do with hosts that get ranges wrong."""

import re

import httpx

from indexer.sources.http_body import declared_size, read_up_to
from indexer.sources.http_errors import Fault
from indexer.sources.http_records import RangeAnswer

__all__ = ["range_headers", "read_range", "stated_etag"]

_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19}|\*)")
_STRONG_TAG = re.compile(r'"[\x21\x23-\x7e]*"')


def range_headers(start: int, length: int, etag: str | None) -> dict[str, str]:
    """Headers that ask for a range as it is, of the version ``etag``.

    ``If-Range`` and not ``If-Match``: hubs redirect to a storage with tags of its own, and the first host
    would refuse a tag it does not know.
    """
    headers = {"Range": f"bytes={start}-{start + length - 1}", "Accept-Encoding": "identity"}
    if etag and _STRONG_TAG.fullmatch(etag):
        headers["If-Range"] = etag
    return headers


def stated_etag(response: httpx.Response) -> str | None:
    """The answer's ETag where it can be sent back: printable ASCII, at most 256 characters."""
    etag = response.headers.get("etag", "")
    return etag if 0 < len(etag) <= 256 and etag.isascii() and etag.isprintable() else None


def read_range(
    response: httpx.Response, start: int, length: int, etag: str | None, ignored_range: int
) -> RangeAnswer:
    """The bytes of a 206 answer, or the front of a 200 answer whose host ignores ranges; the rest stays
    unread.

    Raises ``Fault``: ``changed`` when the version is another than ``etag``; ``range`` when other bytes came
    than asked, or ranges are ignored and the bytes lie beyond ``ignored_range``; ``short_body``;
    ``too_short``.
    """
    found = stated_etag(response)
    if etag and found and found != etag:
        raise Fault("changed", "it is no longer the version that was begun", response.status_code)
    if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Fault("range", "it encodes parts of files, though asked not to", response.status_code)
    if response.status_code == 200:
        return _front(response, start, length, found, ignored_range)
    total = _check_range(response, start, length)
    data = read_up_to(response, length + 1)
    expected = length if total is None else min(length, total - start)
    if len(data) > expected or (total is not None and len(data) != expected):
        raise Fault("range", f"it sent {len(data)} bytes for a range of {expected}", 206)
    return RangeAnswer(data, total, found)


def _front(
    response: httpx.Response, start: int, length: int, etag: str | None, ignored_range: int
) -> RangeAnswer:
    if start and start + length > ignored_range:
        raise Fault("range", "it does not support byte ranges", 200)
    data = read_up_to(response, start + length)
    total = declared_size(response)
    if len(data) < start + length:
        total = len(data)
    if start and start >= len(data):
        raise Fault("too_short", f"it has {len(data)} bytes", 200)
    return RangeAnswer(data[start:], total, etag)


def _check_range(response: httpx.Response, start: int, length: int) -> int | None:
    """The file's size as ``Content-Range`` says it."""
    told = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", "").strip())
    if told is None:
        raise Fault("range", "it does not say which bytes it sent", 206)
    first, last = int(told[1]), int(told[2])
    total = None if told[3] == "*" else int(told[3])
    wanted = start + length - 1 if total is None else min(start + length, total) - 1
    if first != start or last < first or last > wanted or (total is not None and last != wanted):
        raise Fault("range", f"it sent bytes {first}-{last} for {start}-{start + length - 1}", 206)
    size = declared_size(response)
    if size is not None and size != last - first + 1:
        raise Fault("range", "its length contradicts its range", 206)
    return total
