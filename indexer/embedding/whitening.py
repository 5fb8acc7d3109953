"""Linear maps fitted on a collection without labels: standardise, discount nuisance, half-whiten, reduce."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Projection", "fit_projection"]

Matrix = NDArray[np.float64]
CLIP = 5.0  # standard deviations; rarer values say that a statistic broke down, not that a style is extreme
FEW = 32  # with fewer rows their span says nothing of the next picture, so no direction is dropped
PRIOR_ROWS = 8.0
NUISANCE_POWER, WHITENING_POWER = 0.6, 0.25  # of a variance's inverse square root; 1 would be full whitening
RIDGE, RIDGE_FEW = 0.02, 4.0
THIN = 4  # with so many columns a row, a decomposition of the rows is cheaper than one of the scatter


@dataclass(frozen=True, slots=True)
class Projection:
    """``clip((x - mean) * scale) @ matrix``: (n, D) to (n, m)."""

    mean: Matrix
    scale: Matrix
    matrix: Matrix

    def apply(self, rows: NDArray[np.floating]) -> Matrix:
        """(n, m) for ``rows`` (n, D)."""
        centred = (np.asarray(rows, np.float64) - self.mean) * self.scale
        return np.asarray(np.clip(centred, -CLIP, CLIP) @ self.matrix)


def fit_projection(
    rows: NDArray[np.floating],
    rank: int,
    weights: Matrix | None = None,
    nuisance: NDArray[np.floating] | None = None,
    whitening: float = WHITENING_POWER,
) -> Projection:
    """A projection of ``rows`` (n, D) to at most ``rank`` dimensions, the most variable first.

    ``weights`` (D) scale the standardised columns. ``nuisance`` (c, D) holds differences that should not
    count (linear discriminant analysis with them as within-class scatter, softened): directions in which it
    is large are shrunk. ``whitening`` 0 leaves variances as they are, 1 makes them equal.
    """
    rows = np.asarray(rows, np.float64)
    weights = np.ones(rows.shape[1]) if weights is None else weights
    scale = 1.0 / np.sqrt(_variance(rows, nuisance) + 1e-8)
    mean = rows.mean(0)
    standard = np.clip((rows - mean) * scale, -CLIP, CLIP)
    matrix = np.diag(weights)
    if nuisance is not None:
        differences = np.clip(np.asarray(nuisance, np.float64) * scale, -CLIP, CLIP) * weights
        matrix = matrix @ _discounted(differences, RIDGE + RIDGE_FEW / len(rows))
    if len(rows) >= FEW:
        matrix = matrix @ _principal(standard @ matrix, rank, whitening)
    return Projection(mean, scale, matrix)


def _variance(rows: NDArray[np.floating], nuisance: NDArray[np.floating] | None) -> Matrix:
    """Of each column; with few rows the variance within pictures stands in."""
    own = rows.var(0)
    if nuisance is None or not len(nuisance):
        return np.asarray(own if len(rows) >= FEW else own + own.mean() + 1e-6)
    within = np.square(np.asarray(nuisance, np.float64)).mean(0)
    return np.asarray((len(rows) * own + PRIOR_ROWS * within) / (len(rows) + PRIOR_ROWS))


def _discounted(differences: Matrix, ridge: float) -> Matrix:
    """(D, D), up to a rotation: the power of the scatter of ``differences`` (c, D)."""
    count, width = max(len(differences), 1), differences.shape[1]
    level = max(float(np.square(differences).sum()) / (count * width), 1e-12)
    power = -NUISANCE_POWER / 2
    if THIN * count <= width:  # all directions but ``count`` are alike: those few are found at once
        _, lengths, few = np.linalg.svd(differences, full_matrices=False)
        alike = ridge**power
        change = (np.square(lengths) / (count * level) + ridge) ** power - alike
        return np.asarray(alike * np.eye(width) + (few.T * change) @ few)
    scatter = differences.T @ differences / (count * level)
    values, vectors = np.linalg.eigh(scatter + ridge * np.eye(width))
    return np.asarray(vectors * values**power)


def _principal(rows: Matrix, rank: int, whitening: float) -> Matrix:
    centred = rows - rows.mean(0)
    values, vectors = np.linalg.eigh(centred.T @ centred / len(rows))
    keep = min(rank, len(rows) - 1, len(values))
    values, vectors = values[::-1][:keep], vectors[:, ::-1][:, :keep]
    values = np.maximum(values, 1e-6 * max(float(values[0]), 1e-12))
    return np.asarray(vectors * values ** (-whitening / 2))
