"""Learn what the groups of words weigh: writes indexer/data/category_weights.toml from labelled model items.

usage: scripts/learn-categories FOLDER

A softmax regression over the cues of ``indexer.domain.category_cues``, on the development half of the
cases only. Weights are pulled towards what the table of words expects ("hints"). Each creator counts by the
square root of the models made, and rare categories count more. What comes out is weights of groups written
by hand: no word, title or name of the cases enters the table.
"""

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.domain.category_cues import cues_of
from indexer.domain.vocabulary import read_table
from scripts.learning.category_cases import Case, read_cases

__all__ = ["Model", "fit", "main", "shares", "table"]

_TABLE = Path("indexer/data/category_weights.toml")
_PENALTY = 4.0  # of squared distances from what is expected; 2 does nearly as well in cross-validation
_RARE = 0.7  # power by which rare categories count more: 0 as they come, 1 all alike
_CREATORS = 3  # a cue must be seen with so many creators
_STEPS = 600
_FOLDS = 4
_RIGHT = 0.85  # of the models told a category, so many shall be right: sets the threshold
_LEAST = 0.1  # smaller weights are left out

# What a group is expected to weigh for the category it was gathered for, by place.
_EXPECTED = {"head": 1.0, "tag": 1.0, "title": 1.0, "any": 1.0, "trigger": 0.5, "start": 0.5, "file": 0.5}

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Model:
    """``weights`` (cues, categories), ``bias`` (categories)."""

    cues: tuple[str, ...]
    categories: tuple[str, ...]
    weights: Matrix
    bias: Matrix


def _cues(case: Case) -> dict[str, float]:
    seen = {name: value for name, value in case.seen.items() if name != "kind"}
    return {name: cue.value for name, cue in cues_of(training_tags=(), **seen).items()}


def _matrix(rows: Sequence[Mapping[str, float]], cues: Sequence[str]) -> Matrix:
    place = {cue: i for i, cue in enumerate(cues)}
    matrix = np.zeros((len(rows), len(cues)))
    for row, found in zip(matrix, rows, strict=True):
        for cue, value in found.items():
            if cue in place:
                row[place[cue]] = value
    return matrix


def _counting(cases: Sequence[Case], truth: NDArray[np.int64]) -> Matrix:
    """How much each case counts, 1 on average."""
    made = Counter(case.creator for case in cases)
    of_label = np.bincount(truth)
    count = np.array([made[case.creator] ** -0.5 for case in cases]) * of_label[truth] ** -_RARE
    return count / count.mean()


def fit(cases: Sequence[Case], rows: Sequence[Mapping[str, float]]) -> Model:
    """Weights by accelerated descent with a fixed number of steps: the same cases give the same table."""
    makers: dict[str, set[str]] = defaultdict(set)
    for case, row in zip(cases, rows, strict=True):
        for cue in row:
            makers[cue].add(case.creator)
    seen = {cue for cue, names in makers.items() if len(names) >= _CREATORS}
    cues = tuple(sorted(seen | {f"{place}.{group}" for place in _EXPECTED for group in _hints()}))
    categories = tuple(sorted({case.label for case in cases}))
    truth = np.array([categories.index(case.label) for case in cases])
    x = np.hstack([_matrix(rows, cues), np.ones((len(rows), 1))])
    goal, count = np.eye(len(categories))[truth], _counting(cases, truth)[:, None]
    expected = np.vstack([_expected(cues, categories), np.zeros((1, len(categories)))])
    penalty = np.full((x.shape[1], 1), 2 * _PENALTY)
    penalty[-1] = 0
    step = 1.0 / (0.5 * float(np.linalg.norm(x * np.sqrt(count), 2) ** 2) + 2 * _PENALTY)
    weights = ahead = expected
    for i in range(_STEPS):
        slope = x.T @ (count * (_softmax(x @ ahead) - goal)) + penalty * (ahead - expected)
        weights, before = ahead - step * slope, weights
        ahead = weights + i / (i + 3) * (weights - before)
    return Model(cues, categories, weights[:-1], weights[-1])


def _softmax(sums: Matrix) -> Matrix:
    powers = np.exp(sums - sums.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))


def shares(model: Model, rows: Sequence[Mapping[str, float]]) -> Matrix:
    """(cases, categories): shares of belief."""
    return _softmax(_matrix(rows, model.cues) @ model.weights + model.bias)


def _hints() -> dict[str, list[str]]:
    """Group -> the categories its words were gathered for."""
    groups = read_table("category_words.toml")["groups"]
    return {name: row["hints"] for name, row in groups.items() if "hints" in row}


def _expected(cues: Sequence[str], categories: Sequence[str]) -> Matrix:
    """(cues, categories): weights before anything is learned; the penalty pulls towards them."""
    weights, hints = np.zeros((len(cues), len(categories))), _hints()
    for row, cue in zip(weights, cues, strict=True):
        place, _, group = cue.partition(".")
        for category in hints.get(group, ()):
            if category in categories:
                row[categories.index(category)] = _EXPECTED.get(place, 0.0)
    return weights


def _folds(cases: Sequence[Case]) -> NDArray[np.int64]:
    """Fold of each case; a creator's models share one."""
    creators = {name: i % _FOLDS for i, name in enumerate(sorted({case.creator for case in cases}))}
    return np.array([creators[case.creator] for case in cases])


def _threshold(cases: Sequence[Case], rows: Sequence[Mapping[str, float]]) -> tuple[float, float]:
    """The smallest share (in steps of 0.05) above which enough are right in cross-validation over
    creators; and the part of the cases above it."""
    folds, best, right = _folds(cases), np.zeros(len(cases)), np.zeros(len(cases), bool)
    for fold in range(_FOLDS):
        inside, outside = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        model = fit([cases[i] for i in inside], [rows[i] for i in inside])
        found = shares(model, [rows[i] for i in outside])
        best[outside] = found.max(1)
        named = [model.categories[i] for i in found.argmax(1)]
        right[outside] = [cases[i].label == name for i, name in zip(outside, named, strict=True)]
    for share in np.arange(0.3, 0.96, 0.05):
        if right[best >= share].mean() >= _RIGHT:
            return round(float(share), 2), float((best >= share).mean())
    return 0.95, float((best >= 0.95).mean())


def table(sort: str, cases: Sequence[Case]) -> list[str]:
    """The lines of one sort's part of the table."""
    rows = [_cues(case) for case in cases]
    threshold, told = _threshold(cases, rows)
    model = fit(cases, rows)
    print(f"{sort}: {len(cases)} cases, {len(model.cues)} cues, threshold {threshold} ({told:.0%} told)")
    lines = [f"\n[{sort}]", f"threshold = {threshold}", f"bias = {_inline(model.categories, model.bias, 0)}"]
    place = ""
    for cue, weights in zip(model.cues, model.weights, strict=True):
        here, _, group = cue.partition(".")
        row = _inline(model.categories, weights, _LEAST)
        if row == "{}":
            continue
        if here != place:
            lines.append(f"\n[{sort}.cues.{here}]")
            place = here
        lines.append(f"{group} = {row}")
    return lines


def _inline(categories: Sequence[str], weights: Matrix, least: float) -> str:
    parts = [f'"{c}" = {w:.2f}' for c, w in zip(categories, weights, strict=True) if abs(w) >= least]
    return "{ " + ", ".join(parts).replace('"', "") + " }" if parts else "{}"


_HEAD = """\
# What each cue says of each category: rows are place.group (groups: category_words.toml; places: the module
# category_cues); the numbers are added up and become shares of belief by softmax. Above 0 speaks for, below
# against. "shape" rows tell of form: how many tags and trigger words, parentheses or a bar in the title …
# threshold: below this share nothing is said; at it, 85% of what was said was right in cross-validation over
# creators of the development half.
#
# Made by scripts/learn-categories: softmax regression on the development half of public model items with hub
# tags (creators whose name's SHA-256 is even). Weights of hand-written groups only; do not edit, learn anew.

why = "how strongly a hint speaks is measured, not felt\""""


def main(argv: Sequence[str] | None = None) -> int:
    """Write the table; 2 when there are no cases."""
    parser = argparse.ArgumentParser(prog="learn-categories", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="holds *.jsonl.xz of model items")
    cases: Any = [case for case in read_cases(parser.parse_args(argv).folder) if not case.held_out]
    if not cases:
        print("no labelled cases: give a folder that holds *.jsonl.xz of model items", file=sys.stderr)
        return 2
    lines = [_HEAD]
    for sort in ("adapter", "checkpoint"):
        lines += table(sort, [case for case in cases if case.sort == sort])
    _TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
