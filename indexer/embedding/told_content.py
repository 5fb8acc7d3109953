"""What a preview's prompt says it shows, taken out of its style vector: ``fit_told``.

Previews of one version share its style; their prompts differ in what they ask for. So words are learned that
stand in some prompts of a version and not in others (its trigger words and the style's own words stand in
all), and what each of them does to the style vector *within* versions, by ridge regression. What the words of
a prompt explain is then subtracted from its picture's vector. No weights, no labels: the versions' own
previews tell. How strongly to believe is chosen by cross-validation over versions; where words explain
nothing of versions that were left out, nothing is subtracted.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.domain.text import words

__all__ = ["Prompts", "ToldContent", "fit_told", "nothing_told"]

Matrix = NDArray[np.float64]
Prompts = Sequence[str | None]

LONGEST = 2_000  # characters of a prompt that are read
MOST, LEAST = 256, 3  # words learned; versions in which a word must vary
SHARE = 0.5  # of the versions that use a word at all
FOLDS = 5
ENOUGH = 0.5
WORTHWHILE = 0.02  # of what differs within versions left out; less is chance
RIDGES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 3.0, 30.0)  # times the mean variance of a word
_TAGS = re.compile(r"<[^<>]{1,200}>")  # <lora:name:0.8>: names of models, not of things


@dataclass(frozen=True, slots=True, eq=False)
class ToldContent:
    """``effect`` (K, m): what each of K ``words`` adds to a style vector; ``means`` (K): its share."""

    words: NDArray[np.str_]
    means: Matrix
    effect: Matrix

    def explained(self, prompts: Prompts | None, count: int) -> Matrix:
        """(count, m): what to subtract from the vectors of pictures with these prompts; 0 without one."""
        if prompts is None or not len(self.words):
            return np.zeros((count, self.effect.shape[1]))
        said = _said(prompts, self.words)
        known = np.array([bool(prompt) for prompt in prompts])
        return np.asarray(((said - self.means) * known[:, None]) @ self.effect)


def nothing_told(width: int) -> ToldContent:
    """Subtracts nothing from vectors of ``width`` dimensions."""
    return ToldContent(np.zeros(0, np.str_), np.zeros(0), np.zeros((0, width)))


def fit_told(vectors: Matrix, prompts: Prompts, owners: NDArray[np.int64]) -> ToldContent:
    """Learn from style ``vectors`` (n, m), the prompts of their pictures and the versions these belong to."""
    known = np.flatnonzero([bool(prompt) for prompt in prompts])
    cut = [_words(prompt) for prompt in prompts if prompt]
    found = _varying(cut, owners[known])
    if not found:
        return nothing_told(vectors.shape[1])
    learned = np.array(found, np.str_)
    said = _matrix(cut, learned)
    within, moved, places = _within(said, vectors[known], owners[known])
    ridge = _chosen_ridge(within, moved, places)
    if ridge is None:
        return nothing_told(vectors.shape[1])
    return ToldContent(learned, said.mean(0), _ridge_fit(within, moved, ridge))


def _words(prompt: str | None) -> frozenset[str]:
    read = (prompt or "")[:LONGEST]
    if len(read) == LONGEST:
        read = read.rpartition(" ")[0]  # not half a word
    return frozenset(words(_TAGS.sub(" ", read), glued=False))


def _said(prompts: Prompts, learned: NDArray[np.str_]) -> Matrix:
    return _matrix([_words(prompt) for prompt in prompts], learned)


def _matrix(cut: Sequence[frozenset[str]], learned: NDArray[np.str_]) -> Matrix:
    """(n, K): 1 where a word is said."""
    column = {str(word): place for place, word in enumerate(learned)}
    said = np.zeros((len(cut), len(learned)))
    for row, some in zip(said, cut, strict=True):
        row[[column[word] for word in some & column.keys()]] = 1
    return said


def _varying(cut: Sequence[frozenset[str]], owners: NDArray[np.int64]) -> list[str]:
    """Words of content: those that most versions which say them say of some of their pictures only."""
    names, starts = np.unique(owners[np.argsort(owners, kind="stable")], return_index=True)
    order = np.argsort(owners, kind="stable")
    varies: Counter[str] = Counter()
    occurs: Counter[str] = Counter()
    for places in np.split(order, starts[1:]) if len(names) else ():
        said = Counter(word for place in places for word in cut[place])
        occurs.update(said.keys())
        varies.update(word for word, count in said.items() if count < len(places))
    usual = [(count, word) for word, count in varies.items() if count >= max(LEAST, SHARE * occurs[word])]
    return [word for _, word in sorted(usual, key=lambda found: (-found[0], found[1]))[:MOST]]


def _within(
    said: Matrix, vectors: Matrix, owners: NDArray[np.int64]
) -> tuple[Matrix, Matrix, NDArray[np.intp]]:
    """Differences from the mean of each version, of words and of vectors, and whose they are (numbers)."""
    _, place = np.unique(owners, return_inverse=True)
    counts = np.bincount(place)[:, None]
    several = counts[place, 0] > 1
    differences = []
    for rows in (said, vectors):
        sums = np.zeros((len(counts), rows.shape[1]))
        np.add.at(sums, place, rows)
        differences.append((rows - (sums / counts)[place])[several])
    return differences[0], differences[1], place[several]


def _chosen_ridge(within: Matrix, moved: Matrix, owners: NDArray[np.intp]) -> float | None:
    """The least ridge that explains of versions left out at least ``ENOUGH`` of what the best one explains;
    None where none explains anything. A ridge that predicts best leaves some of the content in, on both sides
    of a comparison."""
    total = float((moved**2).sum())
    left = dict.fromkeys(RIDGES, 0.0)
    for fold in range(FOLDS):
        out = owners % FOLDS == fold
        if not out.any() or out.all():
            return None
        for ridge in RIDGES:
            effect = _ridge_fit(within[~out], moved[~out], ridge)
            left[ridge] += float(((moved[out] - within[out] @ effect) ** 2).sum())
    gain = total - min(left.values())
    enough = [ridge for ridge in RIDGES if total - left[ridge] >= ENOUGH * gain]
    return min(enough) if gain > WORTHWHILE * total else None


def _ridge_fit(within: Matrix, moved: Matrix, ridge: float) -> Matrix:
    scatter = within.T @ within
    level = max(float(np.trace(scatter)) / len(scatter), 1e-12)
    return np.asarray(np.linalg.solve(scatter + ridge * level * np.eye(len(scatter)), within.T @ moved))
