"""How well are categories told and judged? Measures them against the category tags of a hub's model items.

usage: python -m evaluations.categories FOLDER [--wrong]

Three answers to each case, for the development half (its creators are what weights were learned from) and the
held-out half (creators never looked at):

- as published: with the hub's category tag among the tags, as crawls, dumps and most sidecars give it;
- every one judged: category tags hidden, the likeliest candidate taken however unsure;
- as answered: category tags hidden, silent below the threshold; silence counts as a miss in "all".

Macro F1 is the mean over the categories with 15 cases or more in the half; rarer ones are printed, not
averaged. For checkpoints the label is the one look that people's tags name; those tags are hidden.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from indexer.domain.categories import CategoryVerdict, judge_category
from scripts.learning.category_cases import Case, read_cases

__all__ = ["ENOUGH", "Score", "answers", "macro", "main", "published", "scores"]

ENOUGH = 15
_SHARES = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.01)

Pairs = Sequence[tuple[str, str | None]]


@dataclass(frozen=True, slots=True)
class Score:
    """One category: shares 0..1 and the number of cases."""

    category: str
    precision: float
    recall: float
    f1: float
    support: int


def scores(pairs: Pairs) -> list[Score]:
    """One row for each true category of (truth, answer) pairs, most frequent first."""
    return sorted(
        (_score(category, pairs) for category in {truth for truth, _ in pairs}), key=lambda row: -row.support
    )


def _score(category: str, pairs: Pairs) -> Score:
    both = sum(truth == answer == category for truth, answer in pairs)
    told = sum(answer == category for _, answer in pairs)
    support = sum(truth == category for truth, _ in pairs)
    return Score(category, both / max(1, told), both / support, 2 * both / (told + support), support)


def macro(pairs: Pairs, enough: int = ENOUGH) -> float:
    """Mean F1 over the categories with at least ``enough`` cases."""
    kept = [row.f1 for row in scores(pairs) if row.support >= enough]
    return sum(kept) / max(1, len(kept))


def published(cases: Iterable[Case]) -> list[tuple[str, str | None]]:
    """(truth, answer) with all tags given."""
    return [(c.label, judge_category(**{**c.seen, "tags": c.tags}).category) for c in cases]


def answers(cases: Iterable[Case]) -> list[tuple[Case, CategoryVerdict]]:
    """Each case judged without the tags that name its category."""
    return [(case, judge_category(**case.seen)) for case in cases]


def forced(judged: Sequence[tuple[Case, CategoryVerdict]]) -> list[tuple[str, str | None]]:
    """(truth, likeliest candidate)."""
    return [(case.label, v.candidates[0][0] if v.candidates else None) for case, v in judged]


def _right(pairs: Pairs) -> str:
    return f"{sum(t == a for t, a in pairs) / max(1, len(pairs)):6.3f}"


def _report(title: str, judged: Sequence[tuple[Case, CategoryVerdict]]) -> None:
    cases = [case for case, _ in judged]
    every = forced(judged)
    answered = [(case.label, verdict.category) for case, verdict in judged]
    said = [pair for pair in answered if pair[1] is not None]
    given = published(cases)
    print(f"\n{title}: {len(cases)} models of {len({case.creator for case in cases})} creators")
    print(f"{'':26} right macro F1")
    print(f"  as published            {_right(given)} {macro(given):8.3f}")
    print(f"  every one judged        {_right(every)} {macro(every):8.3f}")
    print(f"  as answered, all        {_right(answered)} {macro(answered):8.3f}")
    print(f"  as answered, of {len(said) / len(cases):4.0%} said {_right(said)} {macro(said):7.3f}")
    print("\n  every one judged:    precision recall    F1 cases      as answered: precision recall")
    found = {row.category: row for row in scores(answered)}
    for row in scores(every):
        told = found[row.category]
        print(
            f"    {row.category:18}{row.precision:8.2f}{row.recall:8.2f}{row.f1:7.2f}{row.support:5}"
            f"{told.precision:21.2f}{told.recall:8.2f}" + ("  (not averaged)" if row.support < ENOUGH else "")
        )
    _print_reliability(judged)


def _print_reliability(judged: Sequence[tuple[Case, CategoryVerdict]]) -> None:
    print("\n  confidence   models   mean   right")
    for low, high in pairwise(_SHARES):
        kept = [(c, v) for c, v in judged if v.candidates and low <= v.confidence < high]
        if kept:
            mean = sum(v.confidence for _, v in kept) / len(kept)
            print(f"  {low:.1f}..{min(high, 1.0):.1f}   {len(kept):8}  {mean:5.2f}  {_right(forced(kept))}")


def _print_wrong(judged: Sequence[tuple[Case, CategoryVerdict]]) -> None:
    for case, verdict in judged:
        if verdict.category not in (None, case.label):
            print(f"  {case.label}: {case.seen['title']!r} {case.seen['tags']}: {verdict.why}")


def main(argv: Sequence[str] | None = None) -> int:
    """Print the figures; 2 when the folder holds no cases."""
    parser = argparse.ArgumentParser(prog="categories", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="holds *.jsonl.xz of model items")
    parser.add_argument("--wrong", action="store_true", help="print wrong answers of the development half")
    options = parser.parse_args(argv)
    judged = answers(read_cases(options.folder))
    if not judged:
        print(f"{options.folder}: no labelled model items in *.jsonl.xz", file=sys.stderr)
        return 2
    for sort in ("adapter", "checkpoint"):
        for half, held_out in (("development", False), ("held out", True)):
            kept = [(c, v) for c, v in judged if c.sort == sort and c.held_out == held_out]
            if kept:
                _report(f"{sort}s, {half}", kept)
            if options.wrong and not held_out:
                _print_wrong(kept)
    return 0


if __name__ == "__main__":
    sys.exit(main())
