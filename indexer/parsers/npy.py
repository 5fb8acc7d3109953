"""Reads the header of a numpy array file: element type and shape, never through numpy.

Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html. An array of objects carries a
pickle; which one decides the caller.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from indexer.parsers.byte_sources import Source
from indexer.parsers.pickle_findings import unreadable
from indexer.parsers.safetensors_strict import DTYPE_BITS

__all__ = ["MAGIC", "Array", "read_npy"]

MAGIC: Final = b"\x93NUMPY"
_MAX_HEADER: Final = 64 << 10
_HEADER = re.compile(
    r"\s*\{\s*'descr':\s*(?P<descr>'[^'\\]{1,64}'|\[.*\])\s*,\s*'fortran_order':\s*(?:True|False)\s*,"
    r"\s*'shape':\s*\((?P<shape>[\dL, ]{0,640})\)\s*,?\s*\}\s*",
    re.DOTALL,
)
_DTYPES: Final[Mapping[str, str]] = {
    "f8": "F64",
    "f4": "F32",
    "f2": "F16",
    "i8": "I64",
    "i4": "I32",
    "i2": "I16",
    "i1": "I8",
    "u8": "U64",
    "u4": "U32",
    "u2": "U16",
    "u1": "U8",
    "b1": "BOOL",
    "c8": "C64",
}


@dataclass(frozen=True, slots=True)
class Array:
    """``dtype`` in safetensors' spelling, None for others; data from ``begin`` to ``end`` (None: unknown)."""

    dtype: str | None
    shape: tuple[int, ...]
    objects: bool
    begin: int
    end: int | None


def read_npy(source: Source) -> Array:
    """The array that ``source`` begins with. Raises BadFileError ``unreadable:npy``."""
    first = source.read(0, 12)
    wide = first[6:7] != b"\x01"
    if not first.startswith(MAGIC) or len(first) < 12 or first[6] not in (1, 2, 3):
        raise unreadable("npy")
    size = int.from_bytes(first[8:12] if wide else first[8:10], "little")
    begin = (12 if wide else 10) + size
    if size > _MAX_HEADER or begin > source.size:
        raise unreadable("npy", f"a header of {size:,} bytes")
    match = _HEADER.fullmatch(source.read(begin - size, size).decode("latin-1"))
    if match is None:
        raise unreadable("npy")
    sizes = [part.strip().rstrip("L") for part in match["shape"].split(",")]
    if (
        any(part and not (part.isascii() and part.isdigit() and len(part) <= 18) for part in sizes)
        or len(sizes) > 33
    ):
        raise unreadable("npy", "an impossible shape")
    shape = tuple(int(part) for part in sizes if part)
    descr = match["descr"]
    dtype = _DTYPES.get(descr.strip("'").lstrip("<>|="))
    elements = 1
    for dimension in shape:
        elements = min(elements * dimension, 1 << 80)
    end = None if dtype is None else begin + elements * DTYPE_BITS[dtype] // 8
    return Array(dtype, shape, "O" in descr or "object" in descr, begin, end)
