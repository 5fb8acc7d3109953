"""How well is style found, whatever the subject? Leave-one-out retrieval on a folder of labelled previews.

    scripts/evaluate style FOLDER

FOLDER holds ``labels.csv`` with the columns file, style and content_slot. Labels are read for scoring alone:
every descriptor and the fitted space see pixels only. Printed per row, in per cent:

mAP         mean average precision; a hit is another picture of the same style
R@1, R@5    a picture of the same style is first, among the first five
leak        the first hit shows the same subject (a third is chance where there are three)
group R@5   the right style is among the five with the highest mean score over their other pictures

Where ``labels.csv`` has a column ``prompt`` (or ``caption``), rows tell what taking prompts' words out of the
style does: of a query whose prompt is known ("told") and of one whose prompt is not. In a library the version
a preview belongs to is known; a style stands for it here. So that nothing learned from a style's own pictures
counts, two more rows are of half of the styles only, with words learned from the other half.
"""

import argparse
import csv
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.embedding.decoding import Decoded, PreviewDecoder
from indexer.embedding.encoders import unit_rows
from indexer.embedding.style import LayoutDescriptor, StyleDescriptor
from indexer.embedding.style_space import StyleSpace, fit_style_space
from indexer.embedding.whitening import fit_projection
from indexer.errors import BadFileError, TemporaryError, UsageError
from search.calibration import calibrated
from search.ranking import load_weights

__all__ = ["Case", "Figures", "cut_off_line", "evaluate", "figures", "main"]

Scores = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Case:
    """Raw descriptors of n pictures, and what they are for the judge only."""

    style: NDArray[np.float32]
    content: NDArray[np.float32]
    styles: Labels
    subjects: Labels
    prompts: Sequence[str | None] | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """Per cent."""

    mean_average_precision: float
    recall_1: float
    recall_5: float
    leak: float
    group_recall_5: float

    def __str__(self) -> str:
        values = (self.mean_average_precision, self.recall_1, self.recall_5, self.leak, self.group_recall_5)
        return "".join(f"{value:11.1f}" for value in values)


def figures(scores: Scores, styles: Labels, subjects: Labels) -> Figures:
    """Of (n, n) ``scores``, a query a row, each itself left out; styles of one picture are not asked for."""
    scores = np.asarray(scores, np.float64).copy()
    np.fill_diagonal(scores, -np.inf)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :-1]
    hits = styles[order] == styles[:, None]
    judged = hits.any(1)
    precision = np.cumsum(hits, 1) / np.arange(1, hits.shape[1] + 1)
    average = (precision * hits).sum(1) / np.maximum(hits.sum(1), 1)
    shares = (
        average[judged],
        hits[judged, 0],
        hits[judged, :5].any(1),
        (subjects[order[:, 0]] == subjects)[judged],
        group_ranks(scores, styles)[judged] < 5,
    )
    return Figures(*(100 * float(np.mean(share)) for share in shares))


def group_ranks(scores: Scores, styles: Labels) -> Labels:
    """(n): how many styles have a higher mean score over their other pictures than the query's own has."""
    member = np.eye(int(styles.max()) + 1)[styles]
    np.fill_diagonal(scores, 0.0)
    counts = np.tile(member.sum(0), (len(styles), 1)) - member
    means = np.where(counts > 0, scores @ member / np.maximum(counts, 1), -np.inf)
    own = means[np.arange(len(styles)), styles]
    return np.asarray((means > own[:, None]).sum(1), np.int64)


def cosine(rows: NDArray[np.floating]) -> Scores:
    """(n, n) cosines."""
    unit = unit_rows(rows)
    return np.asarray(unit @ unit.T, np.float64)


def read_case(folder: Path) -> Case:
    """Decode and describe all pictures of ``folder``; one that cannot be decoded is named and skipped."""
    table = folder / "labels.csv"
    if not table.is_file():
        raise UsageError("no_labels", f"{table}: no such file; give a folder that holds labels.csv")
    with table.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    kept, style, content = [], [], []
    descriptor, layout = StyleDescriptor(), LayoutDescriptor()
    with PreviewDecoder() as decoder:
        for place, outcome in decoder.decode_many(folder / row["file"] for row in rows):
            if isinstance(outcome, Decoded):
                kept.append(rows[place])
                style.append(descriptor.encode([outcome.rgb])[0])
                content.append(layout.encode([outcome.rgb])[0])
            else:
                report_skipped(outcome)
    labels = numbered(kept, "style"), numbered(kept, "content_slot")
    return Case(np.array(style), np.array(content), *labels, _prompts(kept))


def _prompts(rows: Sequence[dict[str, str]]) -> list[str | None] | None:
    """What the pictures were asked for, without what they were to avoid; None where nothing is known."""
    said = [(row.get("prompt") or row.get("caption") or "").partition("###")[0] or None for row in rows]
    return said if any(said) else None


def report_skipped(error: BadFileError | TemporaryError) -> None:
    """One line on stderr."""
    print(f"skipped: {error} ({error.code})", file=sys.stderr)


def numbered(rows: Sequence[dict[str, str]], column: str) -> Labels:
    """The values of ``column`` as numbers 0, 1, ..."""
    return np.unique([row[column] for row in rows], return_inverse=True)[1].astype(np.int64)


def fitted(case: Case, prompts: Sequence[str | None] | None = None) -> StyleSpace:
    """The shipped space, fitted without labels; with ``prompts``, styles are the versions they belong to."""
    identities = StyleDescriptor().identity, LayoutDescriptor().identity
    return fit_style_space(case.style, case.content, *identities, prompts=prompts, owners=case.styles)


def shipped(case: Case) -> Scores:
    """Scores as a vector index gives them."""
    space = fitted(case)
    queries, rows = space.query_rows(case.style, case.content), space.index_rows(case.style, case.content)
    return np.asarray(queries @ rows.T, np.float64)


def evaluate(case: Case) -> dict[str, Figures]:
    """Each step of the way, and the whole."""
    statistics, contrasts = StyleDescriptor.split(case.style)
    weights = StyleDescriptor.weights()
    ways: dict[str, Callable[[], Scores]] = {
        "chance": lambda: np.random.default_rng(0).normal(size=(len(case.style),) * 2),
        "layout": lambda: cosine(fit_projection(case.content, 20, whitening=0.6).apply(case.content)),
        "statistics": lambda: cosine((statistics - statistics.mean(0)) / (statistics.std(0) + 1e-6)),
        "half-whitened": lambda: cosine(
            fit_projection(statistics, 256, weights, whitening=0.5).apply(statistics)
        ),
        "nuisance shrunk": lambda: cosine(
            fit_projection(statistics, 256, weights, contrasts).apply(statistics)
        ),
        "content-centred": lambda: cosine(fitted(case).transform(case.style, case.content)),
        "shipped": lambda: shipped(case),
    }
    found = {name: figures(way(), case.styles, case.subjects) for name, way in ways.items()}
    return found | (told_figures(case, case.prompts) if case.prompts is not None else {})


def told_figures(case: Case, prompts: Sequence[str | None]) -> dict[str, Figures]:
    """The shipped pipeline where prompts are known."""
    taught = np.random.default_rng(0).permutation(int(case.styles.max()) + 1)[::2]
    other = ~np.isin(case.styles, taught)
    half = [None if left else prompt for prompt, left in zip(prompts, other, strict=True)]
    everyone = np.ones(len(prompts), bool)
    ways = {
        "told": (prompts, prompts, everyone),
        "query untold": (prompts, None, everyone),
        "half: shipped": (None, None, other),
        "half: told": (half, prompts, other),
        "half: q. untold": (half, None, other),
    }
    found = {}
    for name, (learned, asked, judged) in ways.items():
        space = fitted(case, learned)
        known = None if learned is None else prompts
        rows = space.index_rows(case.style, case.content, known)
        scores = space.query_rows(case.style, case.content, asked) @ rows.T
        styles = np.unique(case.styles[judged], return_inverse=True)[1].astype(np.int64)
        found[name] = figures(scores[np.ix_(judged, judged)], styles, case.subjects[judged])
    return found


def cut_off_line(case: Case) -> str:
    """What the cut-off of ``similar --by style`` lets through, pictures against whole styles."""
    least = load_weights().numbers["alike_style"]
    scores = shipped(case)
    np.fill_diagonal(scores, 0.0)
    member = np.eye(int(case.styles.max()) + 1)[case.styles]
    counts = np.tile(member.sum(0), (len(scores), 1)) - member
    means = scores @ member / np.maximum(counts, 1)
    known = counts > 0
    passed = np.zeros_like(known)
    for row, mean in enumerate(means):
        passed[row, known[row]] = calibrated(mean[known[row]], mean[known[row]], np.inf) >= least
    right = (member > 0) & known
    precision, chance = (100 * right[some].mean() if some.any() else 0.0 for some in (passed, known))
    recall = 100 * (right & passed).sum() / max(right.sum(), 1)
    return (
        f"cut-off {least}: {passed.sum(1).mean():.1f} styles a picture, {precision:.1f}% right "
        f"(chance {chance:.1f}%), {recall:.1f}% of the right ones"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; 2 on wrong usage."""
    parser = argparse.ArgumentParser(prog="style", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="holds labels.csv and the pictures it names")
    folder = parser.parse_args(argv).folder
    started = time.monotonic()
    try:
        case = read_case(folder)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    seconds = time.monotonic() - started
    print(
        f"{len(case.styles)} pictures, {len(set(case.styles.tolist()))} styles, {seconds:.0f} s to describe"
    )
    print(f"{'':18}" + "".join(f"{name:>11}" for name in ("mAP", "R@1", "R@5", "leak", "group R@5")))
    for name, found in evaluate(case).items():
        print(f"{name:18}{found}")
    print(cut_off_line(case))
    return 0


if __name__ == "__main__":
    sys.exit(main())
