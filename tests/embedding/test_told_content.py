"""Taking out of style vectors what prompts explain: on vectors made by rule, and in the fitted space."""

import numpy as np
import pytest

from indexer.embedding.layout import LayoutDescriptor
from indexer.embedding.style import StyleDescriptor
from indexer.embedding.style_space import fit_style_space
from indexer.embedding.told_content import fit_told
from tests.embedding.drawing import STYLES, SUBJECTS, gallery

VERSIONS, SHOWN = 12, ("a red fox", "an old ship", "the moon")


class Made:
    """Versions of three pictures: a style each, plus what each subject adds, plus a trigger word."""

    def __init__(self) -> None:
        generator = np.random.default_rng(0)
        self.owners = np.repeat(np.arange(VERSIONS), len(SHOWN))
        subject = np.tile(np.arange(len(SHOWN)), VERSIONS)
        self.styles = generator.normal(size=(VERSIONS, 8))
        self.vectors = self.styles[self.owners] + 3 * generator.normal(size=(len(SHOWN), 8))[subject]
        self.prompts = [
            f"{SHOWN[s]}, trigger{o}, masterpiece" for o, s in zip(self.owners, subject, strict=True)
        ]


@pytest.fixture(scope="module")
def made() -> Made:
    return Made()


def spread(vectors: np.ndarray, owners: np.ndarray) -> float:
    return float(sum(vectors[owners == owner].var(0).sum() for owner in np.unique(owners)))


def test_what_prompts_explain_goes_and_style_stays(made: Made) -> None:
    told = fit_told(made.vectors, made.prompts, made.owners)
    left = made.vectors - told.explained(made.prompts, len(made.prompts))
    assert spread(left, made.owners) < 0.01 * spread(made.vectors, made.owners)
    means = np.array([left[made.owners == owner].mean(0) for owner in range(VERSIONS)])
    np.testing.assert_allclose(means - means.mean(0), made.styles - made.styles.mean(0), atol=1e-6)


def test_words_of_the_style_are_not_learned(made: Made) -> None:
    learned = set(fit_told(made.vectors, made.prompts, made.owners).words.tolist())
    assert {"fox", "ship", "moon"} <= learned
    assert not learned & {"masterpiece", *(f"trigger{owner}" for owner in range(VERSIONS))}


def test_versions_that_were_not_learned_from_are_cleaned_too(made: Made) -> None:
    taught = made.owners < VERSIONS // 2
    some = [prompt for prompt, known in zip(made.prompts, taught, strict=True) if known]
    told = fit_told(made.vectors[taught], some, made.owners[taught])
    left = made.vectors - told.explained(made.prompts, len(made.prompts))
    assert spread(left[~taught], made.owners[~taught]) < 0.05 * spread(
        made.vectors[~taught], made.owners[~taught]
    )


@pytest.mark.parametrize("lie", ["noise", "none", "alone", "empty"])
def test_nothing_is_subtracted_where_prompts_explain_nothing(made: Made, lie: str) -> None:
    prompts: list[str | None] = list(made.prompts)
    owners = made.owners
    noise = np.random.default_rng(1).normal(size=made.vectors.shape)
    vectors = noise if lie == "noise" else made.vectors
    if lie == "none":
        prompts = [None] * len(prompts)
    if lie == "empty":
        prompts = [""] * len(prompts)
    if lie == "alone":
        owners = np.arange(len(owners))
    told = fit_told(vectors, prompts, owners)
    assert len(told.words) == 0
    assert not told.explained(prompts, len(prompts)).any()


def test_a_picture_without_a_prompt_is_left_as_it_is(made: Made) -> None:
    told = fit_told(made.vectors, made.prompts, made.owners)
    prompts = [None, made.prompts[1], ""]
    explained = told.explained(prompts, 3)
    assert not explained[[0, 2]].any() and explained[1].any()


def test_names_in_tags_and_long_prompts_are_no_matter(made: Made) -> None:
    prompts = [f"<lora:{prompt}:1> " + "word " * 50_000 for prompt in made.prompts]
    assert len(fit_told(made.vectors, prompts, made.owners).words) == 0


def test_style_is_found_better_where_prompts_are_known() -> None:
    pictures, styles, subjects = gallery(2)
    described = StyleDescriptor().encode(pictures), LayoutDescriptor().encode(pictures)
    identities = StyleDescriptor().identity, LayoutDescriptor().identity
    names = list(STYLES)
    prompts = [f"a {SUBJECTS[s]} drawn as {names[t]}" for s, t in zip(subjects, styles, strict=True)]
    other = (subjects[:, None] != subjects[None, :]) & (styles[:, None] == styles[None, :])

    def margin(known: list[str] | None) -> float:
        """How far a style's other subjects stand above other styles, in deviations."""
        space = fit_style_space(*described, *identities, prompts=known, owners=styles)
        scores = space.query_rows(*described, known) @ space.index_rows(*described, known).T
        apart = scores[styles[:, None] != styles[None, :]]
        return float((scores[other].mean() - apart.mean()) / apart.std())

    assert margin(prompts) > margin(None)
