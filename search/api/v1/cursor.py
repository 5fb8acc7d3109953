"""Places in a listing as opaque text: checked when they come back, nothing secret within.

A place that was made up can only begin somewhere else; so a checksum, that tells mistakes, is enough.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Any

import orjson

from search.api.v1.errors import HubError, wrong

__all__ = ["AFTER", "AT", "Cursor", "read_cursor"]

AFTER, AT = "after", "at"
_LONGEST = 500
_CHECK = 6
_TYPES = (str, str, int, float, int, int)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where to read on in a listing of one ``sort``.

    ``AFTER``: past the entry ``id`` that has ``value`` in the ``phase``-th order, ``skip`` entries of the
    same value lie before. ``AT``: at the ``skip``-th item of an answer that is made anew, which follows the
    item ``id``.
    """

    kind: str
    sort: str
    phase: int = 0
    value: float = 0.0
    id: int = 0
    skip: int = 0

    def to_text(self) -> str:
        """The place as text that can stand in an address."""
        row = [self.kind, self.sort, self.phase, float(self.value), self.id, self.skip]
        body = orjson.dumps(row)
        return base64.urlsafe_b64encode(_check(body) + body).decode().rstrip("=")


def read_cursor(text: str, sort: str) -> Cursor:
    """The place back from its text. Raises ``HubError`` (400) for a text that was not made here, or for a
    listing of another order."""
    row = _row(text)
    if row is None:
        raise _fault("It was not given by this server. Begin without one.")
    cursor = Cursor(*row)
    if cursor.sort != sort:
        raise _fault("It belongs to a listing of another order. Begin without one.")
    return cursor


def _row(text: str) -> list[Any] | None:
    if len(text) > _LONGEST or not text.isascii():
        return None
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
        row: Any = orjson.loads(data[_CHECK:]) if data[:_CHECK] == _check(data[_CHECK:]) else None
    except (binascii.Error, ValueError):
        return None
    if not isinstance(row, list) or tuple(map(type, row)) != _TYPES or row[0] not in (AFTER, AT):
        return None
    return row if all(0 <= row[n] < 2**63 for n in (2, 4, 5)) else None


def _check(body: bytes) -> bytes:
    return hashlib.blake2s(body, digest_size=_CHECK, person=b"pinakes1").digest()


def _fault(message: str) -> HubError:
    return wrong("cursor", message, "custom")
