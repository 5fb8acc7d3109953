"""Opens strangers' files for reading: never blocks on a pipe, reads regular files only, notices changes."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from indexer.errors import BadFileError, TemporaryError

__all__ = ["READ_FLAGS", "ReadAt", "opened"]

ReadAt = Callable[[int, int], bytes]
"""``read(offset, count)`` gives exactly ``count`` bytes from ``offset``, which the caller knows to exist."""

READ_FLAGS = (
    os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
)
"""For ``os.open``: never waits for a pipe's other end, never takes a terminal, changes no byte."""


@contextmanager
def opened(path: Path | str | bytes) -> Iterator[tuple[ReadAt, int]]:
    """A reader of the file at ``path`` and its size in bytes; symbolic links are followed.

    Raises BadFileError ``not_regular_file``, and TemporaryError ``io`` or ``changed`` (the file was replaced
    or written to meanwhile).
    """
    name = os.fsdecode(path)
    try:
        handle = os.open(path, READ_FLAGS)
    except OSError as error:
        raise TemporaryError("io", f"cannot open {name!r}: {error.strerror}; check it and retry") from error
    try:
        before = os.fstat(handle)
        if not stat.S_ISREG(before.st_mode):
            raise BadFileError(
                "not_regular_file",
                f"{name!r} is a folder, pipe or device, not a file; remove it from the model folders",
            )
        yield lambda offset, count: _exactly(handle, offset, count), before.st_size
        after = os.stat(path)  # noqa: PTH116 - bytes paths are allowed
    except OSError as error:
        raise TemporaryError("io", f"cannot read {name!r}: {error.strerror}; retry later") from error
    finally:
        os.close(handle)
    if _identity(before) != _identity(after):
        raise TemporaryError("changed", f"{name!r} changed while it was read; retry when it is complete")


def _identity(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _exactly(handle: int, offset: int, count: int) -> bytes:
    parts = []
    while count:
        data = os.pread(handle, count, offset)
        if not data:
            raise TemporaryError(
                "changed", "the file became shorter while it was read; retry when it is complete"
            )
        parts.append(data)
        offset += len(data)
        count -= len(data)
    return b"".join(parts)
