"""How well do names tell the family? Guesses it from version and file names of a hub's items and compares it
with the base label they were published under.

usage: python -m scripts.evaluations.families FOLDER [--list]

FOLDER holds ``*.jsonl`` or ``*.jsonl.xz`` files of Civitai API v1 model items, one a line. The label gives
the architecture, as tensors would; only the family is guessed. A label without a family (``SDXL 1.0``) does
not deny one: models were published under it before their family had a label, so such guesses are counted
apart.
"""

import argparse
import lzma
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from indexer.domain.claims import Claim, ClaimSet
from indexer.domain.vocabulary import BaseLabel, architecture_path, base_label
from indexer.rules.families import guess_families
from indexer.rules.hints import gather_hints

__all__ = ["Guessed", "evaluate", "main"]

_BOUNDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.01)


@dataclass(frozen=True, slots=True)
class Guessed:
    """One version: its names, the family of its label, the best guess and how sure it is."""

    names: str
    label: str
    truth: str | None
    guess: str | None
    confidence: float


def items(folder: Path) -> Iterator[dict[str, Any]]:
    """All items of a folder's dumps, file by file."""
    for path in sorted([*folder.glob("*.jsonl"), *folder.glob("*.jsonl.xz")]):
        with lzma.open(path) if path.suffix == ".xz" else path.open("rb") as lines:
            yield from map(orjson.loads, lines)


def evaluate(folder: Path) -> Iterator[Guessed]:
    """Guess the family of every version whose label names an architecture that we know."""
    for item in items(folder):
        for version in item.get("modelVersions") or ():
            label = base_label(str(version.get("baseModel") or ""))
            if label and label.architecture:
                files = [str(file.get("name") or "") for file in version.get("files") or ()][:1]
                yield _guess(str(version.get("name") or ""), files[0] if files else "", label)


def _guess(version: str, file_name: str, label: BaseLabel) -> Guessed:
    said = ClaimSet("hub:names", (Claim("version", version),), {})
    root = architecture_path(str(label.architecture))[0]
    found = guess_families(root, gather_hints({}, file_name, None, (said,)))
    best = found.ranked[0] if found.ranked else None
    names = f"{version} | {file_name}"
    guess, confidence = (best.family, best.confidence) if best else (None, 0.0)
    return Guessed(names, label.id, label.family, guess, confidence)


def _print_report(guesses: Sequence[Guessed]) -> None:
    labelled = [guess for guess in guesses if guess.truth]
    told = [guess for guess in labelled if guess.guess]
    right = sum(guess.guess == guess.truth for guess in told)
    others = [guess for guess in guesses if not guess.truth and guess.guess]
    print(f"versions                        {len(guesses)}")
    print(f"labelled with a family          {len(labelled)}")
    print(f"  precision                     {right}/{len(told)} ({right / max(1, len(told)):.1%})")
    print(f"  recall                        {right}/{len(labelled)} ({right / max(1, len(labelled)):.1%})")
    print(f"guessed where the label has none {len(others)}/{len(guesses) - len(labelled)}")
    print("confidence    labelled right/all    guessed without such a label")
    low = 0.0
    for high in _BOUNDS:
        inside = [guess for guess in told if low <= guess.confidence < high]
        beside = sum(low <= guess.confidence < high for guess in others)
        good = sum(guess.guess == guess.truth for guess in inside)
        print(f"{low:.1f} to {min(high, 1):.1f}    {good}/{len(inside)}    {beside}")
        low = high
    for (label, family), number in Counter((guess.label, guess.guess) for guess in others).most_common(12):
        print(f"  {label} -> {family}: {number}")


def main(argv: Sequence[str] | None = None) -> int:
    """Print the figures for a folder of dumps."""
    parser = argparse.ArgumentParser(description="Judge families guessed from names.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--list", action="store_true", help="print every guess")
    options = parser.parse_args(argv)
    guesses = list(evaluate(options.folder))
    if options.list:
        for guess in guesses:
            if guess.guess or guess.truth:
                print(f"{guess.label} {guess.truth}: {guess.guess} {guess.confidence:.2f} {guess.names}")
    _print_report(guesses)
    return 0


if __name__ == "__main__":
    sys.exit(main())
