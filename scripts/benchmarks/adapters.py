"""How fast adapters are measured, against plain reading of the same files; and how surely twins are told.

Files are like real ones in layout and size (SDXL kohya LoRAs of rank 16 and 32, FLUX.1 of rank 16) and full
of values. Both sides read the same files in turn in one process, so that the machine's moods hit both, and
pages are cached for both: what is compared is work, not the disk.
"""

import argparse
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from math import prod
from pathlib import Path

import numpy as np

from indexer.adapter_weights import read_adapter_weights
from indexer.demo.cast import load_cast
from indexer.demo.container import write_safetensors
from indexer.demo.tensors import tensors_of
from indexer.embedding.adapter_vector import sketches
from indexer.embedding.blas import one_blas_thread

__all__ = ["main", "run"]

_PARTS = ("wetpaper_watercolour_xl", "riceworks_ink_xl", "gouge_linocut_f1d", "cathedral_glass_f1d")
_BLOCK = 1 << 20


def run(files: int = 8) -> None:
    """Write ``files`` adapters below the system's temporary folder, read them both ways, print a table."""
    folder = Path(tempfile.mkdtemp(prefix="pinakes-adapters-"))
    try:
        paths = _write(folder, files)
        _compare(paths)
        _twins(paths)
    finally:
        shutil.rmtree(folder)


def _write(folder: Path, files: int) -> list[Path]:
    cast = load_cast()
    parts = {part.stem: part for part in cast.parts}
    paths = []
    for number in range(files):
        part = parts[_PARTS[number % len(_PARTS)]]
        tensors = tensors_of(part, cast)
        path = folder / f"{number}-{part.stem}.safetensors"
        write_safetensors(path, tensors, {}, number, {t.name for t in tensors if prod(t.shape) > 1})
        paths.append(path)
    return paths


def _plain(path: Path) -> None:
    buffer = bytearray(_BLOCK)
    with path.open("rb", buffering=0) as stream:
        while stream.readinto(buffer):
            pass


def _compare(paths: Sequence[Path]) -> None:
    workers = max(1, min(4, os.cpu_count() or 1))
    spent = {"plain reading": 0.0, "measured, one by one": 0.0, f"measured, {workers} threads": 0.0}
    size = sum(path.stat().st_size for path in paths)
    for path in paths:
        _plain(path)  # all find the pages cached
        spent["plain reading"] += _seconds(partial(_plain, path))
        with one_blas_thread():
            spent["measured, one by one"] += _seconds(partial(read_adapter_weights, path))
    with one_blas_thread(), ThreadPoolExecutor(workers) as pool:
        spent[f"measured, {workers} threads"] = _seconds(lambda: list(pool.map(read_adapter_weights, paths)))
    with ThreadPoolExecutor(workers) as pool:
        spent["the same, BLAS threads too"] = _seconds(lambda: list(pool.map(read_adapter_weights, paths)))
    print(f"{len(paths)} adapters, on average {size / len(paths) / 1e6:.0f} MB")
    print(f"{'':<30}{'MB/s':>10}{'files/s':>10}")
    for name, seconds in spent.items():
        print(f"{name:<30}{size / seconds / 1e6:>10,.0f}{len(paths) / seconds:>10,.2f}")
    print(f"peak RSS {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _twins(paths: Sequence[Path]) -> None:
    """Largest cosine of two adapters of one layout that have nothing in common."""
    with one_blas_thread():
        found = [read_adapter_weights(path).vector for path in paths]
    rows = sketches(np.stack([vector for vector in found if vector is not None]))
    apart = np.abs(rows @ rows.T - np.eye(len(rows)))
    print(f"largest |cosine| of two unrelated adapters: {apart.max():.3f}")


def main(arguments: Sequence[str]) -> None:
    """The command line: ``--files N``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=8, help="adapters to write, about 130 MB each")
    run(parser.parse_args(arguments).files)


if __name__ == "__main__":
    main(sys.argv[1:])
