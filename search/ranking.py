"""In what order, and why? Pure: signals 0..1 and weights in, scores that explain themselves out."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from math import log1p

from indexer.domain.records import Document

__all__ = ["SIGNALS", "Score", "Weights", "document_signals", "fuse", "load_weights"]

SIGNALS = (
    *("text", "semantic", "style", "weights", "compatibility"),
    *("rating", "popularity", "freshness", "quality"),
)


@dataclass(frozen=True, slots=True)
class Weights:
    """The rows of ``ranking.toml`` as numbers."""

    signals: dict[str, float]
    fields: Mapping[str, float]
    numbers: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Score:
    """A score 0..1 and what it is made of: signal -> (value, weight)."""

    value: float
    signals: Mapping[str, tuple[float, float]]

    def explain(self) -> str:
        """The score as a sentence, largest contribution first."""
        total = sum(weight for _, weight in self.signals.values()) or 1.0
        parts = sorted(self.signals.items(), key=lambda item: -item[1][0] * item[1][1])
        told = ", ".join(
            f"{name} {value:.2f} adds {value * weight / total:.2f}" for name, (value, weight) in parts
        )
        return f"{self.value:.2f} because {told}" if told else f"{self.value:.2f}"


@cache
def load_weights() -> Weights:
    """Read ``search/data/ranking.toml``."""
    table = tomllib.loads(resources.files("search.data").joinpath("ranking.toml").read_text("utf-8"))
    return Weights(
        {name: float(row["weight"]) for name, row in table["signals"].items()},
        {name: float(row["weight"]) for name, row in table["fields"].items()},
        {name: float(row["value"]) for name, row in table["numbers"].items()},
    )


def fuse(signals: Mapping[str, float], weights: Mapping[str, float]) -> Score:
    """Weighted mean of the signals given; a signal that does not apply must be left out."""
    kept = {name: (min(1.0, max(0.0, signals[name])), weights[name]) for name in SIGNALS if name in signals}
    total = sum(weight for _, weight in kept.values())
    value = sum(value * weight for value, weight in kept.values()) / total if total else 0.0
    return Score(round(value, 6), kept)


def document_signals(document: Document, base: str | None, today: date, weights: Weights) -> dict[str, float]:
    """The signals that follow from the entry itself. Unknown rating, popularity and date are left at 0."""
    signals = {
        "rating": (document.rating or 0.0) / 5.0,
        "popularity": _popularity(document.downloads, weights.numbers["popular_downloads"]),
        "freshness": _freshness(document.created, today, weights.numbers["freshness_half_days"]),
        "quality": _quality(document),
    }
    if base is not None:
        signals["compatibility"] = _compatibility(document, base)
    return signals


def _popularity(downloads: int | None, most: float) -> float:
    return min(1.0, log1p(max(0, downloads or 0)) / log1p(most))


def _freshness(day: str | None, today: date, half: float) -> float:
    if day is None:
        return 0.0
    try:
        age = (today - date.fromisoformat(day)).days
    except ValueError:
        return 0.0  # a hub's odd date is no reason to fail a search
    return float(0.5 ** (max(0, age) / half))


def _quality(document: Document) -> float:
    """Share of four things that can be seen: agreeing label, preview, trigger words or no need, licence."""
    needs_trigger = document.kind in ("lora", "textual_inversion")
    marks = (
        "mislabelled" not in document.flags and document.kind != "unknown",
        "preview" in document.has,
        not needs_trigger or bool(document.trigger_words),
        document.licence is not None,
    )
    return sum(marks) / len(marks)


def _compatibility(document: Document, base: str) -> float:
    """1 below the wanted base in the tree; half when only a common root is proven; 0 elsewhere or unknown."""
    if base in document.architecture_path:
        return 1.0
    return 0.5 if document.architecture and base.startswith(document.architecture) else 0.0
