"""k-means, several times over: an ensemble of partitions, so that no single choice of k decides."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["assign", "kmeans", "partition_ensemble"]

Matrix = NDArray[np.float64]
ROUNDS, RESTARTS = 30, 3


def assign(rows: Matrix, centroids: Matrix) -> NDArray[np.intp]:
    """(n): the nearest of ``centroids`` (k, d) to each of ``rows`` (n, d); the first on a tie."""
    nearest: NDArray[np.intp] = np.argmin((centroids**2).sum(1) - 2 * rows @ centroids.T, axis=1)
    return nearest


def kmeans(rows: Matrix, k: int, seed: int) -> Matrix:
    """(k, d) centroids by Lloyd's method from k-means++ starts, the best of ``RESTARTS``; deterministic."""
    generator = np.random.default_rng(seed)
    runs = [_run(rows, _spread_start(rows, k, generator)) for _ in range(RESTARTS)]
    return min(runs, key=lambda centroids: _inertia(rows, centroids))


def _spread_start(rows: Matrix, k: int, generator: np.random.Generator) -> Matrix:
    chosen = [rows[generator.integers(len(rows))]]
    distance = np.full(len(rows), np.inf)
    while len(chosen) < k:
        distance = np.minimum(distance, ((rows - chosen[-1]) ** 2).sum(1))
        total = distance.sum()
        odds = distance / total if total > 0 else None
        chosen.append(rows[generator.choice(len(rows), p=odds)])
    return np.array(chosen)


def _run(rows: Matrix, centroids: Matrix) -> Matrix:
    nearest = assign(rows, centroids)
    for _ in range(ROUNDS):
        member = nearest == np.arange(len(centroids))[:, None]
        sums, counts = member.astype(np.float64) @ rows, member.sum(1)[:, None]
        centroids = np.where(counts > 0, sums / np.maximum(counts, 1), centroids)
        moved = assign(rows, centroids)
        if (moved == nearest).all():
            break
        nearest = moved
    return centroids


def _inertia(rows: Matrix, centroids: Matrix) -> float:
    return float(((rows - centroids[assign(rows, centroids)]) ** 2).sum())


def partition_ensemble(
    rows: Matrix, sizes: tuple[int, ...], repeats: int
) -> tuple[Matrix, NDArray[np.int64]]:
    """Centroids (K, d) of one k-means for each size and seed, and (K) which partition each belongs to."""
    runs = [kmeans(rows, k, seed) for k in sizes for seed in range(repeats)]
    names = np.repeat(np.arange(len(runs)), [len(run) for run in runs])
    return np.concatenate(runs), names.astype(np.int64)
