"""Which models are taken for which? Identifies thousands of headers made from the reference layouts.

usage: python -m scripts.evaluations.confusion [--part NAME] [--every N] [--seed N] [--list]

Parts: ``whole`` models behind every prefix and in every quantised form, ``checkpoints`` with their VAE and
text encoders, ``adapters`` in every dialect and scope, and all of them ``trimmed`` to 5-50 % of their
tensors. Prints, for each part, how often the answer is right, above the truth, silent or wrong, and the list
of confusions; ``--every N`` looks at each N-th header only.
"""

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from indexer.domain.verdict import Verdict
from indexer.domain.vocabulary import is_under, lookalikes
from indexer.rules import identify

from .generated import Sample, adapters, checkpoints, trimmed, whole_models

__all__ = ["CONFIDENT", "Judged", "judge", "main", "parts"]

CONFIDENT = 0.9
_SHARES = (0.05, 0.1, 0.2, 0.35, 0.5)


@dataclass(frozen=True, slots=True)
class Judged:
    """One sample and the answer to it. ``outcome`` is ``right`` (the architecture itself or an identical
    twin), ``above`` (a node above it), ``beside`` (another, the truth among the candidates), ``none`` or
    ``wrong``; ``included`` says that the truth was not ruled out."""

    sample: Sample
    verdict: Verdict
    kind: bool
    outcome: str
    included: bool

    @property
    def confident_wrong(self) -> bool:
        """Wrong of kind or architecture, and sure of it."""
        faulty = self.outcome in ("wrong", "beside") or not self.kind
        return faulty and self.verdict.confidence >= CONFIDENT


def judge(sample: Sample) -> Judged:
    """Identify a sample without metadata or name."""
    verdict = identify(sample.make())
    twins = lookalikes(sample.architecture)
    answer = verdict.architecture
    candidates = {candidate.architecture for candidate in verdict.candidates}
    allowed = {*candidates, *([answer] if answer else [])}
    open_to = any(is_under(twin, one) for twin in twins for one in allowed)
    if answer is None:
        outcome = "none"
    elif any(is_under(answer, twin) for twin in twins):
        outcome = "right"
    elif any(is_under(twin, answer) for twin in twins):
        outcome = "above"
    else:
        outcome = "beside" if open_to else "wrong"
    return Judged(sample, verdict, verdict.kind == sample.kind, outcome, open_to or answer is None)


def parts(seed: int) -> dict[str, Iterator[Sample]]:
    """The samples of every part, made as they are asked for."""
    chance = random.Random(seed)
    every = enumerate(chain(whole_models(), checkpoints(), adapters(seed)), seed)
    return {
        "whole": whole_models(),
        "checkpoints": checkpoints(),
        "adapters": adapters(seed),
        "trimmed": (trimmed(sample, number, chance.choice(_SHARES)) for number, sample in every),
    }


def _print(title: str, judged: Sequence[Judged], listed: bool) -> None:
    outcomes = Counter(one.outcome for one in judged)
    print(f"\n{title}: {len(judged)} headers")
    print(f"  kind right      {sum(one.kind for one in judged) / max(1, len(judged)):.2%}")
    print(f"  architecture    {', '.join(f'{key} {number}' for key, number in outcomes.most_common())}")
    print(f"  truth excluded  {sum(not one.included for one in judged)}")
    print(f"  confident wrong {sum(one.confident_wrong for one in judged)}")
    faulty = [one for one in judged if one.confident_wrong or not one.included or not one.kind]
    pairs = Counter(
        f"{one.sample.kind} {one.sample.architecture} -> {one.verdict.kind} {one.verdict.architecture}"
        f"{' CONFIDENT' if one.confident_wrong else ''}"
        for one in faulty
    )
    print(*(f"    {pair}: {number}" for pair, number in pairs.most_common(None if listed else 40)), sep="\n")
    if listed:
        print(*(f"    {one.sample.name}: {_told(one.verdict)}" for one in faulty), sep="\n")


def _told(verdict: Verdict) -> str:
    best = ", ".join(f"{c.architecture} {c.confidence:.2f}" for c in verdict.candidates[:4])
    return f"{verdict.kind} {verdict.architecture} {verdict.confidence:.2f} [{best}]"


def _every(samples: Iterable[Sample], step: int) -> Iterator[Sample]:
    return islice(samples, 0, None, step)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the figures; 0 when nothing confident is wrong and no whole or adapted model is ruled out."""
    parser = argparse.ArgumentParser(description="Judge identification on headers made from layouts.")
    parser.add_argument("--part", choices=sorted(parts(0)), action="append", help="only this part")
    parser.add_argument("--every", type=int, default=1, help="look at each N-th header only")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--list", action="store_true", help="print every faulty header")
    options = parser.parse_args(argv)
    bad = False
    for name, samples in parts(options.seed).items():
        if not options.part or name in options.part:
            judged = [judge(sample) for sample in _every(samples, options.every)]
            _print(name, judged, options.list)
            bad |= any(one.confident_wrong or not (one.included or name == "trimmed") for one in judged)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
