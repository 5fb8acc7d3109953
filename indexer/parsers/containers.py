"""Which container is this? By its bytes; a name only decides which reader is asked about the rest."""

import os
import re
import stat
from pathlib import Path

from indexer.errors import BadFileError

__all__ = ["sniff", "sniff_bytes"]

_LONGEST_HEADER = 100_000_000
_HEAD = 512
_TAIL = 22 + 65535  # a zip's end record with the longest comment
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08PK\x03\x04")
_END_RECORD = b"PK\x05\x06"
# How pickles begin: PROTO; or, before protocol 2, an import, or a dictionary or list and the memo.
_PICKLE = re.compile(
    rb"\x80[\x00-\x05]|\(?[ci][A-Za-z_][\w.]*\n[A-Za-z_]|\([dl]p\d|[}\])][qr]|\([}\]]?[qr]|[}\])]\.|\x93NUMPY"
)
_NAMED_PICKLE = (b".ckpt", b".pt", b".pth", b".bin", b".pkl", b".pickle", b".npy")


def sniff(path: Path | bytes) -> str:
    """``safetensors``, ``gguf``, ``pickle`` or ``zip``; ``unknown`` for anything else.

    Content decides. Only where it is no known container, a name like a checkpoint's (``.ckpt``, ``.pt`` …)
    means that the pickle reader is asked, which says what the file is instead.

    Opens without blocking, so that a pipe or device behind a model's name cannot hang the scan. Raises
    ``BadFileError`` (``not_regular_file``) for those, ``OSError`` when the file cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            name = os.fsdecode(path)
            raise BadFileError(
                "not_regular_file",
                f"{name!r} is a pipe, socket or device, not a file. Remove it from the folder.",
            )
        head = os.pread(descriptor, _HEAD, 0)
        found = sniff_bytes(head)
        if found in ("safetensors", "gguf", "zip"):
            return found
        size = os.fstat(descriptor).st_size
        found = sniff_bytes(head, os.pread(descriptor, _TAIL, max(0, size - _TAIL)))
        if found == "unknown" and os.fsencode(path).lower().endswith(_NAMED_PICKLE):
            return "pickle"
        return found
    finally:
        os.close(descriptor)


def sniff_bytes(head: bytes, tail: bytes = b"") -> str:
    """The container by its first bytes (16 tell most, 512 all) and, if given, its last 65,557.

    A safetensors file is asked for first: its header's length may well begin like a pickle. ``zip`` includes
    empty archives and those behind other bytes, ``pickle`` PyTorch's oldest files, which are tar archives,
    and numpy's arrays: their reader names what it does not read.
    """
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= _LONGEST_HEADER:
        return "safetensors"
    if head.startswith(b"GGUF"):
        return "gguf"
    if head.startswith(_ZIP_STARTS) or _ends_as_zip(tail):
        return "zip"
    if _PICKLE.match(head) or head[257:262] == b"ustar":
        return "pickle"
    return "unknown"


def _ends_as_zip(tail: bytes) -> bool:
    """Whether the last end record's comment fits what follows, and it tells of at least one entry."""
    place = tail.rfind(_END_RECORD)
    record = tail[place : place + 22] if place >= 0 else b""
    comment = int.from_bytes(record[20:22], "little")
    return len(record) == 22 and place + 22 + comment <= len(tail) and record[8:12] != bytes(4)
