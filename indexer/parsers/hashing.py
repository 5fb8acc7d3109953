"""All hashes that tools know a model file by, in one pass over the file.

AutoV1 is SHA-256 over 64 KiB at 1 MiB (8 digits; A1111's first model hash), AutoV2 the first 10 digits of the
whole file's SHA-256, AutoV3 the first 12 of SHA-256 over what follows a safetensors header, so that it
survives changed metadata; BLAKE3 and CRC-32 (IEEE, usual byte order) are over the whole file.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import blake3
from isal import isal_zlib

from indexer.parsers.one_pass import Digest, OnePass

__all__ = ["data_start", "hash_file"]

_V1_START, _V1_LENGTH = 1 << 20, 1 << 16
_AUTOV1_SHORTEST = 2 << 20
"""Hubs give no AutoV1 for shorter files, of which the block would be short or empty."""


@dataclass(slots=True)
class _Crc:
    value: int = 0

    def update(self, data: Any) -> None:
        self.value = isal_zlib.crc32(data, self.value)


@dataclass(slots=True)
class _Slice:
    """Feeds only the bytes from ``start`` (to ``stop``) to ``digest``."""

    digest: Any
    start: int
    stop: int | None = None
    place: int = 0

    def update(self, data: memoryview) -> None:
        begin, end = self.place, self.place + len(data)
        self.place = end
        low = max(self.start, begin)
        high = end if self.stop is None else min(self.stop, end)
        if low < high:
            self.digest.update(data[low - begin : high - begin])


def hash_file(
    path: bytes, data_start: int | None = None, told: Callable[[int], None] = lambda _: None
) -> dict[str, str]:
    """Hashes by the names of ``domain.hubs.HASH_KINDS``, lower-case hex; AutoV1 and AutoV3 where they exist.

    ``data_start`` is where the data of a safetensors file begins; None for other containers. ``told`` is
    called with the bytes read since its last call. Raises ``OSError``.
    """
    whole, tail, first = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
    blake, crc = blake3.blake3(), _Crc()
    # The others together cost less than one SHA-256.
    rest: list[Digest] = [blake, crc, _Slice(first, _V1_START, _V1_START + _V1_LENGTH)]
    tails: list[list[Digest]] = [] if data_start is None else [[_Slice(tail, data_start)]]
    size = OnePass([[whole], *tails, rest], told).read(path)
    found = {
        "sha256": whole.hexdigest(),
        "autov2": whole.hexdigest()[:10],
        "blake3": blake.hexdigest(),
        "crc32": f"{crc.value:08x}",
    }
    if size >= _AUTOV1_SHORTEST:
        found["autov1"] = first.hexdigest()[:8]
    if data_start is not None:
        found["autov3"] = tail.hexdigest()[:12]
    return found


def data_start(path: bytes) -> int:
    """Where the data of a safetensors file begins: behind the header, whose length its first 8 bytes tell.

    Raises ``OSError``.
    """
    with Path(os.fsdecode(path)).open("rb", buffering=0) as file:
        return 8 + int.from_bytes(file.read(8), "little")
