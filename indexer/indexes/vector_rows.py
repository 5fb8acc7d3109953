"""Rows of float16 in a plain little-endian file, mapped into memory: nothing is copied until it is asked for.

The file may be gigabytes, so its SHA-256 is kept block by block: appending seals only what is new, opening
checks a sample, ``faulty_blocks`` checks all.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.indexes.vector_base import Ids, Vectors, margin
from indexer.indexes.vector_faiss import one_thread
from indexer.indexes.vector_manifest import VectorIndexError

__all__ = ["Rows", "append_rows", "block_sums", "check_sample", "faulty_blocks", "rounded"]

Halves = NDArray[np.float16]
BLOCK = 1 << 22  # bytes sealed by one digest
DIGEST = 32
SAMPLE = 8  # blocks looked at when opening: 32 MiB, some 30 ms
GATHER = 1024  # rows copied at once: a block of them stays in the processor's cache until it is scored


def rounded(rows: Vectors) -> Vectors:
    """Rows as the file keeps them. Raises ``VectorIndexError`` (``not_finite``) beyond float16's 65,504."""
    with np.errstate(over="ignore"):
        halves = rows.astype(np.float16).astype(np.float32)
    if not np.isfinite(halves).all():
        raise VectorIndexError("not_finite", "a vector holds numbers beyond 65504; scale its space down")
    return halves


class Rows:
    """``count`` rows of ``dimension`` numbers; the file may go on behind them."""

    def __init__(self, path: Path, count: int, dimension: int) -> None:
        self.count, self.dimension = count, dimension
        self._mapped: Halves = (
            np.memmap(path, "<f2", "r", shape=(count, dimension))
            if count and dimension
            else np.zeros((count, dimension), np.float16)
        )

    def at(self, positions: NDArray[np.integer]) -> Vectors:
        """A copy of some rows as float32."""
        return np.asarray(self._mapped[positions], np.float32)

    def batches(self, positions: Ids, size: int = 8_192) -> Iterator[tuple[Ids, Vectors]]:
        """Rows in order, a bounded number at a time."""
        for start in range(0, len(positions), size):
            some = positions[start : start + size]
            yield some, self.at(some)

    def best(self, query: Vectors, positions: Ids, k: int) -> Ids:
        """Those of ``positions`` that hold the best ``k`` by inner product, and what ties with the last."""
        if len(positions) <= k:
            return positions
        scores, found = self._scan(query, positions, k + 1)
        last = float(scores[k - 1])
        if last - scores[k] > margin(last):
            return found[:k]
        scores, found = self._scan(query, positions, len(positions))
        return found[scores >= last - margin(last)]

    def _scan(self, query: Vectors, positions: Ids, k: int) -> tuple[Vectors, Ids]:
        """The best ``k``, descending. FAISS's kernel reads float16 as it is; numpy must widen it first."""
        scores, found = np.full(k, -np.inf, np.float32), np.full(k, -1, np.int64)
        block = np.empty((min(GATHER, len(positions)), self.dimension), np.float16)
        with one_thread() as faiss:
            kernel = faiss.ScalarQuantizer(self.dimension, faiss.ScalarQuantizer.QT_fp16)
            scanner = kernel.select_InvertedListScanner(faiss.METRIC_INNER_PRODUCT, None, False, None, False)
            point = faiss.swig_ptr
            scanner.set_query(point(query))
            scanner.set_list(0, 0.0)
            for start in range(0, len(positions), GATHER):
                names = positions[start : start + GATHER]
                rows = np.take(self._mapped, names, axis=0, out=block[: len(names)], mode="clip")
                codes = rows.view(np.uint8).reshape(-1)
                scanner.scan_codes(len(names), point(codes), point(names), point(scores), point(found), k)
        order = np.argsort(-scores, kind="stable")
        if found[order[-1]] < 0:  # NaN never enters the heap
            raise VectorIndexError("not_finite", "a stored row holds NaN; rebuild the index")
        return scores[order], found[order]


def append_rows(path: Path, batches: Iterable[Vectors]) -> None:
    """Write rows behind those that are in the file."""
    with path.open("ab") as stream:
        for rows in batches:
            stream.write(rounded(rows).astype("<f2").tobytes())


def block_sums(path: Path, known: bytes = b"", sealed: int = 0) -> bytes:
    """The digests of all blocks; ``known`` are those of the first ``sealed`` bytes, which did not change."""
    whole = sealed // BLOCK
    digests = [known[: whole * DIGEST]]
    with path.open("rb") as stream:
        stream.seek(whole * BLOCK)
        while content := stream.read(BLOCK):
            digests.append(hashlib.sha256(content).digest())
    return b"".join(digests)


def check_sample(path: Path, size: int, sums: bytes) -> None:
    """Compare size and some blocks, the first and the last among them; raises ``VectorIndexError``."""
    blocks = -(-size // BLOCK)
    if path.stat().st_size < size or len(sums) != blocks * DIGEST:
        detail = f"{path}: shorter than the {size} bytes expected, or sealed otherwise; rebuild the index"
        raise VectorIndexError("checksum", detail)
    sample = np.unique(np.linspace(0, max(blocks - 1, 0), min(blocks, SAMPLE)).round().astype(int))
    for fault in _faulty(path, size, sums, sample.tolist()):
        raise VectorIndexError("checksum", f"{path}: {fault}; rebuild the index")


def faulty_blocks(path: Path, size: int, sums: bytes) -> Iterator[str]:
    """Check every block, and that all numbers are finite; yields what is wrong."""
    return _faulty(path, size, sums, range(-(-size // BLOCK)))


def _faulty(path: Path, size: int, sums: bytes, blocks: Iterable[int]) -> Iterator[str]:
    with path.open("rb") as stream:
        for block in blocks:
            stream.seek(block * BLOCK)
            content = stream.read(min(BLOCK, size - block * BLOCK))
            if hashlib.sha256(content).digest() != sums[block * DIGEST : (block + 1) * DIGEST]:
                yield f"block {block} of {BLOCK >> 20} MiB differs from its SHA-256"
            elif not np.isfinite(np.frombuffer(content, "<f2")).all():
                yield f"block {block} of {BLOCK >> 20} MiB holds NaN or infinity"
