"""A score in the words that a person would use: what speaks for an entry, and what against it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from indexer.domain.records import Document
from search.phrases import NOBODY, PHRASES, Asked

__all__ = ["NOBODY", "Asked", "Part", "parts_of", "sentence", "short"]


@dataclass(frozen=True, slots=True)
class Part:
    """One signal of a score: ``adds`` is its share of the score, ``text`` what it means for this entry."""

    signal: str
    value: float
    weight: float
    adds: float
    text: str

    @property
    def good(self) -> bool:
        """Whether it speaks for the entry."""
        return self.value >= 0.5


def parts_of(
    signals: Mapping[str, tuple[float, float]], document: Document | None, asked: Asked
) -> tuple[Part, ...]:
    """Each signal in words, largest contribution first."""
    total = sum(weight for _, weight in signals.values()) or 1.0
    parts = (
        Part(name, value, weight, value * weight / total, PHRASES[name](value, document, asked))
        for name, (value, weight) in signals.items()
    )
    return tuple(sorted(parts, key=lambda part: -part.adds))


def sentence(value: float, parts: Sequence[Part]) -> str:
    """What speaks for it by weight; then, after a *but*, what does not, heaviest first."""
    good = [part.text for part in parts if part.good]
    weak = [p.text for p in sorted(parts, key=lambda part: part.adds - part.weight) if not p.good]
    told = "; but ".join(", ".join(texts) for texts in (good, weak) if texts)
    return f"{value:.2f}: {told}" if told else f"{value:.2f}"


def short(parts: Sequence[Part]) -> str:
    """The three things that add most; where little speaks for it, what weighs most against it."""
    good = [part.text for part in parts if part.good][:3]
    weak = min((part for part in parts if not part.good), key=lambda p: p.adds - p.weight, default=None)
    return ", ".join(good if len(good) > 1 or weak is None else [*good, weak.text])
