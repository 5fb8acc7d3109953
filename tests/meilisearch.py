"""A real Meilisearch server for tests: one that runs, or one that is started from ``MEILISEARCH_BIN``."""

import os
import random
import secrets
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.clocks import PATIENCE

__all__ = ["Running", "free_port", "running_server", "start_server"]


@dataclass(frozen=True, slots=True)
class Running:
    """A server and its master key."""

    url: str
    key: str


@contextmanager
def running_server(folder: Path) -> Iterator[Running | None]:
    """The server of ``PINAKES_TEST_MEILISEARCH_URL`` and ``_KEY``, or a fresh one; None when there is neither."""
    url = os.environ.get("PINAKES_TEST_MEILISEARCH_URL")
    program = os.environ.get("MEILISEARCH_BIN")
    if url:
        yield Running(url, os.environ.get("PINAKES_TEST_MEILISEARCH_KEY", ""))
    elif program:
        with start_server(program, folder) as started:
            yield started
    else:
        yield None


@contextmanager
def start_server(program: str, folder: Path, port: int = 0, key: str = "") -> Iterator[Running]:
    """A server with its data in ``folder``, killed at the end."""
    running = Running(f"http://127.0.0.1:{port or free_port()}", key or secrets.token_hex(16))
    folder.mkdir(parents=True, exist_ok=True)
    address = running.url.removeprefix("http://")
    command = [program, "--db-path", str(folder / "data"), "--http-addr", address, "--no-analytics"]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [*command, "--master-key", running.key], cwd=folder, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            _wait(running.url, process)
            yield running
        finally:
            process.kill()
            process.wait(30)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on, and that no connection is given by chance meanwhile."""
    while True:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", random.SystemRandom().randrange(10_000, 30_000)))
            except OSError:
                continue
            return int(probe.getsockname()[1])


def _wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):
                return
        except OSError:  # nobody there yet, or no answer in time
            if process.poll() is not None:
                break
            time.sleep(0.05)
    raise RuntimeError(f"the Meilisearch server at {url} did not start")
