"""A body into a file: beside its place first, under a budget, hashed on the way, renamed when it is whole."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx

from indexer.errors import TemporaryError
from indexer.sources.http_body import body_parts, media_type
from indexer.sources.http_errors import Fault
from indexer.sources.http_records import Fetched

__all__ = ["save_body"]


def save_body(response: httpx.Response, target: Path, limit: int, types: frozenset[str]) -> Fetched:
    """Store the body at ``target``, whose folder is made when missing; nothing stays behind after a fault.

    Raises ``Fault`` (``bad_answer`` for a media type outside ``types``, ``body_size``) and ``TemporaryError``
    (``disk``) when the file cannot be written. A killed process may leave ``.*.part`` files beside.
    """
    found = media_type(response)
    if found not in types:
        raise Fault("bad_answer", f"it sent {ascii(found[:60]) if found else 'something without a type'}")
    parts = body_parts(response, limit, gzip=False)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=target.parent)
    except OSError as error:
        raise _disk(target, error) from error
    part = Path(name)
    try:
        size, sha256 = _store(parts, handle, target)
        part.replace(target)
    except OSError as error:
        raise _disk(target, error) from error
    finally:
        part.unlink(missing_ok=True)
    return Fetched(target, size, sha256, found)


def _store(parts: Iterator[bytes], handle: int, target: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with os.fdopen(handle, "wb") as file:
        for data in parts:
            digest.update(data)
            size += file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return size, digest.hexdigest()


def _disk(target: Path, error: OSError) -> TemporaryError:
    return TemporaryError(
        "disk",
        f"{target} cannot be written ({error.strerror}). Free some space or choose another home folder.",
    )
