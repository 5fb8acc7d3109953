"""The tensors of a GGUF file: their entries, true shapes, and where their data lie.

Stricter than the Python package of ggml, as strict as ggml's own reader (``src/gguf.cpp``), with three
allowances that files for images and video need: names may pass 64 bytes (told), tensors need not stand in the
order of their data, and the kernel of a 3-D convolution may have five dimensions.
"""

import re
import struct
from collections.abc import Mapping
from functools import cache
from math import prod
from typing import Final, NamedTuple

from indexer.domain.header import TensorEntry
from indexer.domain.vocabulary import read_table
from indexer.errors import BadFileError
from indexer.parsers.gguf_source import U32, U64, Source
from indexer.parsers.gguf_values import Told, read_text, tell
from indexer.parsers.strict_json import shorten

__all__ = ["TensorType", "check_layout", "read_tensors", "tensor_types"]

_USUAL_NAME = 64
_LONGEST_NAME = 4096
_MOST_NAMES = 64 << 20  # bytes of all names together
_MOST_DIMENSIONS = 5
_RESTS = tuple(struct.Struct(f"<{rank}QIQ") for rank in range(_MOST_DIMENSIONS + 1))
_ORIGINAL_SHAPE: Final = "comfy.gguf.orig_shape."
_SHAPE = re.compile(r"\[[1-9][0-9]{0,9}(?:, [1-9][0-9]{0,9}){0,15}\]")
_I64 = 2**63


class TensorType(NamedTuple):
    """A row of ``gguf.toml``: ``block`` elements take ``size`` bytes."""

    name: str
    block: int
    size: int


@cache
def tensor_types() -> Mapping[int, TensorType]:
    """The types by their number in the file."""
    rows = read_table("gguf.toml")["types"]
    return {row["id"]: TensorType(row["name"], row["block"], row["bytes"]) for row in rows}


def read_tensors(
    source: Source, count: int, alignment: int, values: Mapping[str, str], told: Told
) -> dict[str, TensorEntry]:
    """``count`` tensors by name, shapes ``[out, in, ...]``, offsets from the start of the data.

    Where ComfyUI-GGUF stored a tensor reshaped to rows that its type can hold, the shape is the one that the
    metadata state, as long as it has as many elements. Raises BadFileError.
    """
    tensors: dict[str, TensorEntry] = {}
    left, total = _MOST_NAMES, 0
    for _ in range(count):
        (length,) = source.unpack(U64)
        left -= length
        name = _name(source, length if left >= 0 else _LONGEST_NAME + 1, told)
        if name in tensors:
            raise BadFileError("duplicate_name", f"tensor {shorten(name)} stands twice; save the file again")
        entry, padded = _entry(source, name, alignment, told)
        total += padded
        if total >= _I64:
            raise BadFileError("overflow", "the tensors' bytes together overflow 64 bits; download it again")
        stated = values.get(_ORIGINAL_SHAPE + name)
        if stated is not None:
            entry["shape"] = _original(name, entry["shape"], stated, told)
        tensors[name] = entry
    return tensors


def _name(source: Source, length: int, told: Told) -> str:
    if length > _LONGEST_NAME:
        detail = f"a tensor name of {length:,} bytes, or names too long together; treat the file as hostile"
        raise BadFileError("name", detail)
    name = read_text(source.take(length), "tensor name", told)
    if length > _USUAL_NAME:
        tell(told, "long_name", f"tensor name {shorten(name)} has {length} bytes; llama.cpp reads 63")
    return name


def _entry(source: Source, name: str, alignment: int, told: Told) -> tuple[TensorEntry, int]:
    """One checked entry, and the bytes it takes up to the next tensor."""
    (rank,) = source.unpack(U32)
    if rank > _MOST_DIMENSIONS:
        raise BadFileError("dims", f"tensor {shorten(name)} has {rank:,} dimensions; at most 4 are possible")
    *dims, number, offset = source.unpack(_RESTS[rank])
    kind = tensor_types().get(number)
    if kind is None:
        detail = f"tensor {shorten(name)}: type {number} is unknown, so its size is too; look for an update"
        raise BadFileError("type", detail)
    if rank == _MOST_DIMENSIONS and not (kind.block == 1 and name.endswith(".weight")):
        raise BadFileError("dims", f"tensor {shorten(name)} has 5 dimensions and is no convolution's kernel")
    size = _size(name, dims, kind, told)
    padded = size + -size % alignment
    if padded >= _I64:
        raise BadFileError("overflow", f"tensor {shorten(name)}: {size:,} bytes overflow 64 bits")
    if offset % alignment or offset >= _I64:
        detail = (
            f"tensor {shorten(name)} begins at {offset:,}, no multiple of {alignment}; save the file again"
        )
        raise BadFileError("offset", detail)
    return {"dtype": kind.name, "shape": dims[::-1], "data_offsets": [offset, offset + size]}, padded


def _size(name: str, dims: list[int], kind: TensorType, told: Told) -> int:
    """Bytes of a tensor; ``dims`` stand fastest first."""
    if dims and max(dims) >= _I64:
        raise BadFileError("shape", f"tensor {shorten(name)} has a negative size; download it again")
    count = prod(dims)
    if count == 0:
        tell(told, "zero_dim", f"tensor {shorten(name)} has no elements")
    if (count or prod(filter(None, dims))) >= _I64:
        raise BadFileError("overflow", f"tensor {shorten(name)}: its number of elements overflows 64 bits")
    if kind.block > 1 and (not dims or dims[0] % kind.block):
        detail = (
            f"tensor {shorten(name)}: rows of {dims[:1]} are no whole blocks of {kind.block} ({kind.name})"
        )
        raise BadFileError("block", detail)
    return count // kind.block * kind.size


def _original(name: str, shape: list[int], stated: str, told: Told) -> list[int]:
    """The shape that the metadata state where it can be true, else ``shape``."""
    sizes = list(map(int, stated[1:-1].split(","))) if _SHAPE.fullmatch(stated) else []
    if sizes and prod(sizes) == prod(shape):
        return sizes
    tell(told, "orig_shape", f"tensor {shorten(name)} {shape}: original shape {shorten(stated)} cannot be")
    return shape


def check_layout(tensors: Mapping[str, TensorEntry], data_size: int, alignment: int, told: Told) -> None:
    """Every tensor must lie in the ``data_size`` bytes of data and share none. Raises BadFileError."""
    at, gapless = 0, True
    spans = [(entry["data_offsets"][0], entry["data_offsets"][1], name) for name, entry in tensors.items()]
    for begin, end, name in sorted(spans):
        if begin == end:
            continue
        if begin < at:
            raise BadFileError("overlap", f"tensor {shorten(name)} begins at {begin:,}, inside another")
        if begin > at + -at % alignment:
            gapless = False
            tell(told, "hole", f"bytes {at:,} to {begin:,} before tensor {shorten(name)} are unused")
        if end > data_size:
            # Without gaps so far the file ends too early; behind a gap the offset was never true.
            code = "data_truncated" if gapless or begin < data_size else "offset"
            detail = (
                f"tensor {shorten(name)} ends at {end:,} of {data_size:,} bytes of data; download it again"
            )
            raise BadFileError(code, detail)
        at = end
    if data_size > at + -at % alignment:
        tell(told, "uncovered_bytes", f"{data_size - at:,} bytes after the last tensor belong to none")
