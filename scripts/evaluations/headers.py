"""How well do the rules tell what a file is? Runs them over a folder of labelled headers and prints the
figures.

usage: python -m scripts.evaluations.headers FOLDER [--names] [--list]

A case is a JSON file: ``tensors`` name -> [dtype or null, shape or null], ``metadata``, and ``expected``
with ``kind``, ``architecture``, ``flavour`` and perhaps ``accept_architecture``. ``--names`` lets the rules
see the file's name, ``--list`` prints every case.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.domain.header import Header, TensorEntry
from indexer.domain.verdict import Verdict
from indexer.domain.vocabulary import adapter_algorithms, architecture_path, architectures, key_formats
from indexer.rules import identify

__all__ = ["Outcome", "evaluate", "header_of", "main", "score"]

_CONFIDENT = 0.9


@dataclass(frozen=True, slots=True)
class Outcome:
    """One case judged. ``architecture`` is ``right``, ``within`` (the truth is among the candidates of the
    node answered), ``wrong``, ``none`` (no answer) or ``-`` (nothing expected); ``adapter`` the same without
    within."""

    name: str
    expected: dict[str, Any]
    verdict: Verdict
    kind: bool
    architecture: str
    included: bool
    adapter: str

    @property
    def confident_wrong(self) -> bool:
        """Wrong, and sure of it."""
        wrong = not self.kind or self.architecture == "wrong"
        return wrong and self.verdict.confidence >= _CONFIDENT


def header_of(case: dict[str, Any]) -> Header:
    """The header that a case describes; shapes never recorded become one element, as writers need some."""
    tensors: dict[str, TensorEntry] = {
        name: {"dtype": dtype or "F16", "shape": [1] if shape is None else shape, "data_offsets": [0, 0]}
        for name, (dtype, shape) in case["tensors"].items()
    }
    metadata = case.get("metadata") or {}
    texts = {key: text if isinstance(text, str) else json.dumps(text) for key, text in dict(metadata).items()}
    return Header("safetensors", tensors, texts, 0, 0)


def score(name: str, expected: dict[str, Any], verdict: Verdict) -> Outcome:
    """Judge one verdict."""
    accepted = {expected["architecture"], *expected.get("accept_architecture", ())} - {None}
    candidates = {candidate.architecture for candidate in verdict.candidates}
    included = not accepted or bool(accepted & {*candidates, *verdict.architecture_path})
    return Outcome(
        name=name,
        expected=expected,
        verdict=verdict,
        kind=verdict.kind == expected["kind"],
        architecture=_judge_architecture(accepted, candidates, verdict),
        included=included,
        adapter=_judge_adapter(expected, verdict),
    )


def _judge_architecture(accepted: set[str], candidates: set[str], verdict: Verdict) -> str:
    if not accepted:
        return "-"
    if verdict.architecture is None:
        return "none"
    if verdict.architecture in accepted:
        return "right"
    true = accepted & candidates & set(architectures())
    if any(verdict.architecture in architecture_path(architecture) for architecture in true):
        return "within"
    return "within" if true and verdict.confidence < _CONFIDENT else "wrong"


def _judge_adapter(expected: dict[str, Any], verdict: Verdict) -> str:
    """A flavour such as ``lokr-dora`` is right when the verdict's algorithm or dialect is one of its
    parts."""
    if expected["kind"] != "lora" or not expected.get("flavour"):
        return "-"
    parts = set(expected["flavour"].split("-"))
    known = parts & {*adapter_algorithms(), *key_formats()}
    return "right" if not known or known & {verdict.adapter, verdict.key_format} else "wrong"


def evaluate(folder: Path, *, names: bool = False) -> Iterator[Outcome]:
    """Judge every case of a folder, in the order of names."""
    for path in sorted(folder.glob("*.json")):
        case = json.loads(path.read_text(encoding="utf-8"))
        verdict = identify(header_of(case), file_name=f"{path.stem}.safetensors" if names else "")
        yield score(path.stem, case["expected"], verdict)


def _share(outcomes: Sequence[Outcome], part: str, *good: str) -> str:
    judged = [getattr(outcome, part) for outcome in outcomes if getattr(outcome, part) != "-"]
    right = sum(verdict in good for verdict in judged)
    return f"{right}/{len(judged)} ({right / max(1, len(judged)):.1%})"


def _line(outcome: Outcome) -> str:
    verdict = outcome.verdict
    best = ", ".join(f"{c.architecture} {c.confidence:.2f}" for c in verdict.candidates[:4])
    told = f"{verdict.kind} {verdict.architecture} {verdict.confidence:.2f}"
    told += f" {verdict.adapter}/{verdict.key_format}" if verdict.adapter else ""
    wanted = " ".join(str(outcome.expected.get(key)) for key in ("kind", "architecture", "flavour"))
    return f"{outcome.name}: wanted {wanted}; told {told} [{best}]"


def _print_report(outcomes: Sequence[Outcome]) -> None:
    kinds = sum(outcome.kind for outcome in outcomes)
    print(f"cases           {len(outcomes)}")
    print(f"kind            {kinds}/{len(outcomes)} ({kinds / max(1, len(outcomes)):.1%})")
    print(f"architecture    {_share(outcomes, 'architecture', 'right')} at the node expected")
    print(f"  or above it   {_share(outcomes, 'architecture', 'right', 'within')} with the truth a candidate")
    print(f"truth excluded  {sum(not outcome.included for outcome in outcomes)}")
    print(f"adapter         {_share(outcomes, 'adapter', 'right')}")
    print(f"confident wrong {sum(outcome.confident_wrong for outcome in outcomes)}")


def _print_lists(outcomes: Sequence[Outcome]) -> None:
    for title, chosen in (
        ("kind wrong", [o for o in outcomes if not o.kind]),
        ("architecture wrong or none", [o for o in outcomes if o.architecture in ("wrong", "none")]),
        ("truth excluded", [o for o in outcomes if not o.included]),
        ("adapter wrong", [o for o in outcomes if o.adapter == "wrong"]),
        ("confident wrong", [o for o in outcomes if o.confident_wrong]),
        ("within", [o for o in outcomes if o.architecture == "within"]),
    ):
        print(f"\n{title}: {len(chosen)}")
        print(*(f"  {_line(outcome)}" for outcome in chosen), sep="\n")
    unlike = [o for o in outcomes if o.architecture not in ("right", "-")]
    confusion = Counter(f"{o.expected['architecture']} -> {o.verdict.architecture}" for o in unlike)
    print("\nconfusion (expected -> told): number")
    print(*(f"  {pair}: {number}" for pair, number in confusion.most_common()), sep="\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Print the figures for a folder of cases; 0 when nothing confident is wrong and no truth is excluded."""
    parser = argparse.ArgumentParser(description="Judge header identification on labelled cases.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--names", action="store_true", help="let the rules see the file names")
    parser.add_argument("--list", action="store_true", help="print every case")
    options = parser.parse_args(argv)
    outcomes = list(evaluate(options.folder, names=options.names))
    if options.list:
        print(*map(_line, outcomes), sep="\n")
    _print_report(outcomes)
    _print_lists(outcomes)
    return int(any(outcome.confident_wrong or not outcome.included for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
