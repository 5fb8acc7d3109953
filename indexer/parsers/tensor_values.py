"""Reads the values of tensors out of a safetensors file, one at a time: bounded, and never by mapping it.

A mapped file that another program cuts short kills the reader; a read answers with fewer bytes, and that is
an error like others. Values come as float32 whatever the file holds.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from math import prod
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from indexer.domain.header import Header
from indexer.errors import TemporaryError
from indexer.parsers.opening import READ_FLAGS

__all__ = ["MOST_VALUES", "TensorReader"]

MOST_VALUES: Final = 48 << 20
"""Values read at once; the largest factor of any adapter is a fraction of that."""

_BLOCK: Final = 4 << 20
_Values = NDArray[np.float32]


def _bf16(raw: bytes) -> _Values:
    return (np.frombuffer(raw, "<u2").astype("<u4") << np.uint32(16)).view("<f4")


def _plain(dtype: str) -> Callable[[bytes], _Values]:
    def decode(raw: bytes) -> _Values:
        with np.errstate(over="ignore"):
            return np.frombuffer(raw, dtype).astype(np.float32, copy=False)

    return decode


def _eight_bits(exponent: int, mantissa: int, infinite: bool) -> _Values:
    """All 256 values of an 8-bit float (OCP 8-bit Floating Point Specification, revision 1.0)."""
    codes = np.arange(256)
    top, low = (codes >> mantissa) & ((1 << exponent) - 1), codes & ((1 << mantissa) - 1)
    bias = (1 << (exponent - 1)) - 1
    values = np.where(
        top == 0, low * 2.0 ** (1 - bias - mantissa), (1 + low / (1 << mantissa)) * 2.0 ** (top - bias)
    )
    if infinite:
        values = np.where(top == (1 << exponent) - 1, np.where(low == 0, np.inf, np.nan), values)
    else:
        values = np.where((codes & 127) == 127, np.nan, values)
    return np.where(codes > 127, -values, values).astype(np.float32)


_HALVES: Final[_Values] = np.arange(1 << 16, dtype="<u2").view("<f2").astype(np.float32)
"""All 65,536 halves: looking them up takes half the time of numpy's conversion."""


def _f16(raw: bytes) -> _Values:
    return _HALVES.take(np.frombuffer(raw, "<u2"))


_E4M3, _E5M2 = _eight_bits(4, 3, False), _eight_bits(5, 2, True)
_DECODERS: Final[Mapping[str, tuple[int, Callable[[bytes], _Values]]]] = {
    "F64": (8, _plain("<f8")),
    "F32": (4, _plain("<f4")),
    "F16": (2, _f16),
    "BF16": (2, _bf16),
    "F8_E4M3": (1, lambda raw: _E4M3[np.frombuffer(raw, np.uint8)]),
    "F8_E5M2": (1, lambda raw: _E5M2[np.frombuffer(raw, np.uint8)]),
}


class TensorReader:
    """The open file behind a checked header. Raises ``TemporaryError`` (``io``, ``changed``)."""

    def __init__(self, path: Path | str | bytes, header: Header) -> None:
        self._header = header
        self._name = os.fsdecode(path)
        try:
            self._handle = os.open(path, READ_FLAGS)
        except OSError as error:
            raise self._failed(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._handle)

    def shape(self, name: str) -> tuple[int, ...] | None:
        """The tensor's shape; ``None`` where it is absent or of a type that is not read."""
        entry = self._header.tensors.get(name)
        if entry is None or entry["dtype"] not in _DECODERS:
            return None
        start, end = entry["data_offsets"]
        size = prod(entry["shape"]) * _DECODERS[entry["dtype"]][0]
        if not 0 <= start <= end <= self._header.data_size or end - start != size:
            return None
        return tuple(entry["shape"])

    def position(self, name: str) -> int:
        """Where the tensor begins, in bytes from the start of the data section."""
        return self._header.tensors[name]["data_offsets"][0]

    def read(self, name: str) -> _Values | None:
        """The tensor, or ``None`` where it is not read: absent, another type, beyond ``MOST_VALUES``."""
        shape = self.shape(name)
        if shape is None or prod(shape) > MOST_VALUES:
            return None
        return self._values(name, 0, prod(shape)).reshape(shape)

    def rows(self, name: str) -> Iterator[_Values]:
        """The tensor as a matrix (first axis against all others), a few million values at a time."""
        shape = self.shape(name)
        if not shape or not prod(shape) or prod(shape[1:]) > MOST_VALUES:
            return
        wide = prod(shape[1:])
        step = max(1, _BLOCK // wide)
        for first in range(0, shape[0], step):
            count = min(step, shape[0] - first)
            yield self._values(name, first * wide, count * wide).reshape(count, wide)

    def _values(self, name: str, first: int, count: int) -> _Values:
        """So many values from the first; a stretch of nothing is not decoded."""
        entry = self._header.tensors[name]
        size, decode = _DECODERS[entry["dtype"]]
        offset = self._header.data_start + entry["data_offsets"][0] + first * size
        raw = self._exactly(offset, count * size)
        return decode(raw) if np.frombuffer(raw, np.uint8).any() else np.zeros(count, np.float32)

    def _exactly(self, offset: int, count: int) -> bytes:
        parts = []
        try:
            os.lseek(self._handle, offset, os.SEEK_SET)
            while count and (data := os.read(self._handle, count)):
                parts.append(data)
                count -= len(data)
        except OSError as error:
            raise self._failed(error) from error
        if count:
            raise TemporaryError(
                "changed", f"{self._name!r} became shorter while it was read; retry when it is complete"
            )
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _failed(self, error: OSError) -> TemporaryError:
        return TemporaryError("io", f"cannot read {self._name!r}: {error.strerror}; check it and retry")
