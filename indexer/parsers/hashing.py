"""All hashes that tools know a model file by, in one pass over the file.

AutoV1 is SHA-256 over 64 KiB at 1 MiB (8 digits; A1111's first model hash), AutoV2 the first 10 digits of the
whole file's SHA-256, AutoV3 the first 12 of SHA-256 over what follows a safetensors header, so that it
survives changed metadata; BLAKE3 and CRC-32 (IEEE, usual byte order) are over the whole file.
"""

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import blake3
from isal import isal_zlib

__all__ = ["data_start", "hash_file"]

_BLOCK = 1 << 19
_RING = 16
"""Blocks in flight: 8 MiB, whatever the file's size, which stay in the processor's cache. Fresh memory for
each block would cost as much as reading it."""
_TOLD = 1 << 22
"""Bytes between two words on progress."""
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


@dataclass(slots=True)
class _Block:
    """A piece of the file in a buffer that is used again; ``left``: lanes that are not done with it."""

    buffer: memoryview
    size: int = 0
    left: int = 0


@dataclass(slots=True)
class _Lane:
    """One thread's share of the hashes, the blocks that wait for it, and where they go when it is done."""

    parts: list[Any]
    done: SimpleQueue[_Block]
    blocks: SimpleQueue[_Block | None] = field(default_factory=SimpleQueue)

    def work(self) -> None:
        while (block := self.blocks.get()) is not None:
            try:
                data = block.buffer[: block.size]
                for part in self.parts:
                    part.update(data)
            finally:
                self.done.put(block)


def hash_file(
    path: bytes, data_start: int | None = None, told: Callable[[int], None] = lambda _: None
) -> dict[str, str]:
    """Hashes by the names of ``domain.hubs.HASH_KINDS``, lower-case hex; AutoV1 and AutoV3 where they exist.

    ``data_start`` is where the data of a safetensors file begins; None for other containers. ``told`` is
    called with the bytes read since its last call. The two SHA-256 run in threads of their own: they cost
    the most, and the other hashes together cost less than one. Raises ``OSError``.
    """
    whole, tail, first = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
    blake, crc = blake3.blake3(), _Crc()
    shares: list[list[Any]] = [[whole], [blake, crc, _Slice(first, _V1_START, _V1_START + _V1_LENGTH)]]
    if data_start is not None:
        shares.append([_Slice(tail, data_start)])
    size = _run(path, shares, told)
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


def _run(path: bytes, shares: list[list[Any]], told: Callable[[int], None]) -> int:
    """Read the file into a ring of buffers, each fed to all lanes; its size."""
    done: SimpleQueue[_Block] = SimpleQueue()
    lanes = [_Lane(parts, done) for parts in shares]
    with ThreadPoolExecutor(len(lanes)) as pool:
        works = [pool.submit(lane.work) for lane in lanes]
        try:
            size = _feed(path, lanes, done, told)
        finally:
            for lane in lanes:
                lane.blocks.put(None)
        for work in works:
            work.result()
    return size


def _feed(path: bytes, lanes: list[_Lane], done: SimpleQueue[_Block], told: Callable[[int], None]) -> int:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        free = [_Block(memoryview(bytearray(_BLOCK))) for _ in range(_RING)]
        total = unsaid = 0
        while True:
            while not free:
                block = done.get()
                block.left -= 1
                if not block.left:
                    free.append(block)
            # The buffer that was used last is still in the processor's cache.
            block = free.pop()
            block.size, block.left = os.readv(descriptor, [block.buffer]), len(lanes)
            if not block.size:
                told(unsaid)
                return total
            for lane in lanes:
                lane.blocks.put(block)
            total += block.size
            unsaid += block.size
            if unsaid >= _TOLD:
                told(unsaid)
                unsaid = 0
    finally:
        os.close(descriptor)
