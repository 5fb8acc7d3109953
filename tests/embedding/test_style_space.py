"""The fitted style space: its scores against their definition, its use on new pictures, and small libraries."""

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.embedding.style import LayoutDescriptor, StyleDescriptor
from indexer.embedding.style_space import (
    NEIGHBOURS,
    StyleSpace,
    StyleSpaceError,
    fit_style_space,
    pool_rows,
)
from tests.embedding.drawing import STYLES, SUBJECTS, draw, gallery

STYLE, LAYOUT = StyleDescriptor(), LayoutDescriptor()


def described(pictures: list[NDArray[np.uint8]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return STYLE.encode(pictures), LAYOUT.encode(pictures)


def fit(style: NDArray[np.float32], content: NDArray[np.float32]) -> StyleSpace:
    return fit_style_space(style, content, STYLE.identity, LAYOUT.identity)


class Library:
    """Six styles, four subjects, twice each: described and fitted once."""

    def __init__(self) -> None:
        pictures, self.styles, self.subjects = gallery()
        self.style, self.content = described(pictures)
        self.space = fit(self.style, self.content)
        self.rows = self.space.index_rows(self.style, self.content)
        self.queries = self.space.query_rows(self.style, self.content)


@pytest.fixture(scope="module")
def library() -> Library:
    return Library()


def test_vectors_have_unit_length_and_rows_the_stated_size(library: Library) -> None:
    vectors = library.space.transform(library.style, library.content)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors.dtype == library.rows.dtype == np.float32
    assert library.rows.shape == library.queries.shape == (48, library.space.identity.dimension)
    assert np.isfinite(library.rows).all()


def test_an_inner_product_is_the_score_by_its_definition(library: Library) -> None:
    """Slow twin: 2 cos - r - r', r the mean over groupings of the reach into the other's group."""
    space = library.space
    vectors = space.transform(library.style, library.content).astype(np.float64)
    cosines = vectors @ vectors.T
    groups = space.members
    groupings = int(space.grouping.max()) + 1

    def reach(one: int, other: int) -> float:
        total = 0.0
        for group in np.flatnonzero(groups[other]):
            fellows = [k for k in np.flatnonzero(groups[:, group]) if cosines[one, k] <= 0.9999]
            nearest = sorted((cosines[one, k] for k in fellows), reverse=True)[:NEIGHBOURS]
            total += sum(nearest) / max(len(nearest), 1)
        return total / groupings

    for one, other in ((0, 1), (3, 40), (17, 17), (47, 5)):
        expected = 2 * cosines[one, other] - reach(one, other) - reach(other, one)
        assert library.queries[one] @ library.rows[other] == pytest.approx(expected, abs=1e-4)


def test_the_same_style_wins_over_the_same_subject(library: Library) -> None:
    scores = library.queries @ library.rows.T
    np.fill_diagonal(scores, -9)
    assert (library.styles[scores.argmax(1)] == library.styles).mean() > 0.95


def test_centred_vectors_find_the_style_in_other_subjects(library: Library) -> None:
    vectors = library.space.transform(library.style, library.content)
    other_subject = library.subjects[:, None] != library.subjects[None, :]
    best = np.where(other_subject, vectors @ vectors.T, -9).argmax(1)
    assert (library.styles[best] == library.styles).mean() > 0.9


def test_scores_are_symmetric(library: Library) -> None:
    scores = library.queries @ library.rows.T
    np.testing.assert_allclose(scores, scores.T, atol=1e-4)


def test_a_picture_outside_the_index_finds_its_style(library: Library) -> None:
    style, content = described([draw(SUBJECTS[0], name, seed=99) for name in STYLES])
    scores = library.space.query_rows(style, content) @ library.rows.T
    found, models = pool_rows(library.rows, library.styles)
    assert (library.styles[scores.argmax(1)] == np.arange(len(STYLES))).all()
    by_model = library.space.query_rows(style, content) @ models.T
    assert (found[by_model.argmax(1)] == np.arange(len(STYLES))).all()


def test_pooled_rows_score_the_mean_of_their_pairs(library: Library) -> None:
    names, pooled = pool_rows(library.rows, library.styles)
    assert names.tolist() == list(range(len(STYLES)))
    scores = library.queries @ library.rows.T
    expected = [scores[0, library.styles == name].mean() for name in names]
    np.testing.assert_allclose(library.queries[0] @ pooled.T, expected, atol=1e-4)


def test_what_stands_in_the_index_can_ask(library: Library) -> None:
    assert np.array_equal(library.space.asking(library.rows), library.queries)


def test_calibrated_scores_rise_from_0_to_1_with_rarity(library: Library) -> None:
    mean, deviation = library.space.background
    scores = mean + deviation * np.array([-5.0, 0.0, 1.2816, 2.3263, 3.7190, 30.0])
    found = library.space.calibrate(scores)
    np.testing.assert_allclose(found, [0.0, 0.0753, 0.25, 0.5, 1.0, 1.0], atol=1e-3)
    own = np.diag(library.queries @ library.rows.T)
    everything = library.space.calibrate(library.queries @ library.rows.T)
    assert everything.shape == (48, 48)
    assert library.space.calibrate(own).mean() > everything.mean() + 0.3


def test_fitting_is_deterministic_and_the_identity_tells_fits_apart(library: Library) -> None:
    again = fit(library.style, library.content)
    assert again.identity == library.space.identity
    np.testing.assert_array_equal(again.index_rows(library.style, library.content), library.rows)
    assert fit(library.style[:40], library.content[:40]).identity.key != library.space.identity.key


@pytest.mark.parametrize("count", [1, 2, 3, 7, 19, 20, 31, 32, 36])
def test_small_libraries_work(library: Library, count: int) -> None:
    chosen = np.linspace(0, 47, count).astype(int)
    style, content = library.style[chosen], library.content[chosen]
    space = fit(style, content)
    scores = space.query_rows(style, content) @ space.index_rows(style, content).T
    outside = space.query_rows(library.style, library.content) @ space.index_rows(style, content).T
    assert np.isfinite(scores).all() and np.isfinite(outside).all()
    assert np.isfinite(space.calibrate(scores)).all()
    if count > 2:
        assert (scores.argmax(1) == np.arange(count)).mean() > 0.9  # a picture is likest itself


def test_five_pictures_of_two_styles_are_told_apart() -> None:
    cases = [("disc", "ink"), ("bars", "ink"), ("disc", "oil"), ("bars", "oil"), ("cross", "oil")]
    style, content = described([draw(*case) for case in cases])
    space = fit(style, content)
    query = space.query_rows(*described([draw("horizon", "ink")]))
    scores = (query @ space.index_rows(style, content).T)[0]
    assert scores[:2].min() > scores[2:].max()


def test_copies_of_one_picture_do_not_hide_each_other(library: Library) -> None:
    style = np.concatenate([library.style, np.repeat(library.style[:1], 30, 0)])
    content = np.concatenate([library.content, np.repeat(library.content[:1], 30, 0)])
    space = fit(style, content)
    scores = (space.query_rows(style[:1], content[:1]) @ space.index_rows(style, content).T)[0]
    assert set(np.argsort(-scores)[:31].tolist()) == {0, *range(48, 78)}


def test_wrong_shapes_and_empty_libraries_are_refused(library: Library) -> None:
    with pytest.raises(StyleSpaceError, match="at least one preview"):
        fit(library.style[:0], library.content[:0])
    with pytest.raises(StyleSpaceError, match="with both"):
        fit(library.style, library.content[:5])
    with pytest.raises(StyleSpaceError, match="style rows"):
        library.space.transform(library.style[:, :50], library.content)
    with pytest.raises(StyleSpaceError, match="content rows"):
        library.space.transform(library.style, library.content[:, :50])


def test_no_rows_give_no_rows(library: Library) -> None:
    none = library.space.index_rows(library.style[:0], library.content[:0])
    assert none.shape == (0, library.space.identity.dimension)


def test_semantic_vectors_can_stand_in_for_the_layout(library: Library) -> None:
    """Any content rows do, here one-hot subjects as a perfect semantic encoder would cluster them."""
    content = np.eye(len(SUBJECTS), dtype=np.float32)[library.subjects]
    space = fit_style_space(library.style, content, STYLE.identity, LAYOUT.identity)
    scores = space.query_rows(library.style, content) @ space.index_rows(library.style, content).T
    np.fill_diagonal(scores, -9)
    assert (library.styles[scores.argmax(1)] == library.styles).mean() > 0.95
