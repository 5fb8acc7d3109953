"""Projections: half-whitening, discounting of nuisance, and small collections."""

import numpy as np
import pytest

from indexer.embedding import whitening
from indexer.embedding.whitening import fit_projection


def cloud(count: int, deviations: tuple[float, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, len(deviations))) * deviations


def test_no_whitening_keeps_and_full_whitening_levels_variances() -> None:
    rows = cloud(4000, (1, 1, 1)) @ np.array([[3, 2, 0], [0, 1, 0], [0, 0, 1.0]])
    kept = fit_projection(rows, 3, whitening=0.0).apply(rows).var(0)
    level = fit_projection(rows, 3, whitening=1.0).apply(rows).var(0)
    middle = fit_projection(rows, 3, whitening=0.5).apply(rows).var(0)
    assert kept.sum() == pytest.approx(3, rel=0.05)  # standardised columns
    np.testing.assert_allclose(level, 1, rtol=0.02)
    np.testing.assert_allclose(middle, np.sqrt(kept), rtol=0.02)
    assert (np.diff(kept) < 0).all()


def test_directions_that_vary_within_pictures_are_shrunk() -> None:
    rows = cloud(2000, (1, 1))
    nuisance = cloud(4000, (1.0, 0.05), seed=1)
    share = fit_projection(rows, 2, nuisance=nuisance, whitening=0.0)
    lengths = np.linalg.norm(share.matrix, axis=1)
    assert lengths[1] > 3 * lengths[0]


@pytest.mark.parametrize("count", [8, 40])
@pytest.mark.parametrize("differences", [0, 1, 15])
def test_few_differences_take_the_short_way_to_the_same_angles(
    count: int, differences: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, nuisance = cloud(count, (1,) * 60), cloud(differences, (0.5,) * 60, seed=1)
    short = fit_projection(rows, 20, nuisance=nuisance).apply(rows)
    monkeypatch.setattr(whitening, "THIN", 1_000)
    long = fit_projection(rows, 20, nuisance=nuisance).apply(rows)
    np.testing.assert_allclose(short @ short.T, long @ long.T, rtol=1e-9, atol=1e-9)


def test_one_absurd_value_does_not_decide() -> None:
    rows = cloud(500, (1, 1, 1))
    projection = fit_projection(rows, 3)
    row = np.array([[1e9, 0, 0]])
    assert np.linalg.norm(projection.apply(row)) < 20


def test_weights_scale_columns() -> None:
    rows = cloud(500, (1, 1))
    matrix = fit_projection(rows, 2, weights=np.array([1.0, 0.0])).matrix
    assert np.allclose(matrix[1], 0)


@pytest.mark.parametrize("count", [1, 2, 5, 31, 32, 40])
def test_small_collections_give_finite_maps_that_see_new_rows(count: int) -> None:
    rows, nuisance = cloud(count, (1,) * 60), cloud(2 * count, (0.5,) * 60, seed=2)
    projection = fit_projection(rows, 20, nuisance=nuisance)
    found = projection.apply(cloud(3, (1,) * 60, seed=3))
    assert np.isfinite(found).all()
    assert found.shape == (3, 60 if count < 32 else 20)
    assert np.linalg.norm(found, axis=1).min() > 0


def test_constant_columns_are_harmless() -> None:
    rows = np.hstack([cloud(100, (1, 1)), np.full((100, 1), 7.0)])
    assert np.isfinite(fit_projection(rows, 3).apply(rows)).all()
