"""Writes small GGUF files, right ones from plain values and wrong ones from their pieces."""

import struct
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from indexer.parsers.gguf_tensors import tensor_types

UINT8, UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY, UINT64 = 0, 4, 5, 6, 7, 8, 9, 10
TYPES = {kind.name: (number, kind) for number, kind in tensor_types().items()}


class Raw(bytes):
    """A value written as it is: its type and its bytes."""


def string(text: str | bytes) -> bytes:
    raw = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(raw)) + raw


def raw(kind: int, data: bytes = b"") -> Raw:
    return Raw(struct.pack("<I", kind) + data)


def value(item: Any) -> bytes:
    """A value of the type that converters take for it: whole numbers are 32-bit, in lists signed."""
    if isinstance(item, Raw):
        return item
    if isinstance(item, list):
        kind, items = _array(item)
        return raw(ARRAY, struct.pack("<IQ", kind, len(item)) + items)
    kind, data = _scalar(item)
    return raw(kind, data)


def _scalar(item: Any) -> tuple[int, bytes]:
    if isinstance(item, bool):
        return BOOL, struct.pack("<B", item)
    if isinstance(item, int):
        return UINT32, struct.pack("<I", item)
    if isinstance(item, float):
        return FLOAT32, struct.pack("<f", item)
    return STRING, string(item)


def _array(items: list[Any]) -> tuple[int, bytes]:
    if items and isinstance(items[0], list):
        return ARRAY, b"".join(value(item)[4:] for item in items)
    if items and type(items[0]) is int:
        return INT32, struct.pack(f"<{len(items)}i", *items)
    kind = _scalar(items[0])[0] if items else UINT8
    return kind, b"".join(_scalar(item)[1] for item in items)


def pair(key: str | bytes, item: Any) -> bytes:
    return string(key) + value(item)


def tensor(name: str | bytes, dims: Sequence[int], number: int = 0, offset: int = 0) -> bytes:
    """A tensor's entry; ``dims`` stand fastest first, as in the file."""
    return string(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, number, offset)


def head(tensors: int, values: int, version: int = 3, magic: bytes = b"GGUF") -> bytes:
    return struct.pack("<4sIQQ", magic, version, tensors, values)


def pad(data: bytes, alignment: int = 32) -> bytes:
    return data + bytes(-len(data) % alignment)


def pieces(values: Sequence[bytes] = (), tensors: Sequence[bytes] = (), data: bytes = b"") -> bytes:
    """A file of given pairs and entries, its counts right whatever they hold."""
    return pad(head(len(tensors), len(values)) + b"".join((*values, *tensors))) + data


def gguf(
    tensors: Sequence[tuple[str, Sequence[int], str]] = (),
    values: Mapping[str, Any] | None = None,
    *,
    alignment: int = 32,
    version: int = 3,
) -> bytes:
    """A whole file of tensors ``(name, shape [out, in, ...], type)``."""
    pairs = dict(values or {})
    if alignment != 32:
        pairs["general.alignment"] = alignment
    offset, entries = 0, []
    for name, shape, type_name in tensors:
        number, kind = TYPES[type_name]
        entries.append(tensor(name, list(shape)[::-1], number, offset))
        size = prod(shape) // kind.block * kind.size
        offset += size + -size % alignment
    written = b"".join((*(pair(key, item) for key, item in pairs.items()), *entries))
    return pad(head(len(entries), len(pairs), version) + written, alignment) + bytes(offset)
