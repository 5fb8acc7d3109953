"""k-means and the ensemble of partitions."""

import numpy as np

from indexer.embedding.clusters import assign, kmeans, partition_ensemble


def blobs(seed: int = 0) -> np.ndarray:
    centres = np.array([[0, 0], [10, 0], [0, 10.0]])
    return np.concatenate([centre + np.random.default_rng(seed).normal(size=(40, 2)) for centre in centres])


def test_separate_blobs_are_found() -> None:
    rows = blobs()
    labels = assign(rows, kmeans(rows, 3, 0))
    assert [len(set(labels[start : start + 40].tolist())) for start in (0, 40, 80)] == [1, 1, 1]
    assert len(set(labels.tolist())) == 3


def test_equal_seeds_give_equal_centroids() -> None:
    np.testing.assert_array_equal(kmeans(blobs(), 4, 7), kmeans(blobs(), 4, 7))


def test_assignment_is_the_nearest_by_brute_force() -> None:
    rows, centroids = blobs(1), blobs(2)[::17]
    distances = np.linalg.norm(rows[:, None] - centroids[None], axis=2)
    np.testing.assert_array_equal(assign(rows, centroids), distances.argmin(1))


def test_identical_rows_and_too_many_groups_do_not_fail() -> None:
    assert np.isfinite(kmeans(np.ones((10, 3)), 4, 0)).all()
    assert kmeans(np.zeros((1, 2)), 1, 0).shape == (1, 2)


def test_an_ensemble_names_the_partition_of_each_group() -> None:
    centroids, names = partition_ensemble(blobs(), (2, 3), 2)
    assert centroids.shape == (10, 2)
    assert names.tolist() == [0, 0, 1, 1, 2, 2, 2, 3, 3, 3]
