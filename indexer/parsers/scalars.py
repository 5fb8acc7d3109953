"""Reads single numbers out of a model file: the alphas of an adapter, which headers do not hold.

Each is two to eight bytes somewhere in the data section, so the cost is the number of reads: a hundred of
them are a second on a spinning disk. Neighbours share a read, and of many only some are read, spread evenly.
"""

import math
import os
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from indexer.domain.header import Header, TensorEntry
from indexer.errors import TemporaryError
from indexer.parsers.opening import READ_FLAGS

__all__ = ["MAX_BYTES", "MAX_READS", "alpha_names", "read_scalars"]

MAX_READS: Final = 16
MAX_BYTES: Final = 64 << 10
_NEAR: Final = 4096  # bytes between two scalars that are cheaper read over than sought over
_LONGEST_RUN: Final = 16_384
_LOOKED_AT: Final = 32  # names considered for each read
_Thing = TypeVar("_Thing")
_FORMATS: Final[Mapping[str, tuple[int, str]]] = {
    "F64": (8, "<d"),
    "F32": (4, "<f"),
    "F16": (2, "<e"),
    "BF16": (2, ""),
}


class _Scalar(NamedTuple):
    start: int
    name: str
    dtype: str


def alpha_names(tensors: Iterable[str]) -> list[str]:
    """The names of tensors that hold an alpha."""
    return [name for name in tensors if name.endswith(".alpha")]


def read_scalars(
    path: Path | str | bytes,
    header: Header,
    names: Iterable[str],
    *,
    reads: int = MAX_READS,
    limit: int = MAX_BYTES,
) -> dict[str, float]:
    """The values of one-element float tensors of the file behind ``header``, by name.

    Tensors that are absent, larger, of another type or not finite are left out. Takes at most ``reads`` reads
    of at most ``limit`` bytes together; of more, evenly spread ones. Raises ``TemporaryError`` (``io``).
    """
    chosen = _spread(list(names), reads * _LOOKED_AT)
    scalars = sorted(filter(None, (_scalar(header, name) for name in chosen)))
    runs = _spread(_runs(scalars), reads)
    found: dict[str, float] = {}
    try:
        handle = os.open(path, READ_FLAGS)
        try:
            for run in runs:
                size = run[-1].start - run[0].start + 8
                limit -= size
                if limit < 0:
                    break
                data = _read_at(handle, header.data_start + run[0].start, size)
                found.update(_values(run, data))
        finally:
            os.close(handle)
    except OSError as error:
        raise TemporaryError(
            "io", f"cannot read {os.fsdecode(path)!r}: {error.strerror}; check it and retry"
        ) from error
    return found


def _read_at(handle: int, offset: int, size: int) -> bytes:
    os.lseek(handle, offset, os.SEEK_SET)
    return os.read(handle, size)


def _scalar(header: Header, name: str) -> _Scalar | None:
    entry: TensorEntry | None = header.tensors.get(name)
    if entry is None or entry["dtype"] not in _FORMATS or entry["shape"] not in ([], [1]):
        return None
    start, end = entry["data_offsets"]
    fits = start >= 0 and end <= header.data_size and end - start == _FORMATS[entry["dtype"]][0]
    return _Scalar(start, name, entry["dtype"]) if fits else None


def _runs(scalars: list[_Scalar]) -> list[list[_Scalar]]:
    """Scalars in the order of the file, those near to each other together."""
    runs: list[list[_Scalar]] = []
    for scalar in scalars:
        near = runs and scalar.start - runs[-1][-1].start <= _NEAR
        if near and scalar.start - runs[-1][0].start <= _LONGEST_RUN:
            runs[-1].append(scalar)
        else:
            runs.append([scalar])
    return runs


def _spread(things: list[_Thing], most: int) -> list[_Thing]:
    """At most ``most`` of them, evenly spread, the first and the last among them."""
    if len(things) <= most:
        return things
    last = len(things) - 1
    return [things[place * last // max(1, most - 1)] for place in range(most)]


def _values(run: list[_Scalar], data: bytes) -> Iterable[tuple[str, float]]:
    for start, name, dtype in run:
        size, form = _FORMATS[dtype]
        raw = data[start - run[0].start :][:size]
        if len(raw) < size:
            continue  # the file ends here: it changed since its header was read
        value: float = struct.unpack(form, raw)[0] if form else struct.unpack("<f", b"\0\0" + raw)[0]
        if math.isfinite(value):
            yield name, value
