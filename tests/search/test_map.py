"""The map of styles, on vectors and words whose truth is known."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer.domain.records import Document
from indexer.indexes.vectors import ExactIndex
from search.map import layout_of
from search.map_clusters import cluster_count, cluster_names, clusters_of
from search.map_layout import fitted, lay_out, place

Rows = NDArray[np.float32]
Labels = NDArray[np.int64]


def grouped(count: int, groups: int, noise: float = 0.5, seed: int = 3) -> tuple[Rows, Labels]:
    """Unit rows around ``groups`` random directions, and which direction each is around."""
    generator = np.random.default_rng(seed)
    middles = generator.standard_normal((groups, 48))
    labels = generator.integers(groups, size=count)
    rows = middles[labels] + noise * generator.standard_normal((count, 48))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), labels


def ranks(rows: Rows) -> NDArray[np.intp]:
    """(n, n): the others of each row, nearest first, itself last."""
    wide = rows.astype(np.float64)
    far = ((wide[:, None] - wide[None]) ** 2).sum(-1)
    np.fill_diagonal(far, np.inf)
    return np.asarray(far.argsort(1))


def trustworthiness(rows: Rows, places: Rows, k: int = 10) -> float:
    """Venna & Kaski 2001: 1 where neighbours in the plane are neighbours in space, about a half by chance."""
    count = len(rows)
    place_in_space = ranks(rows).argsort(1)
    near = ranks(places)[:, :k]
    excess = np.maximum(np.take_along_axis(place_in_space, near, 1) - k + 1, 0).sum()
    return float(1 - 2 * excess / (count * k * (2 * count - 3 * k - 1)))


def purity(places: Rows, labels: Labels, k: int = 5) -> float:
    return float((labels[ranks(places)[:, :k]] == labels[:, None]).mean())


def test_groups_land_together() -> None:
    rows, labels = grouped(300, 8)
    places = lay_out(rows @ rows.T)
    assert purity(places, labels) > 0.95


def test_neighbours_in_the_plane_are_neighbours_in_space() -> None:
    rows, _ = grouped(300, 8, noise=1.0)
    places = lay_out(rows @ rows.T)
    by_chance = np.random.default_rng(0).permutation(places)
    assert trustworthiness(rows, by_chance) < 0.6
    assert trustworthiness(rows, places) > 0.85


def test_what_lies_between_two_groups_is_drawn_between_them() -> None:
    steps = np.linspace(0, np.pi / 2, 90)
    arc = np.stack([np.cos(steps), np.sin(steps)], 1).astype(np.float32)
    places = lay_out(arc @ arc.T)
    assert np.median(np.abs(ranks(places)[:, 0] - np.arange(90))) <= 2


def test_the_same_library_gives_the_same_map() -> None:
    rows, _ = grouped(120, 5)
    assert np.array_equal(lay_out(rows @ rows.T), lay_out(rows @ rows.T))


@example(count=10, seed=64, uniform=False)
@given(st.integers(0, 12), st.integers(0, 99), st.booleans())
def test_small_and_uniform_libraries_have_a_map(count: int, seed: int, uniform: bool) -> None:
    rows, _ = grouped(count, 3, seed=seed)
    rows = np.ones_like(rows) if uniform else rows
    places = fitted(lay_out(rows @ rows.T))
    assert places.shape == (count, 2)
    assert ((places >= 0) & (places <= 1)).all()


def test_entries_alike_in_everything_are_drawn_apart() -> None:
    rows, _ = grouped(60, 4)
    rows[1] = rows[0]
    places = fitted(lay_out(rows @ rows.T))
    assert 0 < float(np.abs(places[0] - places[1]).max()) < 0.1


def test_the_rest_lies_among_its_landmarks() -> None:
    rows, labels = grouped(700, 8)
    index = ExactIndex("test", 48)
    index.put(np.arange(0, 1400, 2), rows)
    places = layout_of(index, lambda some: some, most=150)
    assert places.shape == (700, 2)
    assert purity(places, labels) > 0.9
    assert trustworthiness(rows, places) > 0.75


def test_equal_rows_are_placed_side_by_side() -> None:
    marks = np.random.default_rng(0).standard_normal((30, 2)).astype(np.float32)
    scores = np.tile(np.random.default_rng(1).standard_normal((1, 30)).astype(np.float32), (9, 1))
    placed = place(scores, marks)
    assert len(np.unique(placed, axis=0)) == 9
    assert np.ptp(placed, axis=0).max() < 0.05
    assert np.array_equal(place(scores[4:], marks, 4), placed[4:])


@pytest.mark.parametrize(("entries", "clusters"), [(0, 0), (2, 2), (10, 3), (200, 10), (100_000, 40)])
def test_how_many_neighbourhoods(entries: int, clusters: int) -> None:
    assert cluster_count(entries) == clusters


def test_clusters_are_the_heaps_that_one_sees_largest_first() -> None:
    generator = np.random.default_rng(2)
    heaps = [((0.1, 0.1), 60), ((0.9, 0.2), 25), ((0.5, 0.9), 10)]
    places = np.concatenate([middle + 0.02 * generator.standard_normal((n, 2)) for middle, n in heaps])
    found = clusters_of(places)
    assert np.bincount(found).tolist() == sorted(np.bincount(found).tolist(), reverse=True)
    for number in range(int(found.max()) + 1):
        assert np.ptp(places[found == number], axis=0).max() < 0.3
    assert np.array_equal(found, clusters_of(places))


def entry(id_: int, name: str, *tags: str, model: int | None = None) -> Document:
    return Document(id_, id_ if model is None else model, name, tags=tags)


def test_names_are_frequent_inside_and_rare_outside() -> None:
    ink = [(0, entry(i, f"Brush {i}", "style", "ink wash", "lora")) for i in range(6)]
    glass = [(1, entry(20 + i, "Window SDXL v2", "style", "stained glass")) for i in range(6)]
    assert cluster_names([*ink, *glass], 2) == [("brush", "ink wash"), ("stained glass", "window")]


def test_versions_of_one_model_name_nothing_alone() -> None:
    versions = [(0, entry(i, "Zanzibar", model=1)) for i in range(9)]
    others = [
        (0, entry(20 + i, f"{word} etching", "etching")) for i, word in enumerate(("Fine", "Dry", "Deep"))
    ]
    rest = [(1, entry(40 + i, "Photo")) for i in range(8)]
    assert cluster_names([*versions, *others, *rest], 2)[0] == ("etching",)


def test_a_cluster_without_words_of_its_own_has_no_name() -> None:
    alike = [(i % 2, entry(i, "Same thing", "tag")) for i in range(12)]
    assert cluster_names(alike, 3) == [(), (), ()]


def test_spellings_of_one_word_do_not_fill_a_name() -> None:
    inside = [(0, entry(i, "A", "watercolour", "watercolor", "paper")) for i in range(5)]
    outside = [(1, entry(20 + i, "B", "photo")) for i in range(5)]
    assert cluster_names([*inside, *outside], 2)[0] == ("paper", "watercolor")
