"""Feeding one file to several digests at the speed of the processor's cores, in one pass and in fixed memory.

Each chain of digests must see the blocks in order, one at a time, but the chains need not keep step. So there
are as many threads as cores, and each takes what is most behind: reading, or any chain that nobody is at.
A thread a chain would be simpler, but with more threads than cores the blocks go cold between them: on two
cores that cost a sixth of the speed (``scripts/bench hash``).
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Condition
from typing import Protocol

__all__ = ["Digest", "OnePass"]

_BLOCK = 1 << 20
_RING = 4
"""Blocks in memory: 4 MiB, whatever the file's size, which stay in the cores' caches."""
_AHEAD = 2
"""Blocks read before the foremost chain: enough to never wait for the disk, few enough to be still warm."""
_TOLD = 1 << 22
"""Bytes between two words on progress."""


class Digest(Protocol):
    """What takes the bytes of a file, in order."""

    def update(self, data: memoryview, /) -> object:
        """Take the next bytes."""


@dataclass(slots=True, eq=False)
class _Chain:
    """Digests that are fed together. ``at``: the block it needs next; ``busy``: a thread is at it."""

    digests: Sequence[Digest]
    at: int = 0
    busy: bool = False


@dataclass(slots=True, eq=False)
class OnePass:
    """A pass over one file, for one use. ``told`` is called by the caller's thread with the bytes read since
    its last call."""

    shares: Sequence[Sequence[Digest]]
    told: Callable[[int], None] = lambda _: None
    _chains: list[_Chain] = field(init=False)
    _reader: _Chain = field(init=False, default_factory=lambda: _Chain(()))
    _blocks: list[memoryview] = field(init=False)
    _sizes: list[int] = field(init=False, default_factory=lambda: [0] * _RING)
    _turn: Condition = field(init=False, default_factory=Condition)
    _read: int = field(init=False, default=0)
    _ended: bool = field(init=False, default=False)
    _stopped: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._chains = [_Chain(share) for share in self.shares]
        self._blocks = [memoryview(bytearray(_BLOCK)) for _ in range(_RING)]

    def read(self, path: bytes) -> int:
        """Feed the file to all digests; its size in bytes. Raises ``OSError``."""
        helpers = min(len(self._chains) + 1, os.cpu_count() or 1) - 1
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            with ThreadPoolExecutor(max(helpers, 1)) as pool:
                works = [pool.submit(self._work, descriptor, own + 1) for own in range(helpers)]
                self._work(descriptor, 0)
            for work in works:
                work.result()
        finally:
            os.close(descriptor)
        return self._read

    def _work(self, descriptor: int, own: int) -> None:
        said = 0
        try:
            while (chain := self._take(own)) is not None:
                done = self._step(chain, descriptor)
                with self._turn:
                    chain.at += done
                    self._ended = self._ended or not done
                    chain.busy = False
                    self._turn.notify()
                if own == 0 and self._read - said >= _TOLD:
                    self.told(self._read - said)
                    said = self._read
        finally:
            with self._turn:  # all is done, or this thread failed and the others would wait for ever
                self._stopped = True
                self._turn.notify_all()
        if own == 0:
            self.told(self._read - said)

    def _step(self, chain: _Chain, descriptor: int) -> bool:
        """Read the chain's next block, or feed it; False if the file has no such block."""
        place = chain.at % _RING
        if chain is self._reader:
            self._sizes[place] = os.readv(descriptor, [self._blocks[place]])
            self._read += self._sizes[place]
            return self._sizes[place] > 0
        data = self._blocks[place][: self._sizes[place]]
        for digest in chain.digests:
            digest.update(data)
        return True

    def _take(self, own: int) -> _Chain | None:
        """What to do next, marked busy; None when nothing is left. Waits while others have all there is."""
        with self._turn:
            while not self._stopped:
                if (chain := self._next(own)) is not None:
                    chain.busy = True
                    return chain
                if self._ended and all(chain.at == self._reader.at for chain in self._chains):
                    return None
                self._turn.wait()
        return None

    def _next(self, own: int) -> _Chain | None:
        reader = self._reader
        places = [chain.at for chain in self._chains]
        readable = not (reader.busy or self._ended) and reader.at < min(places) + _RING
        if readable and reader.at < max(places) + _AHEAD:
            return reader
        waiting = [chain for chain in self._chains if not chain.busy and chain.at < reader.at]
        if waiting:
            mine = self._chains[own % len(self._chains)]  # its state is in this core's cache
            return min(waiting, key=lambda chain: (chain.at, chain is not mine))
        return reader if readable else None
