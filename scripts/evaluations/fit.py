"""Does the verdict on adapters and bases hold? Every adapter of a folder of labelled headers on every base.

usage: python -m scripts.evaluations.fit FOLDER [--list VERDICT]

Prints the verdicts by how the labels of the two stand to each other (``same`` architecture, other below the
same ``root``, ``cross``), and how hubs judge the same pairs by label alone. Pairs that headers cannot tell
apart, and bases of another size under the adapter's label, are shown to be so (``fit_excuses.py``), counted
apart and named; any other pair that goes against its labels is listed, and the exit status is 1. Listings cut
short with invented shapes (``tier`` 5, not ``complete``) are left out.
"""

import argparse
import json
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from indexer.checking import Base, Side, base_of, check_sides
from indexer.domain.fit import FitVerdict
from indexer.domain.header import Header
from indexer.domain.vocabulary import architecture_path, is_under
from indexer.rules import identify
from indexer.rules.fit_profile import fit_profile, subject_of
from scripts.evaluations.fit_excuses import excuse, twins
from scripts.evaluations.headers import header_of

__all__ = ["ADAPTERS", "Pair", "evaluate", "label_verdict", "labelled_headers", "main"]

ADAPTERS = frozenset({"lora", "control_lora"})
_BASES = frozenset({"checkpoint", "diffusion_model"})
_RULES = Path(__file__).with_name("civitai_rules.toml")


@dataclass(frozen=True, slots=True)
class Pair:
    """An adapter on a base: how their labels stand to each other, our verdict, and that by label alone
    (``None`` where labels have no ecosystem)."""

    adapter: str
    base: str
    relation: str
    verdict: FitVerdict
    by_label: str | None
    lookalike: bool
    excuse: str = ""

    @property
    def wrong(self) -> bool:
        """Whether verdict and labels contradict each other, and nothing in the headers excuses it."""
        if self.excuse or self.verdict.verdict == "compatible":
            return not self.excuse and self.relation == "cross"
        if self.relation != "same":
            return False
        partial = self.verdict.verdict == "partial"
        return not (partial and (self.verdict.idle or self.verdict.unmatched))


def labelled_headers(folder: Path, kinds: frozenset[str]) -> Iterator[tuple[str, dict[str, Any], Header]]:
    """The headers of a folder that are labelled as one of these kinds, with name and labels."""
    for path in sorted(folder.glob("*.json")):
        case = json.loads(path.read_text("utf-8"))
        if case["expected"]["kind"] in kinds and (case["tier"] < 5 or case["complete"]):
            yield path.stem, case["expected"], header_of(case)


def _sides(folder: Path, kinds: frozenset[str]) -> Iterator[tuple[str, dict[str, Any], Side]]:
    for name, expected, header in labelled_headers(folder, kinds):
        verdict = identify(header)
        yield name, expected, Side(subject_of(verdict), fit_profile(header, verdict.kind))


def evaluate(folder: Path) -> Iterator[Pair]:
    """Every adapter of the folder on every base."""
    bases = [(name, expected, base_of(side)) for name, expected, side in _sides(folder, _BASES)]
    for name, expected, side in _sides(folder, ADAPTERS):
        for base_name, base_expected, base in bases:
            yield _pair(name, expected, side, base_name, base_expected, base)


def _pair(
    name: str, expected: dict[str, Any], side: Side, base_name: str, base_expected: dict[str, Any], base: Base
) -> Pair:
    mine = {expected["architecture"], *expected.get("accept_architecture", ())}
    theirs = base_expected["architecture"]
    options = {architecture_path(key)[0] for key, _ in side.subject.options}
    verdict = check_sides(side, base)
    pair = Pair(
        name,
        base_name,
        _relation(mine, theirs),
        verdict,
        label_verdict(expected["architecture"], theirs),
        architecture_path(theirs)[0] in options,
    )
    return replace(pair, excuse=excuse(side, mine, base, verdict)) if pair.wrong else pair


def _relation(mine: set[str], theirs: str) -> str:
    if any(is_under(theirs, one) or is_under(one, theirs) for one in mine):
        return "same"
    roots = {architecture_path(one)[0] for one in mine}
    return "root" if architecture_path(theirs)[0] in roots else "cross"


def label_verdict(adapter: str, base: str) -> str | None:
    """What Civitai's rules say of two labels."""
    table = tomllib.loads(_RULES.read_text("utf-8"))
    mine, theirs = (_ecosystem(name, table["ecosystems"]) for name in (adapter, base))
    if mine is None or theirs is None:
        return None
    if mine == theirs:
        return "compatible"
    return "partial" if theirs in table["partial"].get(mine, ()) else "incompatible"


def _ecosystem(name: str, table: dict[str, str]) -> str | None:
    return next((table[node] for node in reversed(architecture_path(name)) if node in table), None)


def _print_table(title: str, counts: Counter[tuple[str, str]]) -> None:
    rows = sorted({row for row, _ in counts})
    columns = ("compatible", "partial", "incompatible", "unknown")
    print(f"\n{title:<24}" + "".join(f"{column:>14}" for column in columns))
    for row in rows:
        print(f"{row:<24}" + "".join(f"{counts[row, column]:>14,}" for column in columns))


def _row(pair: Pair) -> str:
    return f"{pair.relation}, {_EXCUSES[pair.excuse]}" if pair.excuse else pair.relation


_EXCUSES = {"untold": "cannot be told", "size": "other size"}


def _print_excused(folder: Path, pairs: Sequence[Pair]) -> None:
    """Which adapters the excused pairs are of, and what shows that nobody could tell."""
    headers = {
        name: (expected["architecture"], header)
        for name, expected, header in labelled_headers(folder, ADAPTERS)
    }
    for kind, title in (
        (
            "untold",
            "cannot be told from headers: fits both models wholly, and nothing in the file says for which",
        ),
        ("size", "another size under one label: the adapter fits one, the base is of another"),
    ):
        excused = [pair for pair in pairs if pair.excuse == kind]
        print(f"\n{len(excused)} pairs {title}")
        for name in dict.fromkeys(pair.adapter for pair in excused):
            bases = ", ".join(pair.base for pair in excused if pair.adapter == name)
            print(f"  {name} ({headers[name][0]}) on {bases}")
            for twin in twins(name, headers):
                print(f"    the same listing but for the rank: {twin} ({headers[twin][0]})")


def _print_wrong(pairs: Sequence[Pair]) -> None:
    print(f"\n{len(pairs)} other pairs against their labels")
    for pair in pairs:
        told = f"{pair.relation}, {pair.verdict.verdict}: {pair.adapter} on {pair.base}"
        print(f"  {told}: {pair.verdict.reasons[0]}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: ``fit.py FOLDER [--list VERDICT]``."""
    parser = argparse.ArgumentParser(description="Adapters on bases, against their labels.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--list", metavar="VERDICT", help="print the pairs with this verdict")
    options = parser.parse_args(arguments)
    pairs = list(evaluate(options.folder))
    if not pairs:
        print(f"{options.folder}: no labelled header listings of adapters and bases", file=sys.stderr)
        return 2
    print(f"{len(pairs):,} pairs")
    _print_table("labels, then verdict", Counter((_row(pair), pair.verdict.verdict) for pair in pairs))
    known = [pair for pair in pairs if pair.by_label]
    _print_table("by label, then verdict", Counter((str(p.by_label), p.verdict.verdict) for p in known))
    for pair in pairs:
        if pair.verdict.verdict == options.list:
            print(pair.relation, pair.adapter, pair.base, *pair.verdict.reasons[:1], sep=" | ")
    wrong = [pair for pair in pairs if pair.wrong]
    _print_excused(options.folder, pairs)
    _print_wrong(wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
