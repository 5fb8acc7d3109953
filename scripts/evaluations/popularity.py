"""How much are honest counts of downloads touched, and where do farmed ones fall?

usage: python -m scripts.evaluations.popularity FOLDER

FOLDER holds ``*.jsonl`` or ``*.jsonl.xz`` files of Civitai API v1 model items, one a line. Models are told
with all signs of use that the hub shows, and once more with votes alone, as the oldest sidecars have them;
then a million farmed downloads are placed among the honest ones.
"""

import argparse
import lzma
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from typing import Any, NamedTuple

import orjson

from indexer.domain.popularity import believed_downloads

__all__ = ["Counted", "evaluate", "main"]

_BANDS = (0, 1_000, 3_000, 10_000, 30_000, 10**12)
_FARMED: tuple[tuple[str, dict[str, int]], ...] = (
    ("3 votes", {"votes": 3}),
    ("3 votes, a million tipped", {"votes": 3, "tips": 10**6}),
    ("3 votes, 500 comments", {"votes": 3, "comments": 500}),
    ("50 votes and favourites each", {"votes": 50, "favourites": 50}),
    ("nothing", {}),
)


class Counted(NamedTuple):
    """A model's downloads, and how many of them are believed."""

    downloads: int
    votes: int
    by_all: float
    by_votes: float


def evaluate(folder: Path) -> Iterator[Counted]:
    """All models of a folder's dumps that count downloads."""
    for path in sorted([*folder.glob("*.jsonl"), *folder.glob("*.jsonl.xz")]):
        with lzma.open(path) if path.suffix == ".xz" else path.open("rb") as lines:
            for item in map(orjson.loads, lines):
                if (item.get("stats") or {}).get("downloadCount"):
                    yield _counted(item["stats"])


def _counted(stats: dict[str, Any]) -> Counted:
    downloads, votes = int(stats["downloadCount"]), int(stats.get("ratingCount") or 0)
    votes += int(stats.get("thumbsUpCount") or 0) + int(stats.get("thumbsDownCount") or 0)
    signs = {"favourites": stats.get("favoriteCount"), "comments": stats.get("commentCount")}
    signs["tips"] = stats.get("tippedAmountCount")
    by_all = believed_downloads(downloads, votes=votes, **signs)
    return Counted(downloads, votes, by_all, believed_downloads(downloads, votes=votes))


def _print_signs(models: Sequence[Counted]) -> None:
    silent = [model.downloads for model in models if not model.votes]
    ratios = [model.downloads / model.votes for model in models if model.votes and model.downloads >= 3_000]
    for title, values in (("without a vote", silent), ("a vote, from 3,000 on", ratios)):
        if len(values) > 1:
            marks = quantiles(values, n=100, method="inclusive")
            told = (
                f"half {marks[49]:,.0f}",
                f"one in ten {marks[89]:,.0f}",
                f"one in a hundred {marks[98]:,.0f}",
            )
            print(f"downloads {title:24}{', '.join(told)}")


def _print_touched(models: Sequence[Counted]) -> None:
    print("downloads                models   believed by all signs      by votes alone")
    print("                                  median  touched  halved    median  touched  halved")
    for low, high in pairwise(_BANDS):
        band = [model for model in models if low <= model.downloads < high]
        cells = []
        for kept in ([m.by_all / m.downloads for m in band], [m.by_votes / m.downloads for m in band]):
            touched, halved = sum(k < 1 for k in kept), sum(k < 0.5 for k in kept)
            share = max(1, len(band))
            cells.append(f"{median(kept or [1]):6.2f}  {touched / share:6.1%}  {halved / share:6.1%}")
        print(f"{low:>9,} to {min(high, 999_999):>9,}  {len(band):7}   {'    '.join(cells)}")


def _print_farmed(models: Sequence[Counted]) -> None:
    honest = sorted(model.by_all for model in models if 15_000 <= model.downloads < 25_000)
    for title, signs in _FARMED:
        believed = believed_downloads(1_000_000, **signs)
        below = sum(one < believed for one in honest)
        place = f"of {len(honest)} honest near 20,000 it passes {below}"
        print(f"a million with {title:30} counts as {believed:9,.0f}; {place}")


def main(argv: Sequence[str] | None = None) -> int:
    """Print the figures for a folder of dumps."""
    parser = argparse.ArgumentParser(description="Judge how downloads are believed.")
    parser.add_argument("folder", type=Path)
    models = list(evaluate(parser.parse_args(argv).folder))
    print(f"models {len(models)}")
    _print_signs(models)
    _print_touched(models)
    _print_farmed(models)
    return 0


if __name__ == "__main__":
    sys.exit(main())
