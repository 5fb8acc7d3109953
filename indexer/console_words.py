"""Ids and figures as a person at a terminal reads them."""

from collections.abc import Mapping, Sequence
from typing import Any

from indexer.console import printable
from indexer.domain import vocabulary

__all__ = [
    "adapter_title",
    "architecture_title",
    "confidence_told",
    "count_told",
    "is_empty",
    "kind_title",
    "size_told",
    "told",
]

_SURE = ((0.95, "sure"), (0.8, "very likely"), (0.6, "likely"), (0.01, "a guess"))
_LONGEST = 300


def confidence_told(confidence: float) -> str:
    """A confidence 0..1 as a word and a number: ``sure, 97%``."""
    word = next((word for least, word in _SURE if confidence >= least), "not known")
    return f"{word}, {confidence:.0%}"


def size_told(size: int | None) -> str:
    """A size in decimal units: ``57.4 MB``."""
    if size is None:
        return ""
    value, units = float(size), ["B", "kB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.0f} {units[0]}" if units[0] == "B" else f"{value:.1f} {units[0]}"


def count_told(count: int) -> str:
    """A count in short form: ``28.5 million``."""
    for unit, word in ((10**9, "billion"), (10**6, "million")):
        if count >= unit:
            return f"{count / unit:.1f} {word}"
    return f"{count:,}"


def kind_title(kind: str | None) -> str:
    """Title of a kind, or its id when no table knows it."""
    row = vocabulary.kinds().get(kind or "unknown")
    return row.title if row else str(kind)


def adapter_title(adapter: str) -> str:
    """Title of a sort of adapter."""
    row = vocabulary.adapter_algorithms().get(adapter)
    return row.title if row else adapter


def architecture_title(id_: str) -> str:
    """Title of an architecture."""
    row = vocabulary.architectures().get(id_)
    return row.title if row else id_


def told(value: Any) -> str:
    """Any plain data on one line: lists joined, tables as ``name value``, long texts cut."""
    if isinstance(value, Mapping):
        pairs = [f"{str(k).replace('_', ' ')} {told(v)}" for k, v in value.items() if not is_empty(v)]
        return " · ".join(pairs)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(told(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    text = " ".join(printable(str(value)).split())
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " …"


def is_empty(value: Any) -> bool:
    """Whether there is nothing to show."""
    return value is None or value == "" or (isinstance(value, Sequence | Mapping) and not value)
