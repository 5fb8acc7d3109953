"""Pictures: each style can draw each subject, the same way twice, and tells itself from the others."""

import itertools

import numpy as np
import pytest

from indexer.demo.raster import to_image
from indexer.demo.shapes import Plate
from indexer.demo.styles import STYLES, SUBJECTS, draw, plate_for

SIZE = 256


@pytest.fixture(scope="module")
def plates() -> dict[str, Plate]:
    return {subject: plate_for(subject, 0, 7, SIZE) for subject in SUBJECTS}


@pytest.mark.parametrize("style", STYLES)
def test_a_style_draws_every_subject_and_twice_the_same(style: str, plates: dict[str, Plate]) -> None:
    for subject, plate in plates.items():
        picture = draw(style, plate, "once")
        assert picture.shape == (SIZE, SIZE, 3)
        assert picture.dtype == np.float32
        assert np.isfinite(picture).all()
        assert picture.std() > 0.03, f"{style} of {subject} shows nothing"
    assert np.array_equal(picture, draw(style, plate, "once"))


def test_a_subject_is_seen_differently_each_time() -> None:
    first, second = plate_for("harbour", 0, 7, SIZE), plate_for("harbour", 1, 7, SIZE)
    assert np.abs(first.colour - second.colour).mean() > 0.02


def _grain(picture: np.ndarray) -> np.ndarray:
    """A crude look at how it is drawn: colour means and spreads, and fine contrast at three scales."""
    grey = picture.mean(axis=-1)
    fine = [np.abs(grey[step:, step:] - grey[:-step, :-step]).mean() for step in (1, 3, 8)]
    return np.concatenate([picture.mean(axis=(0, 1)), picture.std(axis=(0, 1)), fine])


def test_style_is_how_it_is_drawn_not_what_is_shown(plates: dict[str, Plate]) -> None:
    """Pictures of one style lie nearer to each other than pictures of one subject."""
    looks = {
        (style, subject): _grain(draw(style, plate, "x"))
        for style in STYLES
        for subject, plate in plates.items()
    }
    spread = np.std(list(looks.values()), axis=0)
    away = {
        pair: float(np.linalg.norm((looks[pair[0]] - looks[pair[1]]) / spread))
        for pair in itertools.combinations(looks, 2)
    }
    same_style = np.mean([d for (a, b), d in away.items() if a[0] == b[0]])
    same_subject = np.mean([d for (a, b), d in away.items() if a[1] == b[1]])
    assert same_style < 0.75 * same_subject


def test_eight_bit_pictures_have_the_size_asked_for(plates: dict[str, Plate]) -> None:
    assert to_image(plates["cat"].colour).size == (SIZE, SIZE)
