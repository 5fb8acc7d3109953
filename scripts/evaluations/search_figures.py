"""Figures of answers: reciprocal rank, recall and discounted gain within the first ten, and their table."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import log2

from rich.console import Console
from rich.table import Table

__all__ = ["DEPTH", "TARGETS", "Figures", "figures_of", "mean", "show"]

DEPTH = 10
TARGETS = {
    "name": ("mrr", 0.95),
    "dropped": ("mrr", 0.88),
    "mistyped": ("mrr", 0.93),
    "trigger": ("mrr", 0.93),
    "creator": ("mrr", 0.90),
    "prompt": ("recall", 0.60),
}
"""What is to be reached, by task: the figure and its least value."""

TITLES = {
    "name": "name",
    "dropped": "a word dropped, shuffled",
    "mistyped": "mistyped",
    "trigger": "trigger word",
    "creator": "creator + subject",
    "prompt": "prompt to model",
    "topic": "topic, tags hidden",
}


@dataclass(frozen=True, slots=True)
class Figures:
    """Means over ``cases`` queries, each 0..1, at a depth of ten; ``ms`` is the median time of an answer."""

    mrr: float
    recall: float
    ndcg: float
    cases: int = 1
    ms: float = 0.0


def figures_of(found: Sequence[int], wanted: Collection[int], depth: int = DEPTH) -> Figures:
    """Of one answer. With one wanted model recall is 0 or 1; of more than ``depth``, so many are all."""
    first = found[:depth]
    hits = [id_ in wanted for id_ in first]
    most = min(depth, len(wanted))
    ideal = sum(1 / log2(place + 2) for place in range(most))
    gain = sum(hit / log2(place + 2) for place, hit in enumerate(hits))
    rank = hits.index(True) + 1 if True in hits else 0
    return Figures(1 / rank if rank else 0.0, sum(hits) / most, gain / ideal)


def mean(rows: Sequence[Figures], times: Sequence[float]) -> Figures:
    """The mean of single answers; ``times`` in seconds."""
    count = len(rows)
    middle = sorted(times)[count // 2] * 1000
    return Figures(
        sum(row.mrr for row in rows) / count,
        sum(row.recall for row in rows) / count,
        sum(row.ndcg for row in rows) / count,
        count,
        middle,
    )


def show(
    console: Console, task: str, rows: Mapping[str, Figures], ours: Collection[str], chance: float | None
) -> bool:
    """Print one task's table; whether every engine of ours reaches what is to be reached.

    ``chance`` is the MRR of the perfect answer where several models fit a query alike; None: not known.
    """
    which, least = TARGETS.get(task, ("", 0.0))
    goal = f", to reach: {_NAMES[which]} {least:.2f}" if which else ""
    cases = next(iter(rows.values())).cases
    best = "" if chance is None else f" ({chance:.3f} when equals come in any order)"
    table = Table(title=f"{TITLES[task]}: {cases} queries{goal}{best}", title_justify="left")
    table.add_column("")
    for head in (*_NAMES.values(), "median ms"):
        table.add_column(head, justify="right")
    table.add_column("")
    reached = True
    for name, row in rows.items():
        mark = ""
        if name in ours and which:
            passed = getattr(row, which) >= least
            reached = reached and passed
            mark = "[green]✓[/]" if passed else "[red]✗[/]"
        numbers = (f"{row.mrr:.3f}", f"{row.recall:.3f}", f"{row.ndcg:.3f}", f"{row.ms:.1f}")
        table.add_row(name, *numbers, mark, style="bold" if name in ours else "")
    console.print(table)
    return reached


_NAMES = {"mrr": "MRR@10", "recall": "recall@10", "ndcg": "nDCG@10"}
