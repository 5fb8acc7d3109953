"""Which container is this? By its first bytes, never by its name."""

import os
import stat
from pathlib import Path

from indexer.errors import BadFileError

__all__ = ["sniff", "sniff_bytes"]

_LONGEST_HEADER = 100_000_000
_PICKLE_PROTOCOLS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


def sniff(path: Path | bytes) -> str:
    """``safetensors``, ``gguf``, ``pickle`` or ``zip``; ``unknown`` for anything else.

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
        return sniff_bytes(os.pread(descriptor, 16, 0))
    finally:
        os.close(descriptor)


def sniff_bytes(head: bytes) -> str:
    """The container by its first 16 bytes.

    A safetensors file is asked for first: its header's length may well begin like a pickle.
    """
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= _LONGEST_HEADER:
        return "safetensors"
    if head.startswith(b"GGUF"):
        return "gguf"
    if head.startswith(b"PK\x03\x04"):
        return "zip"
    if head.startswith(_PICKLE_PROTOCOLS):
        return "pickle"
    return "unknown"
