"""Quality of an entry from what can be seen of it, part by part; ``indexer/data/quality.toml`` weighs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath

from indexer.domain.records import Document
from indexer.domain.vocabulary import read_table

__all__ = ["QualityPart", "quality", "quality_parts"]

_SAFE = {"safetensors", "gguf"}


@dataclass(frozen=True, slots=True)
class QualityPart:
    """One thing that was looked at: ``value`` 0..1 and its weight; ``title`` says what is good when it is
    there, ``lacks`` what is wrong when it is not."""

    name: str
    value: float
    weight: float
    title: str
    lacks: str


def quality(document: Document) -> float:
    """Weighted mean of the parts that apply, 0..1."""
    total = weight = 0.0
    for name, (share, _, _) in _parts().items():
        value = _VALUES[name](document)
        if value is not None:
            total += value * share
            weight += share
    return total / weight if weight else 0.0


def quality_parts(document: Document) -> tuple[QualityPart, ...]:
    """The parts that apply, in the order of the table."""
    valued = ((name, _VALUES[name](document), row) for name, row in _parts().items())
    return tuple(QualityPart(name, value, *row) for name, value, row in valued if value is not None)


def _works(document: Document) -> float | None:
    return float("nonfunctional" not in document.flags)


def _label(document: Document) -> float | None:
    return float("mislabelled" not in document.flags)


def _identified(document: Document) -> float | None:
    return 0.5 * (document.kind != "unknown") + 0.5 * (document.architecture is not None)


def _shown(document: Document) -> float | None:
    if "preview" not in document.has:
        return 0.0
    return 1.0 if "prompt" in document.has else _number("preview_alone")


def _trigger(document: Document) -> float | None:
    needed = document.kind in read_table("quality.toml")["needs"]["trigger"]
    return float(bool(document.trigger_words)) if needed else None


def _described(document: Document) -> float | None:
    return min(1.0, len(document.description) / _number("described_characters"))


def _licence(document: Document) -> float | None:
    return float(bool(document.licences))


def _container(document: Document) -> float | None:
    """What the endings promise; None where a file has none that promises anything, or there is no file."""
    rows = read_table("extensions.toml")
    promised = [rows.get(PurePosixPath(name).suffix.lower()) for name in document.file_names]
    if not promised or any(row is None for row in promised):
        return None
    return float(all(_SAFE.issuperset(row["containers"]) for row in promised if row))


_VALUES: Mapping[str, Callable[[Document], float | None]] = {
    "works": _works,
    "label": _label,
    "identified": _identified,
    "shown": _shown,
    "trigger": _trigger,
    "described": _described,
    "licence": _licence,
    "container": _container,
}


@cache
def _parts() -> Mapping[str, tuple[float, str, str]]:
    rows = read_table("quality.toml")["parts"]
    return {name: (float(row["weight"]), row["title"], row["lacks"]) for name, row in rows.items()}


@cache
def _number(name: str) -> float:
    return float(read_table("quality.toml")["numbers"][name]["value"])
