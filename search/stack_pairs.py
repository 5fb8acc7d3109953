"""Two adapters in one stack: do they change the same weights, ask for the same words, pull the same way?"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt
from typing import Any

from search.stack_records import Addon, Alignment, Member, load_stack_table, number

__all__ = ["Pair", "Twins", "judge_pairs", "shared_words", "together_factor"]

_PHRASE = re.compile(r"[,;\n]")
_NEITHER = "They change no weight in common."

Twins = Mapping[frozenset[str], float]
"""Names of two adapters that hold nearly the same weights, and the second's weight by the first's."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two adapters. ``shared`` counts the weights that both change, ``overlap`` is their share 0..1 of what
    the smaller one changes. ``pull`` is ``reinforcing``, ``conflicting`` or ``independent``, None where the
    weights themselves were not compared."""

    first: Addon
    second: Addon
    shared: int
    overlap: float
    words: tuple[str, ...]
    note: str
    alignment: Alignment | None = None
    pull: str | None = None

    def to_json(self) -> dict[str, Any]:
        """``{a, b, overlap, shared, words, note}``, and ``alignment`` where weights were compared."""
        told = {
            "a": self.first.member.name,
            "b": self.second.member.name,
            "overlap": round(self.overlap, 3),
            "shared": self.shared,
            "words": list(self.words),
            "note": self.note,
        }
        return told | ({"alignment": _alignment(self)} if self.alignment is not None else {})


def _alignment(pair: Pair) -> dict[str, Any]:
    found = pair.alignment
    assert found is not None  # asked only where there is one
    return {
        "verdict": pair.pull,
        "cosine": round(found.cosine, 4),
        "strength": [round(found.first, 4), round(found.second, 4)],
        "compared": found.compared,
        "estimated": found.estimated,
        "unread": found.unread,
        "blocks": [
            {
                "block": block.name,
                "cosine": round(block.cosine, 4),
                "share": round(block.share, 4),
                "verdict": pull_of(block.cosine),
            }
            for block in found.blocks
        ],
    }


def judge_pairs(
    addons: Sequence[Addon], twins: Twins, alignments: Mapping[frozenset[str], Alignment]
) -> list[Pair]:
    """Every two adapters of the stack, in their order; those that fit the base not at all are left out."""
    adapters = [a for a in addons if a.member.changed and a.verdict.verdict != "incompatible"]
    return [_pair(one, other, twins, alignments) for one, other in combinations(adapters, 2)]


def _pair(one: Addon, other: Addon, twins: Twins, alignments: Mapping[frozenset[str], Alignment]) -> Pair:
    key = frozenset((one.member.name, other.member.name))
    shared = len(one.member.changed & other.member.changed)
    overlap = shared / min(len(one.member.changed), len(other.member.changed))
    found = alignments.get(key)
    pull = None if found is None else pull_of(found.cosine)
    words = tuple(shared_words(one.member, other.member))
    if key in twins:
        note = "They hold nearly the same weights: two copies or strengths of one adapter."
    else:
        note = _note(shared, overlap, found, pull)
    return Pair(one, other, shared, overlap, words, note, found, pull)


def pull_of(cosine: float) -> str:
    """What a cosine means."""
    if cosine >= number("alignment", "reinforcing"):
        return "reinforcing"
    return "conflicting" if cosine <= number("alignment", "conflicting") else "independent"


def _note(shared: int, overlap: float, found: Alignment | None, pull: str | None) -> str:
    if not shared:
        return _NEITHER
    same = f"Both change the same {shared:,} weights" if overlap >= 1 else f"Both change {shared:,} weights"
    if found is None or pull is None:
        share = "" if overlap >= 1 else f", {overlap:.0%} of the smaller one's"
        return f"{same}{share}."
    how = f" (cosine {found.cosine:+.2f})"
    if pull == "independent":
        return f"{same}, each in its own direction{how}: they add up without getting in each other's way."
    if pull == "conflicting":
        return f"{same} in opposite directions{how}: each takes away from the other."
    return f"{same} in like directions{how}: together they are stronger than either."


def together_factor(found: Alignment) -> float:
    """By what both weights are multiplied so that the sum of two changes is as large as if they were
    independent: sqrt((a² + b²) / (a² + b² + 2ab·cos)) for norms a and b."""
    apart = found.first**2 + found.second**2
    joint = apart + 2 * found.first * found.second * found.cosine
    return sqrt(apart / joint) if joint > 1e-12 * apart and apart > 0 else 1.0


# ---------------------------------------------------------------- words


def shared_words(one: Member, other: Member) -> Iterator[str]:
    """Trigger words that call both; words of whole data sets call neither."""
    common = frozenset(load_stack_table()["words"]["common"])
    theirs = set(_words(other.triggers, common))
    return (word for word in dict.fromkeys(_words(one.triggers, common)) if word in theirs)


def _words(triggers: Iterable[str], common: Collection[str]) -> Iterator[str]:
    for text in triggers:
        for phrase in _PHRASE.split(text):
            word = " ".join(phrase.casefold().split())
            if word and word not in common:
                yield word
