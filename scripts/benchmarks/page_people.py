"""People who ask a server at once, each over a connection of their own; raw sockets, since the client runs on
the cores that it measures."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

__all__ = ["Told", "visits"]

_PATIENCE = 30.0
"""Seconds after which an answer counts as a fault."""


@dataclass(slots=True)
class Told:
    """Milliseconds of every answer, sentences of what went wrong, seconds of processor that asking took."""

    walls: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    spent: float = 0.0


class _Person:
    """A connection that is kept, opened again when the server closed it."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def get(self, path: str) -> int:
        """The status of an answer whose whole body was read. Raises ``OSError``, ``ValueError`` or
        ``EOFError`` for what is no answer."""
        if self._reader is None or self._writer is None or self._reader.at_eof():
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        self._writer.write(
            f"GET {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nAccept: */*\r\n\r\n".encode()
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").lower().split("\r\n")
        length = next(int(line[15:]) for line in lines if line.startswith("content-length:"))
        await self._reader.readexactly(length)
        return int(lines[0].split(" ", 2)[1])

    def leave(self) -> None:
        """Close the connection."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


async def visits(
    address: str,
    paths: Sequence[str],
    ask: Callable[[str], str],
    people: int,
    seconds: float,
    think: float,
) -> Told:
    """What ``people`` were told who ask for any of ``paths``, spelled by ``ask``, for so many ``seconds``,
    with pauses of ``think`` seconds on average."""
    told, end, before = Told(), time.monotonic() + seconds, time.process_time()

    async def visit(number: int) -> None:
        chance, person = random.Random(number), _Person(address)
        await asyncio.sleep(chance.random() * think)
        while time.monotonic() < end:
            await _ask(person, ask(paths[chance.randrange(len(paths))]), told)
            await asyncio.sleep(chance.expovariate(1 / think) if think else 0)
        person.leave()

    await asyncio.gather(*(visit(number) for number in range(people)))
    told.spent = time.process_time() - before
    return told


async def _ask(person: _Person, path: str, told: Told) -> None:
    started = time.perf_counter()
    try:
        async with asyncio.timeout(_PATIENCE):
            status = await person.get(path)
        if status != 200:
            told.faults.append(f"{status} for {path}")
    except (OSError, EOFError, ValueError, StopIteration) as error:
        told.faults.append(f"{type(error).__name__} {error} for {path}")
        person.leave()
        await asyncio.sleep(0.1)
    told.walls.append(1000 * (time.perf_counter() - started))
