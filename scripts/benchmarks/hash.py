"""How fast a file's six hashes are measured in one pass, against the slowest of them alone.

usage: python -m benchmarks.hash [--size MIB] [--rounds N]

Both sides read the same file, warm in the page cache, in turn; the best round of each counts.
"""

import argparse
import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import blake3
from isal import isal_zlib

from indexer.parsers.hashing import hash_file

__all__ = ["main", "run"]

_CHUNK = 4 << 20


def run(size: int, rounds: int) -> None:
    """Write a file of ``size`` MiB below the system's temporary folder, hash it each way, print a table."""
    with tempfile.TemporaryDirectory(prefix="pinakes-hash-") as folder:
        path = Path(folder) / "model.safetensors"
        block = os.urandom(1 << 20)
        with path.open("wb") as file:
            for number in range(size):
                file.write(number.to_bytes(8, "little") + block[8:])
        ways: dict[str, Callable[[], object]] = {
            "SHA-256 alone": lambda: _alone(path, hashlib.sha256().update),
            "BLAKE3 alone": lambda: _alone(path, blake3.blake3().update),
            "CRC-32 alone": lambda: _alone(path, isal_zlib.crc32),
            "all but AutoV3": lambda: hash_file(bytes(path)),
            "all six": lambda: hash_file(bytes(path), 100_000),
        }
        best = dict.fromkeys(ways, float("inf"))
        for _ in range(rounds):
            for name, way in ways.items():
                start = time.perf_counter()
                way()
                best[name] = min(best[name], time.perf_counter() - start)
    slowest = max(seconds for name, seconds in best.items() if name.endswith("alone"))
    print(f"{size} MiB, {os.cpu_count()} cores")
    print(f"{'what':<18}{'MB/s':>8}{'x slowest alone':>18}")
    for name, seconds in best.items():
        print(f"{name:<18}{size * 1.048576 / seconds:>8,.0f}{slowest / seconds:>18.2f}")


def _alone(path: Path, update: Callable[[bytes], object]) -> None:
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            update(chunk)


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="scripts/bench hash")
    parser.add_argument("--size", type=int, default=1024, help="MiB of the file")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    run(arguments.size, arguments.rounds)


if __name__ == "__main__":
    main()
