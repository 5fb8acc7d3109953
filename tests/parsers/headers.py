"""Bytes of safetensors files, right and wrong, for the tests of this folder."""

import json
import struct
from collections.abc import Iterable
from typing import Any

from indexer.parsers.safetensors_strict import DTYPE_BITS

__all__ = ["compact", "entry", "file_bytes", "lay_out", "one"]


def compact(value: Any, **options: Any) -> bytes:
    """JSON as the reference writer spells it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, **options).encode()


def file_bytes(header: bytes | dict[str, Any], data: bytes | int = 0) -> bytes:
    """A whole file: length, header, data (or that many zero bytes)."""
    raw = header if isinstance(header, bytes) else compact(header)
    return struct.pack("<Q", len(raw)) + raw + (bytes(data) if isinstance(data, int) else data)


def entry(dtype: Any, shape: Any, begin: Any, end: Any) -> dict[str, Any]:
    """One tensor's entry."""
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def one(dtype: Any = "F32", shape: Any = (2, 2), begin: Any = 0, end: Any = 16, data: int = 16) -> bytes:
    """A file with the single tensor ``w``; by default a right one."""
    return file_bytes(
        {"w": entry(dtype, list(shape) if isinstance(shape, tuple) else shape, begin, end)}, data
    )


def lay_out(
    tensors: Iterable[tuple[str, str, list[int]]], metadata: dict[str, str] | None = None
) -> tuple[dict[str, Any], int]:
    """A header of ``(name, dtype, shape)`` packed without gaps, and the bytes of its data."""
    header: dict[str, Any] = {} if metadata is None else {"__metadata__": metadata}
    at = 0
    for name, dtype, shape in tensors:
        bits = DTYPE_BITS[dtype]
        for width in shape:
            bits *= width
        header[name] = entry(dtype, shape, at, at + bits // 8)
        at += bits // 8
    return header, at
