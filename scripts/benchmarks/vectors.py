"""Exact vector search: FAISS against one numpy matrix product and sort, with and without a filter."""

import argparse
import time
from collections.abc import Callable, Sequence

import numpy as np

from indexer.indexes.vectors import ExactIndex, FaissIndex

__all__ = ["main"]

QUERIES = 30


def milliseconds(search: Callable[[int], object]) -> float:
    """Median of ``QUERIES`` single searches."""
    took = []
    for number in range(QUERIES):
        started = time.perf_counter()
        search(number)
        took.append(time.perf_counter() - started)
    return 1000 * float(np.median(took))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print milliseconds a query; ``--count`` vectors of ``--dimension``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--dimension", type=int, default=256)
    options = parser.parse_args(arguments)
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(options.count, options.dimension)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    ids = np.arange(options.count, dtype=np.int64)
    indexes = ExactIndex("bench", options.dimension), FaissIndex("bench", options.dimension)
    for index in indexes:
        index.put(ids, rows)
    bare = milliseconds(lambda number: np.argsort(-(rows @ rows[number]))[:20])
    print(f"{options.count:,} x {options.dimension}; bare product and sort {bare:.2f} ms")
    for share in (1.0, 0.1, 0.01, 0.001):
        allowed = None if share == 1 else np.sort(generator.choice(ids, int(len(ids) * share), replace=False))
        for index in indexes:
            took = milliseconds(lambda number, i=index, a=allowed: i.search(rows[number], 20, a))
            print(
                f"{share:7.1%} allowed  {type(index).__name__:11} {took:8.2f} ms  {took / bare:5.2f} of bare"
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
